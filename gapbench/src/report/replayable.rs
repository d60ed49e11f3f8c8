//! Which recorded latencies criterion can show, and why others are left out.

use crate::record::{CaseRow, Data, InputSet, Metric, Series, Target};
use crate::stats::fnv1a64;
use crate::units::Family;

/// One recorded series as criterion sees it: a benchmark.
#[derive(Clone, Debug, PartialEq)]
pub struct ReplayItem {
    /// `package::module::function`; the package is left out where the path begins with it.
    pub group: String,
    /// The axis values, the input set, and the metric unless it is the latency of a whole call.
    pub id: String,
    /// Work per observation, where each did the same.
    pub throughput: Option<Work>,
    /// Nanoseconds of each observation, in the order observed; 10 to 500 of them, all above zero.
    pub nanos: Vec<f64>,
}

/// What one observation worked through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Elements of the input.
    Elements(u64),
    /// Bytes.
    Bytes(u64),
}

/// A series that criterion cannot show as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// As in [`ReplayItem`].
    pub group: String,
    /// As in [`ReplayItem`].
    pub id: String,
    /// What was left out and why, a sentence.
    pub reason: String,
}

/// What of a record can be replayed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Replayable {
    /// The benchmarks.
    pub items: Vec<ReplayItem>,
    /// Series, or observations of a series, that are not in `items`.
    pub left_out: Vec<LeftOut>,
}

/// criterion asserts a sample size of at least 10.
pub(super) const FEWEST: usize = 10;

/// Above this, criterion's bootstrap takes seconds per benchmark and its pictures gain nothing.
const MOST: usize = 500;

impl Replayable {
    /// Keeps which benchmarks there are and forgets their observations: a parent only wants to know how many.
    pub fn forget_observations(&mut self) {
        for item in &mut self.items {
            item.nanos = Vec::new();
        }
    }

    /// Adds the latencies of a case (metrics `latency.*` with one value per observation) of the bench `target`.
    pub fn add(&mut self, target: &Target, row: &CaseRow) {
        for series in &row.series {
            let latency =
                series.metric.family() == Family::Time && series.metric.name().starts_with("latency.");
            if let (true, Data::Values { values, calls_per_value }) = (latency, &series.data) {
                add(self, target, row, series, values, *calls_per_value);
            }
        }
    }
}

fn add(
    replayable: &mut Replayable,
    target: &Target,
    row: &CaseRow,
    series: &Series,
    values: &[f64],
    calls_per_value: u64,
) {
    let group = group(target, &row.function);
    let id = unique(&replayable.items, &group, &id(row, series));
    let mut leave_out = |reason: String| {
        replayable.left_out.push(LeftOut { group: group.clone(), id: id.clone(), reason });
    };
    let mut nanos: Vec<f64> = values.iter().map(|seconds| seconds * 1e9).collect();
    nanos.retain(|nanos| nanos.is_finite() && *nanos > 0.0);
    let dropped = values.len() - nanos.len();
    if nanos.len() < FEWEST {
        leave_out(format!(
            "{} observations above zero; criterion shows a benchmark from {FEWEST} on",
            nanos.len()
        ));
        return;
    }
    if dropped > 0 {
        leave_out(format!(
            "{dropped} of {} observations took no time at all: criterion refuses a benchmark that has one",
            values.len()
        ));
    }
    if nanos.len() > MOST {
        leave_out(format!(
            "{} of {} observations; {MOST}, evenly spaced, are shown",
            nanos.len() - MOST,
            nanos.len()
        ));
        nanos = evenly(&nanos, MOST);
    }
    let throughput =
        if dropped == 0 { work(row, series.inputs, values.len(), calls_per_value) } else { None };
    replayable.items.push(ReplayItem { group, id, throughput, nanos });
}

/// All packages of a workspace share criterion's folder, and many a bench target is called `paper`.
fn group(target: &Target, function: &str) -> String {
    let package = target.package.replace('-', "_");
    if function.split("::").next() == Some(package.as_str()) {
        short(function)
    } else {
        short(&format!("{package}::{function}"))
    }
}

fn id(row: &CaseRow, series: &Series) -> String {
    let axes = row.case.0.strip_prefix(row.function.as_str()).unwrap_or(&row.case.0);
    let mut parts = vec![axes.trim_start_matches("::").to_owned()];
    parts.push(
        match series.inputs {
            None => "",
            Some(InputSet::Paper) => "paper inputs",
            Some(InputSet::Own) => "own inputs",
        }
        .to_owned(),
    );
    if series.metric != Metric::LatencyE2e {
        parts.push(series.metric.name().trim_start_matches("latency.").to_owned());
    }
    parts.retain(|part| !part.is_empty());
    if parts.is_empty() { "call".to_owned() } else { parts.join(" ") }
}

/// criterion cuts a folder's name to 64 bytes; a name that is longer is shortened here, so that two that differ only
/// behind the cut keep their own folders from run to run.
const FOLDER_BYTES: usize = 64;

/// `name`, or as much of it as leaves room for a digest of all of it.
fn short(name: &str) -> String {
    if name.len() <= FOLDER_BYTES {
        return name.to_owned();
    }
    // Half of the digest's bits are enough to tell neighbours apart.
    let digest = fnv1a64(name.as_bytes()) >> 32;
    let mut kept = FOLDER_BYTES - 9;
    while !name.is_char_boundary(kept) {
        kept -= 1;
    }
    format!("{}~{digest:08x}", name.get(..kept).unwrap_or_default())
}

/// `id`, with a number where the group has it already: two series of one case that differ in a condition only.
fn unique(items: &[ReplayItem], group: &str, id: &str) -> String {
    let taken = |id: &str| items.iter().any(|other| other.group == group && other.id == id);
    let mut candidate = short(id);
    let mut number = 1_u32;
    while taken(&candidate) {
        number += 1;
        candidate = short(&format!("{id} #{number}"));
    }
    candidate
}

/// `count` of `values`, the first and the last included, in their order.
fn evenly(values: &[f64], count: usize) -> Vec<f64> {
    let last = values.len().saturating_sub(1);
    let steps = count.saturating_sub(1).max(1);
    (0..count).filter_map(|step| values.get(step * last / steps).copied()).collect()
}

/// The work of one observation where the row's rates say that every one did the same whole number of it.
fn work(row: &CaseRow, inputs: Option<InputSet>, observations: usize, calls_per_value: u64) -> Option<Work> {
    let same = |metric: Metric| {
        let series = row.series.iter().find(|series| series.metric == metric && series.inputs == inputs)?;
        let Data::Rates { batches } = &series.data else { return None };
        let first = batches.first()?.work;
        let per_call = first / calls_per_value.max(1) as f64;
        // Whole numbers up to 2^53 are exact in a float.
        let countable = per_call >= 1.0 && per_call.fract() == 0.0 && per_call < 9_007_199_254_740_992.0;
        (countable && batches.len() == observations && batches.iter().all(|batch| batch.work == first))
            .then_some(per_call as u64)
    };
    same(Metric::ThroughputBytes)
        .map(Work::Bytes)
        .or_else(|| same(Metric::ThroughputSamples).map(Work::Elements))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evenly_keeps_ends_and_order() {
        let values: Vec<f64> = (0..1001).map(f64::from).collect();
        let kept = evenly(&values, 500);
        assert_eq!((kept.len(), kept[0], kept[499]), (500, 0.0, 1000.0));
        assert!(kept.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn groups_are_unique_in_a_workspace() {
        let target = Target { package: "intent-classifier".to_owned(), bench: "paper".to_owned() };
        assert_eq!(group(&target, "paper::embed"), "intent_classifier::paper::embed");
        assert_eq!(group(&target, "intent_classifier::embed"), "intent_classifier::embed");
    }

    #[test]
    fn ids_differ_in_what_a_folder_keeps() {
        let item = |id: &str| ReplayItem {
            group: "g".to_owned(),
            id: id.to_owned(),
            throughput: None,
            nanos: Vec::new(),
        };
        let long = "x".repeat(70);
        let items = vec![item("a"), item(&long)];
        assert_eq!(unique(&items, "g", "b"), "b");
        assert_eq!(unique(&items, "h", "a"), "a");
        assert_eq!(unique(&items, "g", "a"), "a #2");
        let longer = unique(&items, "g", &format!("{long}y"));
        assert_eq!((longer.len(), longer.starts_with("xxx")), (64, true));
        assert_ne!(longer, short(&long));
        assert!(short(&"µ".repeat(60)).len() <= 64);
    }
}
