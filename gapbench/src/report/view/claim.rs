//! The wording of one claim.

use crate::declare::{PaperClaim, Wording};
use crate::judge::{ClaimVerdict, Ladder, StepKind, Verdict};
use crate::units;

use super::{ClaimView, LadderView, with_interval};
use crate::report::plain::one_line;

pub(super) fn view(verdict: &ClaimVerdict) -> ClaimView {
    let claim = &verdict.claim;
    let reason = one_line(&verdict.reason);
    let family = claim.metric.family();
    ClaimView {
        kind: verdict.verdict,
        verdict: verdict.verdict.words(),
        class: match verdict.verdict {
            Verdict::Fail => "fail",
            Verdict::Gap => "gap",
            Verdict::Unclear => "unclear",
            Verdict::Within | Verdict::OnPar => "good",
            Verdict::Ahead => "ahead",
            Verdict::NotComparable | Verdict::NotMeasured => "quiet",
        },
        id: one_line(&claim.id),
        case: one_line(&verdict.case.0),
        metric: claim.metric.name(),
        statistic: claim.statistic.name(),
        ours: verdict.ours.map_or_else(String::new, |ours| with_interval(&ours, family)),
        paper: declared(claim),
        ratio: match verdict.ratio.map(|ratio| units::show_percent(ratio.value)) {
            None => String::new(),
            // For information: no verdict rests on it.
            Some(ratio) if verdict.verdict == Verdict::NotComparable => format!("({ratio})"),
            Some(ratio) => ratio,
        },
        loss: where_lost(verdict),
        differing: verdict
            .differing
            .iter()
            .map(|difference| one_line(difference))
            .filter(|difference| !reason.contains(difference.as_str()))
            .collect(),
        unknown: verdict.unknown.iter().map(|name| one_line(name)).collect(),
        gated: verdict.gated,
        source: source(claim),
        link: link(claim),
        ladder: ladder(&verdict.ladder, claim, verdict.verdict == Verdict::NotComparable),
        reason,
    }
}

/// The paper's number as written, with the wording of the source: `up to 740 TFLOP/s`.
pub fn declared(claim: &PaperClaim) -> String {
    let wording = match claim.wording {
        Wording::Exact => "",
        Wording::About => "about ",
        Wording::UpTo => "up to ",
        Wording::AtLeast => "at least ",
    };
    // A pure number has the unit `1`, and a share may be written as `fraction`: neither is worth a word.
    let unit = match claim.declared.unit.as_str() {
        "1" | "fraction" => String::new(),
        unit => format!(" {unit}"),
    };
    one_line(&format!("{wording}{}{unit}", claim.declared.written))
}

fn source(claim: &PaperClaim) -> String {
    let source = &claim.source;
    let mut parts = vec![claim.paper.title.clone()];
    parts.extend(claim.paper.version.clone());
    parts.extend(source.table.as_ref().map(|table| format!("table {table}")));
    parts.extend(source.page.map(|page| format!("page {page}")));
    parts.extend(source.locator.clone());
    parts.push(format!("{}:{}", claim.file, claim.line));
    one_line(&parts.join(", "))
}

/// Only addresses of the web are linked: a claims file is written by others.
fn link(claim: &PaperClaim) -> Option<String> {
    let address = claim.source.url.as_ref().unwrap_or(&claim.paper.url).trim();
    let web = address.starts_with("https://") || address.starts_with("http://");
    (web && !address.contains(|letter: char| letter.is_whitespace() || letter.is_control()))
        .then(|| address.to_owned())
}

/// The losses of the ladder: what it is called, and the share of the declared goodness that went there.
fn losses(ladder: &Ladder) -> Vec<(&'static str, f64)> {
    let mut lost = ladder.steps.iter().filter_map(|step| Some((step.kind, step.loss?.value)));
    let Some((first, from_the_paper)) = lost.next() else { return Vec::new() };
    let mut parts: Vec<(&'static str, f64)> = lost
        .map(|(kind, share)| {
            let name = match kind {
                StepKind::OwnInputs => "inputs",
                StepKind::Noise => "noise",
                StepKind::Load => "load",
                StepKind::Paper | StepKind::Reproduced => "unexplained",
            };
            (name, share)
        })
        .collect();
    // Without a reproduction nobody can say how much the machine took and how much the inputs.
    parts.push((if first == StepKind::Reproduced { "unexplained" } else { "not split" }, from_the_paper));
    parts
}

fn where_lost(verdict: &ClaimVerdict) -> String {
    if verdict.verdict == Verdict::NotComparable {
        let names: Vec<_> =
            verdict.differing.iter().filter_map(|text| text.split(':').next()).map(one_line).collect();
        return names.join(", ");
    }
    // Less than this rounds to nothing.
    const VISIBLE: f64 = 0.0005;
    losses(&verdict.ladder)
        .into_iter()
        .filter(|(_, share)| *share >= VISIBLE)
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .map_or_else(String::new, |(name, share)| format!("{name} {}", units::show_percent(share)))
}

fn ladder(ladder: &Ladder, claim: &PaperClaim, not_comparable: bool) -> LadderView {
    let mut view = LadderView::default();
    for step in &ladder.steps {
        let words = step.label.as_deref().map_or_else(|| step.kind.words().to_owned(), one_line);
        match (step.kind, step.estimate, &step.absent) {
            (StepKind::Paper, ..) => view.steps.push(format!("{words} {}", declared(claim))),
            (_, Some(estimate), _) => {
                let value = units::show(estimate.interval.value, claim.metric.family());
                view.steps.push(format!("{words} {value}"));
            }
            (StepKind::Reproduced, None, why) => view.absent.push(absent("not reproduced", why.as_deref())),
            (StepKind::OwnInputs, None, why) => view.absent.push(absent("no own inputs", why.as_deref())),
            (StepKind::Noise, None, why) => view.absent.push(absent("no noise", why.as_deref())),
            (StepKind::Load, None, why) => view.absent.push(absent("no load", why.as_deref())),
        }
    }
    if let Some(gap) = ladder.gap {
        let (name, sign) = if gap < 0.0 { ("gain", -1.0) } else { ("gap", 1.0) };
        let parts = losses(ladder);
        let parts: Vec<String> = match parts.as_slice() {
            [("not split", _)] => vec!["not split, nothing was reproduced".to_owned()],
            parts => parts.iter().map(|(name, share)| format!("{name} {}", points(share * sign))).collect(),
        };
        view.gap = format!("{name} {}", units::show_percent(gap.abs()));
        if !parts.is_empty() {
            view.gap = format!("{}: {}", view.gap, parts.join(", "));
        }
        if not_comparable {
            view.gap = format!("not comparable; for information: {}", view.gap);
        }
    }
    view
}

/// Percentage points with one decimal and no negative zero.
fn points(share: f64) -> String {
    let text = format!("{:.1}", share * 100.0);
    if text == "-0.0" { "0.0".to_owned() } else { text }
}

fn absent(what: &str, why: Option<&str>) -> String {
    why.map_or_else(|| what.to_owned(), |why| one_line(&format!("{what}: {why}")))
}
