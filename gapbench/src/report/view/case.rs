//! The wording of one case.

use crate::judge::{ChangeVerdict, Estimate, Summary};
use crate::record::{CaseId, FailureKind, InputSet, Outcome};
use crate::units;

use super::{CaseView, ChangeView, NumberView, interval, load};
use crate::report::plain::{one_line, verbatim};
use crate::report::results::{CaseResult, TargetResults};

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
        numbers: measured.iter().copied().filter(|summary| summary.load.is_none()).map(number).collect(),
        load: load::view(row, &measured, &judgement.costs),
        cold_start: cold_start(row),
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

fn number(summary: &Summary) -> NumberView {
    let family = summary.metric.family();
    NumberView {
        metric: summary.metric.name(),
        inputs: inputs(summary.inputs),
        statistic: summary.estimate.statistic.name(),
        value: units::show(summary.estimate.interval.value, family),
        interval: interval(&summary.estimate, family),
        n: summary.estimate.n,
    }
}

/// `spawn 12.0 ms, tokenizer 310 ms, first answer 301 ms (medians of 3 processes)`.
fn cold_start(row: &CaseResult) -> String {
    let parts: Vec<String> = row
        .phases
        .iter()
        .filter_map(|phase| Some((phase, phase.median?)))
        .map(|(phase, median)| {
            format!("{} {}", one_line(&phase.name), units::show(median, units::Family::Time))
        })
        .collect();
    if parts.is_empty() {
        return String::new();
    }
    let processes = row.phases.iter().map(|phase| phase.seconds.len()).max().unwrap_or(0);
    match processes {
        1 => format!("{} (1 process)", parts.join(", ")),
        _ => format!("{} (medians of {processes} processes)", parts.join(", ")),
    }
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
        inputs: match found.load {
            Some(load) => format!("{} at {load}", inputs(found.inputs)).trim_start().to_owned(),
            None => inputs(found.inputs).to_owned(),
        },
        numbers,
        reason: one_line(&found.reason),
        baseline: one_line(&found.baseline),
    }
}
