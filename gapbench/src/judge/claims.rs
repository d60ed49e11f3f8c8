//! One claim against one case.

use crate::declare::{Declarations, PaperClaim, Wording};
use crate::record::{CaseRow, Environment, Metric, Outcome, Series, Statistic};

use super::comparability::{Comparison, compare};
use super::estimate::{Measured, usual_statistic};
use super::ladder::{Ascent, Rung};
use super::matching::{Found, find};
use super::{ClaimVerdict, Ladder, StepKind, Verdict, axes, contention, device, ladder, load};

/// A verdict per claim that is about the case `row`, one of the run's `rows`. Gate and multiplicity are not yet
/// considered.
pub(super) fn verdicts(
    row: &CaseRow,
    rows: &[CaseRow],
    environment: &Environment,
    declared: &Declarations,
) -> Vec<ClaimVerdict> {
    let siblings: Vec<&CaseRow> = rows.iter().filter(|other| other.function == row.function).collect();
    let claims = declared
        .items
        .iter()
        .filter(|registered| registered.declaration.path() == row.function)
        .flat_map(|registered| &registered.claims);
    let meant = claims.filter(|claim| axes::is_meant(claim, row, &siblings));
    meant.map(|claim| verdict(claim, row, environment)).collect()
}

fn verdict(claim: &PaperClaim, row: &CaseRow, environment: &Environment) -> ClaimVerdict {
    match &row.outcome {
        Outcome::Failed(failure) => {
            return without_number(claim, row, Verdict::NotMeasured, format!("failed: {}", failure.reason));
        }
        // Many cases are skipped for one reason; the row of the case has it.
        Outcome::Skipped { .. } => {
            return without_number(claim, row, Verdict::NotMeasured, "the case was skipped".to_owned());
        }
        Outcome::Measured => {}
    }
    let Some(found) = find(claim, row) else {
        return without_number(claim, row, Verdict::NotMeasured, no_such_metric(claim, row));
    };
    let loaded = found.load.as_ref().map(|(_, load)| load);
    let headline = match (loaded, &found.noise, &found.own, &found.reproduced) {
        (Some(Ok(series)), ..) | (_, Some(series), ..) | (_, _, Some(Ok(series)), _) | (.., Ok(series)) => {
            *series
        }
        (_, _, own, Err(why)) => {
            let own = match own {
                Some(Err(own)) => format!("; own inputs: {own}"),
                _ => String::new(),
            };
            let mut verdict =
                without_number(claim, row, Verdict::NotComparable, format!("not reproduced: {why}{own}"));
            verdict.ladder = ladder::without_numbers(claim, &found);
            return verdict;
        }
    };
    match measure(claim, headline, &found) {
        Ok(measured) => held_against(claim, row, environment, headline, &found, measured),
        Err(why) => without_number(claim, row, Verdict::NotMeasured, format!("no number: {why}")),
    }
}

/// The numbers of all steps in one statistic.
struct Numbers {
    reproduced: Option<Measured>,
    own: Option<Measured>,
    noise: Option<Measured>,
    load: Option<Measured>,
    /// Why the claim's own statistic is not this one.
    other_statistic: Option<String>,
}

fn measure(claim: &PaperClaim, headline: &Series, found: &Found<'_>) -> Result<Numbers, String> {
    let asked = statistic(claim);
    let (used, why) = match Measured::prepare(headline, asked) {
        Ok(measured) => (measured.statistic, None),
        Err(why) => match Measured::prepare(headline, Statistic::Unspecified) {
            Ok(usual) if usual.statistic != asked => (usual.statistic, Some(why)),
            _ => return Err(why),
        },
    };
    let because = why.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
    let other_statistic = if claim.wording == Wording::UpTo && used != Statistic::Max {
        Some(format!(
            "statistic: paper `up to`, against which only a maximum can be held, here the {used}{because}"
        ))
    } else {
        why.map(|_| format!("statistic: paper {asked}, here {used}{because}"))
    };
    let prepare = |series: &Series| Measured::prepare(series, used).ok();
    Ok(Numbers {
        reproduced: found.reproduced.as_ref().ok().and_then(|series| prepare(series)),
        own: found.own.as_ref().and_then(|own| own.as_ref().ok()).and_then(|series| prepare(series)),
        noise: found.noise.and_then(prepare),
        load: found.load.as_ref().and_then(|(_, load)| load.as_ref().ok()).and_then(|series| prepare(series)),
        other_statistic,
    })
}

/// The statistic that the claim means: `up to` names the maximum even where the source says no more.
fn statistic(claim: &PaperClaim) -> Statistic {
    match (claim.statistic, claim.wording) {
        (Statistic::Unspecified, Wording::UpTo) => Statistic::Max,
        (Statistic::Unspecified, _) => usual_statistic(claim.metric),
        (statistic, _) => statistic,
    }
}

fn held_against(
    claim: &PaperClaim,
    row: &CaseRow,
    environment: &Environment,
    headline: &Series,
    found: &Found<'_>,
    numbers: Numbers,
) -> ClaimVerdict {
    let Comparison { mut differing, mut unknown } = compare(claim, headline);
    differing.extend(numbers.other_statistic);
    if claim.statistic == Statistic::Unspecified && claim.wording != Wording::UpTo {
        unknown.push("statistic".to_owned());
    }
    differing.extend(device::forbids(row, headline));
    if environment.debug_build && claim.metric.depends_on_machine() {
        differing.push("build: paper optimised, here built without optimisation".to_owned());
    }
    let mut rungs = vec![Rung::new(
        claim,
        StepKind::Reproduced,
        numbers.reproduced.as_ref(),
        found.reproduced.as_ref().err(),
    )];
    if let Some(own) = &found.own {
        rungs.push(Rung::new(claim, StepKind::OwnInputs, numbers.own.as_ref(), own.as_ref().err()));
    }
    // Answers to the same items are compared item by item.
    let graded = claim.metric == Metric::QualityAccuracy;
    if found.noise.is_some() {
        let pairs = row.noise.iter().find(|noise| noise.on_the_ladder).map(|noise| noise.pairs);
        rungs.push(
            Rung::new(claim, StepKind::Noise, numbers.noise.as_ref(), None).paired(pairs.filter(|_| graded)),
        );
    }
    if let Some((label, load)) = &found.load {
        let point = load.as_ref().ok().and_then(|series| load::point(row, series));
        let sent = row.loads.iter().find(|load| Some(load.point) == point);
        rungs.push(
            Rung::new(claim, StepKind::Load, numbers.load.as_ref(), load.as_ref().err())
                .called(label.clone())
                .paired(sent.and_then(|load| load.pairs).filter(|_| graded)),
        );
    }
    let ascent = Ascent {
        claim,
        comparable: differing.is_empty(),
        disturbed: contention::disturbed(row, claim.metric),
        rungs,
    };
    let (ladder, top) = (ascent.ladder(), ascent.top());
    let reason = ascent.reason(&differing, &ladder);
    ClaimVerdict {
        case: row.case.clone(),
        claim: claim.clone(),
        verdict: top.and_then(|rung| ascent.verdict(rung)).unwrap_or(Verdict::NotComparable),
        reason,
        ours: top.and_then(|rung| rung.estimate(claim.policy.alpha)),
        ratio: top.and_then(|rung| rung.ratio(claim.policy.alpha)),
        differing,
        unknown,
        p_fail: top.filter(|_| ascent.comparable).and_then(|rung| rung.p_fail(claim.policy.fail_below)),
        p_fail_holm: None,
        gated: false,
        ladder,
    }
}

fn no_such_metric(claim: &PaperClaim, row: &CaseRow) -> String {
    let mut names: Vec<&str> = Vec::new();
    for series in &row.series {
        if !names.contains(&series.metric.name()) {
            names.push(series.metric.name());
        }
    }
    let rest = if names.is_empty() {
        "it measured nothing".to_owned()
    } else {
        format!("it measured {}", names.join(", "))
    };
    format!("the case did not measure {}; {rest}", claim.metric)
}

fn without_number(claim: &PaperClaim, row: &CaseRow, verdict: Verdict, reason: String) -> ClaimVerdict {
    let ladder = Ladder { steps: vec![ladder::paper_step(claim)], gap: None };
    ClaimVerdict {
        case: row.case.clone(),
        claim: claim.clone(),
        verdict,
        reason,
        ours: None,
        ratio: None,
        differing: Vec::new(),
        unknown: Vec::new(),
        p_fail: None,
        p_fail_holm: None,
        gated: false,
        ladder,
    }
}
