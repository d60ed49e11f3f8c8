//! The wording of a case under load: a table of loads, and what is to be said of them.

use crate::judge::{CostLine, Summary, sweep};
use crate::record::{LoadRow, Metric, PairsRow, SearchRow, TimeOf};
use crate::report::plain::one_line;
use crate::report::results::CaseResult;
use crate::stats::Pairs;
use crate::units::{self, Family, show_percent};

use super::TableView;

/// Other programs that took more of the machine than this are worth a word.
const OTHERS_WORTH_A_WORD: f64 = 0.1;

/// Classes of failures that are named; the record has all.
const MOST_CLASSES: usize = 3;

type Cell = fn(&LoadRow, &[&Summary]) -> Option<String>;

/// Every column with its name; one in which no load has anything is left out.
const COLUMNS: &[(&str, Cell)] = &[
    ("answered", |load, _| Some(units::show(load.throughput_per_second, Family::Rate))),
    ("goodput", |load, _| Some(units::show(load.goodput_per_second?, Family::Rate))),
    ("tokens", |load, _| Some(units::show(load.tokens_per_second?, Family::Rate))),
    ("p50", |load, _| time(load, TimeOf::Latency, |times| times.p50)),
    ("p95", |load, _| time(load, TimeOf::Latency, |times| times.p95)),
    ("p99", |load, _| time(load, TimeOf::Latency, |times| times.p99)),
    ("ttft p95", |load, _| time(load, TimeOf::Ttft, |times| times.p95)),
    ("itl p95", |load, _| time(load, TimeOf::Itl, |times| times.p95)),
    ("busy", |load, _| Some(show_percent(load.utilisation))),
    ("lost", |load, _| {
        let lost = load.counts.lost();
        (lost > 0).then(|| format!("{lost} of {}", load.counts.measured()))
    }),
    ("accuracy", |_, measured| number(measured, Metric::QualityAccuracy)),
    ("memory", |_, measured| number(measured, Metric::MemoryHostPeak)),
    ("device", |_, measured| number(measured, Metric::MemoryDevicePeak)),
    ("cost / 1k", |_, measured| number(measured, Metric::CostPer1kRequests)),
    ("objectives", |load, _| {
        load.meets_objectives().map(|met| if met { "met" } else { "missed" }.to_owned())
    }),
];

fn time(load: &LoadRow, of: TimeOf, pick: fn(&crate::record::TimesRow) -> Option<f64>) -> Option<String> {
    Some(units::show(pick(load.times(of)?)?, Family::Time))
}

fn number(measured: &[&Summary], metric: Metric) -> Option<String> {
    let found = measured.iter().find(|summary| summary.metric == metric)?;
    Some(units::show(found.estimate.interval.value, metric.family()))
}

/// The loads of a case, with what was `measured` of it; absent where none were sent.
pub(super) fn view(row: &CaseResult, measured: &[&Summary], costs: &[CostLine]) -> Option<TableView> {
    if row.loads.is_empty() {
        return None;
    }
    let mut shown: Vec<&LoadRow> =
        row.loads.iter().filter(|load| is_shown(load, row.search.as_ref())).collect();
    // A search tries its answer once more: the last run of a rate stands for it.
    let again = |at: usize, load: &LoadRow| {
        let later = shown.iter().skip(at + 1);
        load.searching && later.into_iter().any(|other| other.searching && other.point == load.point)
    };
    let repeated: Vec<bool> = shown.iter().enumerate().map(|(at, load)| again(at, load)).collect();
    let mut repeated = repeated.into_iter();
    shown.retain(|_| !repeated.next().unwrap_or(false));
    let of = |load: &LoadRow| {
        let same = |summary: &&Summary| summary.load == Some(load.point);
        measured.iter().copied().filter(same).collect::<Vec<&Summary>>()
    };
    let cells: Vec<Vec<Option<String>>> = shown
        .iter()
        .map(|load| {
            let measured = of(load);
            let valid = load.invalid.is_none();
            COLUMNS.iter().map(|(_, cell)| cell(load, &measured).filter(|_| valid)).collect()
        })
        .collect();
    let used = |column: usize| cells.iter().any(|row| row.get(column).is_some_and(Option::is_some));
    let columns: Vec<usize> = (0..COLUMNS.len()).filter(|column| used(*column)).collect();
    let name = |column: &usize| COLUMNS.get(*column).map(|(name, _)| *name);
    let head = ["load"].into_iter().chain(columns.iter().filter_map(name)).collect();
    let rows = shown.iter().zip(&cells).map(|(load, cells)| {
        let first = match load.invalid {
            Some(_) => format!("{} INVALID", load.point),
            None => load.point.to_string(),
        };
        let rest = columns
            .iter()
            .map(|column| cells.get(*column).cloned().flatten().unwrap_or_else(|| "-".to_owned()));
        [first].into_iter().chain(rest).collect()
    });
    let mut remarks: Vec<String> = shown.iter().flat_map(|load| remarks(load)).collect();
    remarks.extend(shown.iter().filter_map(|load| memory(load, &of(load), measured)));
    remarks.extend(row.search.as_ref().map(search));
    remarks.extend(sweep(&row.loads).map(|found| match found.cliff {
        None => format!("more than {} bring no more answers", found.knee),
        Some(cliff) => format!(
            "more than {} bring no more answers, and with {cliff} they fall below 80 % of the most",
            found.knee
        ),
    }));
    remarks.extend(costs.iter().filter(|line| line.case == row.case).map(|line| one_line(&line.text)));
    Some(TableView { head, rows: rows.collect(), remarks })
}

/// Memory under load above this much of the memory at rest is worth a word.
///
/// # Source
/// As of `footprint::IDLE_RATIO`: idle memory is what deployments are planned with.
const MEMORY_WORTH_A_WORD: f64 = 1.1;

/// How much more memory a load takes than the model at rest, where that is more than a tenth.
fn memory(load: &LoadRow, under_load: &[&Summary], measured: &[&Summary]) -> Option<String> {
    let of = |all: &[&Summary], metric: Metric| {
        let alone = all.iter().find(|one| {
            one.metric == metric && one.also.as_ref().is_none_or(|also| also.starts_with("noise"))
        })?;
        Some(alone.estimate.interval.value)
    };
    let idle: Vec<&Summary> = measured.iter().copied().filter(|one| one.load.is_none()).collect();
    let (busy, idle) = (of(under_load, Metric::MemoryHostPeak)?, of(&idle, Metric::MemoryHostIdle)?);
    (busy > MEMORY_WORTH_A_WORD * idle).then(|| {
        let times = units::show_significant(busy / idle, 3);
        format!("{}: memory is {times} times that at rest ({})", load.point, units::show(idle, Family::Bytes))
    })
}

/// Of a search only its two ends are shown, and what went wrong.
fn is_shown(load: &LoadRow, search: Option<&SearchRow>) -> bool {
    let ends = search.is_some_and(|search| {
        [search.last_passing, search.first_failing].contains(&load.point.rate) && load.point.rate.is_some()
    });
    !load.searching || (ends && load.invalid.is_none())
}

/// What must be said of one load.
fn remarks(load: &LoadRow) -> Vec<String> {
    let mut found = Vec::new();
    let at = load.point.to_string();
    if let Some(reason) = &load.invalid {
        found.push(format!("{at}: INVALID: {}", one_line(reason)));
    }
    for objective in load.objectives.iter().filter(|_| load.invalid.is_none()) {
        let share = show_percent(objective.inside as f64 / objective.all.max(1) as f64);
        if !objective.met {
            found.push(format!(
                "{at}: missed {}: {share} of {} were inside",
                objective.objective, objective.all
            ));
        } else if !objective.enough {
            found.push(format!(
                "{at}: {} was met by {share} of {} requests, too few to bound it from above at 95 %",
                objective.objective, objective.all
            ));
        }
    }
    if load.falls_behind() && load.invalid.is_none() {
        let growth = units::show(load.growth.unwrap_or(0.0), Family::Time);
        found.push(format!("{at}: the service falls behind: latencies grow by {growth} per second"));
    }
    found.extend(accuracy(load).map(|said| format!("{at}: {said}")));
    if load.counts.lost() > 0 {
        found.push(format!("{at}: {}", lost(load)));
    }
    if let Some(each) = load.leaks_per_request() {
        let grown = units::show(load.host_growth_bytes.unwrap_or(0) as f64, Family::Bytes);
        found.push(format!(
            "{at}: resident memory grew by {grown}, {} per request, and did not come back: a leak, or a cache that fills",
            units::show(each, Family::Bytes)
        ));
    }
    if load.replaced_workers > 0 {
        found.push(match load.replaced_workers {
            1 => format!("{at}: 1 worker hung and was replaced"),
            workers => format!("{at}: {workers} workers hung and were replaced"),
        });
    }
    for check in load.checks.iter().filter(|check| !check.holds) {
        let [left, right] = [check.left, check.right].map(|side| units::show_significant(side, 3));
        found.push(format!("{at}: {} does not hold: {left} against {right}", check.name));
    }
    if let Some(share) = load.others_share.filter(|share| *share > OTHERS_WORTH_A_WORD) {
        found.push(format!("{at}: other programs took {} of the machine's processors", show_percent(share)));
    }
    found
}

/// Accuracies that differ by less than so many items of a hundred are the same: the equivalence that claims have by default.
const SAME_ACCURACY: f64 = 0.05;

/// Whether the load changed the answers to the same items. An interval that holds 0 does not say so.
fn accuracy(load: &LoadRow) -> Option<String> {
    let PairsRow { n, lost, gained } = load.pairs.filter(|_| load.invalid.is_none())?;
    let pairs = Pairs { n, lost, gained };
    let (difference, ends) = (pairs.difference()?, pairs.interval(2.0 * ALPHA)?);
    let (lower, upper) = (ends.lower? * 100.0, ends.upper? * 100.0);
    let found = format!("{:.1} points ({lower:.1}..{upper:.1}) of {n} items", difference * 100.0);
    match pairs.equivalent(SAME_ACCURACY, ALPHA)? {
        true => None,
        false if lower > 0.0 => Some(format!("the load costs accuracy: {found}")),
        false => Some(format!(
            "{n} items cannot say whether the load changes the accuracy by less than {:.0} points: {found}",
            SAME_ACCURACY * 100.0
        )),
    }
}

/// Error level of the intervals.
const ALPHA: f64 = 0.05;

fn lost(load: &LoadRow) -> String {
    let counts = &load.counts;
    let kinds = [("failed", counts.failed), ("refused", counts.refused), ("timed out", counts.timed_out)];
    let kinds: Vec<String> =
        kinds.iter().filter(|(_, count)| *count > 0).map(|(kind, count)| format!("{count} {kind}")).collect();
    let classes: Vec<String> = counts
        .classes
        .iter()
        .take(MOST_CLASSES)
        .map(|found| format!("{} x {}", found.count, one_line(&found.class)))
        .collect();
    let more = counts.classes.len().saturating_sub(MOST_CLASSES);
    let more = if more > 0 { format!(", and {more} more classes") } else { String::new() };
    let classes = if classes.is_empty() { String::new() } else { format!(" ({}{more})", classes.join(", ")) };
    format!("of {} requests {}{classes}", counts.measured(), kinds.join(", "))
}

fn search(found: &SearchRow) -> String {
    let rate = |rate: f64| units::show(rate, Family::Rate);
    let passes = if found.repeats == 1 { "" } else { " in every repeat" };
    let mut text = match (found.last_passing, found.first_failing) {
        (Some(last), Some(first)) => format!(
            "largest rate that meets the objectives and is kept up with{passes}: {}; {} is too much",
            rate(last),
            rate(first)
        ),
        (Some(last), None) => format!("{} meets the objectives{passes}; more was not tried", rate(last)),
        (None, Some(first)) => format!("no rate meets the objectives, down to {}", rate(first)),
        (None, None) => "the search tried no rate to its end".to_owned(),
    };
    if let Some(at) = found.not_monotone_at {
        text = format!("{text}; not monotone: {} failed after as much had passed", rate(at));
    }
    if let Some(why) = &found.cut_short {
        text = format!("{text}; cut short: {}", one_line(why));
    }
    text
}
