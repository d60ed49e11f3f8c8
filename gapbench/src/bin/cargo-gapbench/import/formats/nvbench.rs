//! The results of nvbench, JSON, as `nvbench/json_printer.cu` writes them: devices, and for each state of each benchmark
//! summaries with a tag.

use std::collections::BTreeMap;

use gapbench::record::{Condition, Metric, Statistic};

use super::super::claim::{Found, Import, Left, Publication, Spread, UnitOf};
use super::super::document::{Node, Refusal, quoted};
use super::super::{json, number};
use super::{Known, Source};

/// Summaries that are claims.
const TAGS: &[(&str, Metric, Statistic, &str)] = &[
    ("nv/cold/time/gpu/mean", Metric::LatencyKernel, Statistic::Mean, "s"),
    ("nv/cold/time/gpu/median", Metric::LatencyKernel, Statistic::Median, "s"),
    ("nv/cold/time/gpu/min", Metric::LatencyKernel, Statistic::Min, "s"),
    ("nv/cold/time/gpu/max", Metric::LatencyKernel, Statistic::Max, "s"),
    ("nv/batch/time/gpu/mean", Metric::LatencyKernelHot, Statistic::Mean, "s"),
    ("nv/cold/bw/global/bytes_per_second", Metric::ThroughputBytes, Statistic::Mean, "B/s"),
    ("nv/cold/bw/item_rate", Metric::ThroughputSamples, Statistic::Mean, "elements/s"),
];

/// Summaries that are kept beside a claim, or that say nothing of the kernel.
const BESIDE: &[&str] = &["nv/cold/sample_size", "nv/batch/sample_size", "nv/cold/time/gpu/stdev/absolute"];

/// Reads the file.
pub(super) fn read(source: Source<'_>, _: &Known) -> Result<Import, Refusal> {
    let tree = json::read(source.text)?;
    let benchmarks = tree
        .get("benchmarks")
        .filter(|benchmarks| !benchmarks.items().is_empty())
        .ok_or_else(|| Refusal::at(tree.at, format!("found {}; expected `benchmarks`", tree.described())))?;
    let devices: BTreeMap<&str, &str> = tree
        .get("devices")
        .map(Node::items)
        .unwrap_or_default()
        .iter()
        .filter_map(|device| Some((device.text_of("id")?, device.text_of("name")?)))
        .collect();
    let version = tree.path(&["meta", "version", "nvbench", "string"]).and_then(Node::text);
    let mut import = Import {
        paper: Publication {
            title: "nvbench".to_owned(),
            version: version.map(|version| format!("nvbench {version}")),
            ..Publication::default()
        },
        ..Import::default()
    };
    let mut others: BTreeMap<&str, (Left, usize)> = BTreeMap::new();
    for benchmark in benchmarks.items() {
        let name = benchmark.text_of("name").unwrap_or("benchmark");
        for state in benchmark.get("states").map(Node::items).unwrap_or_default() {
            let at = format!("{name} {}", state.text_of("name").unwrap_or(""));
            if state.get("is_skipped").and_then(Node::flag) == Some(true) {
                let why =
                    format!("was skipped: {}", quoted(state.text_of("skip_reason").unwrap_or("no reason")));
                import.left.push(Left::new(state.at, quoted(at.trim()), why));
                continue;
            }
            for summary in state.get("summaries").map(Node::items).unwrap_or_default() {
                let tag = summary.text_of("tag").unwrap_or("");
                if BESIDE.contains(&tag) {
                    continue;
                }
                match TAGS.iter().find(|(known, ..)| *known == tag) {
                    Some(known) => match claim(name, state, &devices, summary, *known) {
                        Ok(found) => import.found.push(found),
                        Err(left) => import.left.push(left),
                    },
                    None => {
                        let left = Left::new(summary.at, quoted(tag), "is no metric of a kernel here");
                        others.entry(tag).or_insert((left, 0)).1 += 1;
                    }
                }
            }
        }
    }
    import.left.extend(others.into_values().map(|(left, count)| {
        let what = format!("{} ({count} times)", left.what);
        Left { what, ..left }
    }));
    Ok(import)
}

/// The value of a summary.
fn value(summary: &Node) -> Option<&Node> {
    let data = summary.get("data").map(Node::items).unwrap_or_default();
    data.iter().find(|datum| datum.text_of("name") == Some("value"))?.get("value")
}

fn summary_of<'n>(state: &'n Node, tag: &str) -> Option<&'n Node> {
    let summaries = state.get("summaries").map(Node::items).unwrap_or_default();
    summaries.iter().find(|summary| summary.text_of("tag") == Some(tag))
}

fn claim(
    benchmark: &str,
    state: &Node,
    devices: &BTreeMap<&str, &str>,
    summary: &Node,
    (tag, metric, statistic, unit): (&str, Metric, Statistic, &str),
) -> Result<Found, Left> {
    let state_name = state.text_of("name").unwrap_or("");
    let name = [benchmark, state_name, metric.name(), statistic.name()];
    let value =
        value(summary).ok_or_else(|| Left::new(summary.at, quoted(&name.join(" ")), "has no `value`"))?;
    let mut found = Found::read(value.at, &name, metric, statistic, value.text().unwrap_or(""))?;
    found.unit = UnitOf::Said(unit.to_owned());
    let batch = tag.starts_with("nv/batch/");
    let samples = summary_of(state, if batch { "nv/batch/sample_size" } else { "nv/cold/sample_size" });
    found.n = samples.and_then(self::value).and_then(Node::text).map(str::to_owned);
    if tag == "nv/cold/time/gpu/mean"
        && let Some(deviation) = summary_of(state, "nv/cold/time/gpu/stdev/absolute").and_then(self::value)
        && let Ok(deviation) = number::read(deviation.text().unwrap_or(""))
    {
        found.spread = Some(Spread::Sd(deviation.value));
    }
    found.text(Condition::Hardware, state.text_of("device").and_then(|id| devices.get(id).copied()));
    found.number(Condition::Count, Some("1"));
    for axis in state.get("axis_values").map(Node::items).unwrap_or_default() {
        if let (Some(axis), Some(text)) = (axis.text_of("name"), axis.text_of("value"))
            && let Some(condition) = Condition::parse(axis)
        {
            match condition {
                Condition::Dtype | Condition::Model | Condition::Dataset => found.text(condition, Some(text)),
                _ => found.number(condition, Some(text)),
            }
        }
    }
    found.locator = Some([benchmark, state_name, tag].join(", "));
    Ok(found)
}
