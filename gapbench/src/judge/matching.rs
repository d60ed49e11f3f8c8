//! Which series of a case stands for which step of a claim's ladder.

use std::cmp::Reverse;

use crate::declare::PaperClaim;
use crate::record::{CaseRow, Condition, ConditionValue, InputSet, Metric, Role, Series};

use super::comparability::{differences, names_inputs, same};
use super::load;

/// The series of each step, or why a step has none.
pub(super) struct Found<'a> {
    /// Under the paper's own conditions.
    pub reproduced: Result<&'a Series, String>,
    /// The same with the user's inputs; absent where inputs do not matter.
    pub own: Option<Result<&'a Series, String>>,
    /// The same with noise; absent where none was made, and where the claim itself is about noise.
    pub noise: Option<&'a Series>,
    /// The same under load, and what the step is called; absent where nothing was sent, and where the claim itself is
    /// about a load.
    pub load: Option<(Option<String>, Result<&'a Series, String>)>,
}

/// Finds the series for `claim` among those of `row`; absent when the case did not measure the metric at all.
pub(super) fn find<'a>(claim: &PaperClaim, row: &'a CaseRow) -> Option<Found<'a>> {
    let of_metric: Vec<&Series> = row.series.iter().filter(|series| series.metric == claim.metric).collect();
    if of_metric.is_empty() {
        return None;
    }
    // A claim that names no load is about requests one after the other, unless only others were measured.
    let asks = load::is_asked(claim);
    let asks_for_noise = claim.conditions.get(Condition::Noise).is_some();
    let alone =
        |series: &&&Series| (asks || !load::is_loaded(series)) && (asks_for_noise || !is_noisy(series));
    let mut candidates: Vec<&Series> = of_metric.iter().filter(alone).copied().collect();
    if candidates.is_empty() {
        candidates.clone_from(&of_metric);
    }
    let (own, paper): (Vec<&Series>, Vec<&Series>) =
        candidates.iter().partition(|series| series.inputs == Some(InputSet::Own));
    let reproduced = if paper.is_empty() {
        Err("the paper's own inputs were not measured here".to_owned())
    } else {
        best(claim, &paper, |condition| disagrees(claim, condition))
    };
    let base = reproduced.as_ref().ok().copied();
    let inputs_matter = of_metric.iter().any(|series| series.inputs.is_some());
    let own = inputs_matter.then(|| {
        if own.is_empty() {
            return Err("not measured here".to_owned());
        }
        best(claim, &own, |condition| {
            let paper = disagrees(claim, condition);
            move |series: &Series| {
                !names_inputs(condition)
                    && (paper(series) || base.is_some_and(|base| changed(base, series, condition)))
            }
        })
    });
    let top = own.as_ref().and_then(|own| own.as_ref().ok()).or(reproduced.as_ref().ok()).copied();
    let load = if top.is_some_and(load::is_loaded) { None } else { under_load(claim, row, &of_metric) };
    let noise = if asks_for_noise { None } else { with_noise(row, &of_metric) };
    Some(Found { reproduced, own, noise, load })
}

fn is_noisy(series: &Series) -> bool {
    series.conditions.get(Condition::Noise).is_some()
}

/// The series with the noise that is a step of the ladder.
fn with_noise<'a>(row: &CaseRow, of_metric: &[&'a Series]) -> Option<&'a Series> {
    let noise = row.noise.iter().find(|noise| noise.on_the_ladder)?;
    let name = ConditionValue::from(noise.noise.as_str());
    let has = |series: &&&Series| series.conditions.get(Condition::Noise).is_some_and(|one| same(one, &name));
    of_metric.iter().filter(|series| !load::is_loaded(series)).find(has).copied()
}

/// The series of the load that stands for production.
fn under_load<'a>(
    claim: &PaperClaim,
    row: &CaseRow,
    of_metric: &[&'a Series],
) -> Option<(Option<String>, Result<&'a Series, String>)> {
    let loaded: Vec<&Series> = of_metric.iter().copied().filter(|series| load::is_loaded(series)).collect();
    if row.loads.is_empty() || (loaded.is_empty() && !changes_under_load(claim.metric)) {
        return None;
    }
    Some(match load::production(row, claim.metric) {
        Ok(production) => {
            let found = loaded.into_iter().find(|series| load::is_under(series, &production.point));
            let series = found.ok_or_else(|| format!("{} it was not measured", production.label));
            (Some(production.label), series)
        }
        Err(why) => (None, Err(why)),
    })
}

/// What a load could have shown. A file's size and a cold start have nothing to do with it.
fn changes_under_load(metric: Metric) -> bool {
    ["latency.e2e", "latency.ttft", "latency.tpot", "throughput.requests", "throughput.tokens"]
        .contains(&metric.name())
}

/// Whether a series contradicts the claim in a production condition.
fn disagrees(claim: &PaperClaim, condition: Condition) -> impl Fn(&Series) -> bool {
    move |series| match (claim.conditions.get(condition), series.conditions.get(condition)) {
        (Some(paper), Some(here)) => !same(paper, here),
        _ => false,
    }
}

/// Whether a step would change more than its one thing.
fn changed(base: &Series, series: &Series, condition: Condition) -> bool {
    match (base.conditions.get(condition), series.conditions.get(condition)) {
        (Some(before), Some(after)) => !same(before, after),
        _ => false,
    }
}

/// The candidate that contradicts nothing and agrees most, or the contradictions of the nearest.
fn best<'a, Test: Fn(&Series) -> bool>(
    claim: &PaperClaim,
    candidates: &[&'a Series],
    contradicts: impl Fn(Condition) -> Test,
) -> Result<&'a Series, String> {
    let production =
        || Condition::ALL.iter().copied().filter(|condition| condition.role() == Role::Production);
    let contradictions = |series: &Series| {
        production().filter(|condition| contradicts(*condition)(series)).collect::<Vec<Condition>>()
    };
    let chosen = candidates.iter().copied().min_by_key(|series| {
        let states = |condition: &Condition| series.conditions.get(*condition).is_some();
        let agreed = production().filter(states).filter(|one| claim.conditions.get(*one).is_some()).count();
        let unasked = production().filter(states).filter(|one| claim.conditions.get(*one).is_none()).count();
        // Papers do not say that their inputs are clean.
        let noisy = states(&Condition::Noise) && claim.conditions.get(Condition::Noise).is_none();
        (
            contradictions(series).len(),
            differences(claim, &series.conditions),
            Reverse(agreed),
            noisy,
            series.inputs != Some(InputSet::Paper),
            unasked,
        )
    });
    let Some(chosen) = chosen else { return Err("nothing was measured".to_owned()) };
    let reasons: Vec<String> = contradictions(chosen)
        .into_iter()
        .map(|condition| contradiction(claim, candidates, condition))
        .collect();
    if reasons.is_empty() { Ok(chosen) } else { Err(reasons.join("; ")) }
}

fn contradiction(claim: &PaperClaim, candidates: &[&Series], condition: Condition) -> String {
    let mut here: Vec<String> = Vec::new();
    for value in candidates.iter().filter_map(|series| series.conditions.get(condition)) {
        if !here.contains(&value.to_string()) {
            here.push(value.to_string());
        }
    }
    let here = here.join(", ");
    match claim.conditions.get(condition) {
        Some(paper) => format!("the paper's {condition} is {paper}, measured here: {here}"),
        None => format!("the {condition} differs from that of the reproduction, measured here: {here}"),
    }
}
