//! The wording of one case.

use crate::judge::{ChangeVerdict, Estimate, Summary};
use crate::record::{CaseId, FailureKind, InputSet, LoadPoint, Metric, Outcome};
use crate::units;

use super::{CaseView, ChangeView, NumberView, interval, load, noise};
use crate::report::plain::{one_line, verbatim};
use crate::report::results::{CaseResult, PhaseResult, TargetResults};

fn inputs(set: Option<InputSet>) -> &'static str {
    match set {
        None => "",
        Some(InputSet::Paper) => "paper's inputs",
        Some(InputSet::Own) => "own inputs",
    }
}

pub(super) fn view(row: &CaseResult, target: &TargetResults) -> CaseView {
    let of_this = |case: &CaseId| *case == row.case;
    let (mut failure, mut stderr_tail) = (None, Vec::new());
    match &row.outcome {
        Outcome::Measured | Outcome::Skipped { .. } => {}
        Outcome::Failed(found) => {
            failure = Some(format!("{}: {}", kind(found.kind), one_line(&found.reason)));
            stderr_tail = found.stderr_tail.iter().map(|line| verbatim(line)).collect();
        }
    }
    let judgement = &target.judgement;
    let measured: Vec<&Summary> =
        judgement.measured.iter().filter(|summary| of_this(&summary.case)).collect();
    CaseView {
        case: one_line(&row.case.0),
        // Those under load have a table of their own.
        numbers: measured.iter().copied().filter(|summary| !in_a_table(summary)).map(number).collect(),
        noise: noise::view(row),
        load: load::view(row, &measured, &judgement.costs),
        cold_start: cold_start(row, &measured),
        changes: judgement.changes.iter().filter(|found| of_this(&found.case)).map(change).collect(),
        notes: row.notes.iter().map(|note| one_line(&format!("{}: {}", note.code, note.text))).collect(),
        failure,
        stderr_tail,
    }
}

/// The words for a class of failure.
const fn kind(kind: FailureKind) -> &'static str {
    match kind {
        FailureKind::Error => "error",
        FailureKind::Panic => "panic",
        FailureKind::Signal => "signal",
        FailureKind::Exit => "early exit",
        FailureKind::Timeout => "timeout",
        FailureKind::WrongAnswer => "wrong answer",
        FailureKind::DeviceAbsent => "device absent",
        FailureKind::Harness => "harness",
    }
}

/// Whether a table of loads or of kinds of noise shows it.
fn in_a_table(summary: &Summary) -> bool {
    let noisy = summary.also.as_ref().is_some_and(|also| also.starts_with("noise"));
    summary.load.is_some() || (noisy && summary.metric == Metric::QualityAccuracy)
}

/// Whose inputs, and what else sets the number apart.
fn inputs_and(set: Option<InputSet>, also: Option<&str>, load: Option<LoadPoint>) -> String {
    let load = load.map(|load| format!("at {load}"));
    let parts = [Some(inputs(set)), also, load.as_deref()];
    let parts: Vec<String> =
        parts.into_iter().flatten().filter(|part| !part.is_empty()).map(one_line).collect();
    parts.join(", ")
}

fn number(summary: &Summary) -> NumberView {
    let family = summary.metric.family();
    NumberView {
        metric: summary.metric.name(),
        inputs: inputs_and(summary.inputs, summary.also.as_deref(), None),
        statistic: summary.estimate.statistic.name(),
        value: units::show(summary.estimate.interval.value, family),
        interval: interval(&summary.estimate, family),
        n: summary.estimate.n,
    }
}

/// `spawn 12.0 ms, tokenizer 310 ms, first answer 301 ms (medians of 3 processes)`, for each level in turn.
fn cold_start(row: &CaseResult, measured: &[&Summary]) -> Vec<String> {
    let mut levels: Vec<(&str, Vec<&PhaseResult>)> = Vec::new();
    for phase in &row.phases {
        let level = phase.name.split_once(": ").map_or("", |(level, _)| level);
        match levels.iter_mut().find(|(known, _)| *known == level) {
            Some((_, phases)) => phases.push(phase),
            None => levels.push((level, vec![phase])),
        }
    }
    let mut lines: Vec<String> = levels.iter().map(|(level, phases)| cold_level(level, phases)).collect();
    lines.extend(first_over_steady(measured));
    lines
}

fn cold_level(level: &str, phases: &[&PhaseResult]) -> String {
    let parts: Vec<String> = phases
        .iter()
        .filter_map(|phase| Some((phase, phase.median?)))
        .map(|(phase, median)| {
            let name = phase.name.split_once(": ").map_or(phase.name.as_str(), |(_, name)| name);
            format!("{} {}", one_line(name), units::show(median, units::Family::Time))
        })
        .collect();
    let processes = phases.iter().map(|phase| phase.seconds.len()).max().unwrap_or(0);
    let level = if level.is_empty() { String::new() } else { format!("{level}: ") };
    match processes {
        1 => format!("{level}{} (1 process)", parts.join(", ")),
        _ => format!("{level}{} (medians of {processes} processes)", parts.join(", ")),
    }
}

/// How much longer the first answer took than one later on, alone and on the same inputs.
fn first_over_steady(measured: &[&Summary]) -> Option<String> {
    let alone = |metric: Metric, inputs: Option<InputSet>| {
        let found = measured.iter().find(|one| {
            one.metric == metric && one.load.is_none() && one.also.is_none() && one.inputs == inputs
        })?;
        Some(found.estimate.interval.value)
    };
    let sets = [Some(InputSet::Paper), Some(InputSet::Own), None];
    let (first, steady) = sets
        .into_iter()
        .find_map(|set| Some((alone(Metric::ColdFirstInference, set)?, alone(Metric::LatencyE2e, set)?)))?;
    let ratio = units::show_significant(first / steady, 3);
    Some(format!("the first answer takes {ratio} times a later one"))
}

fn change(found: &ChangeVerdict) -> ChangeView {
    let family = found.metric.family();
    let value = |estimate: Option<Estimate>| {
        estimate.map_or_else(|| "absent".to_owned(), |estimate| units::show(estimate.interval.value, family))
    };
    let mut numbers = value(found.ours);
    if found.before.is_some() {
        numbers = format!("{numbers}, was {}", value(found.before));
    }
    if let Some(ratio) = found.ratio {
        numbers = format!("{numbers}, ratio {}", units::show_significant(ratio.value, 3));
    }
    ChangeView {
        kind: found.change,
        change: found.change.words(found.metric),
        metric: found.metric.name(),
        inputs: inputs_and(found.inputs, found.also.as_deref(), found.load),
        numbers,
        reason: one_line(&found.reason),
        baseline: one_line(&found.baseline),
    }
}
