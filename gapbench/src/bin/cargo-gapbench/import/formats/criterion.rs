//! `estimates.json` of criterion: times in nanoseconds, with intervals. Files of before 0.3.3 have capitals. Which
//! benchmark it is says only the folder.

use std::path::{Component, Path};

use gapbench::record::{Metric, Statistic};

use super::super::claim::{Found, Import, Left, Publication, Spread, UnitOf};
use super::super::document::{Node, Refusal, quoted};
use super::super::{json, number};
use super::{Known, Source};

/// Reads the file.
pub(super) fn read(source: Source<'_>, _: &Known) -> Result<Import, Refusal> {
    let tree = json::read(source.text)?;
    let either = |small: &str, large: &str| tree.get(small).or_else(|| tree.get(large));
    let Some(deviation) = either("std_dev", "StdDev") else {
        let message = format!(
            "found {} and no `std_dev`; expected the estimates of one run. The file below `change` holds relative \
             changes and no times",
            tree.described()
        );
        return Err(Refusal::at(tree.at, message));
    };
    let benchmark = benchmark(source.name);
    let title = format!("criterion: {}", benchmark.as_deref().unwrap_or("a benchmark"));
    let mut import = Import { paper: Publication { title, ..Publication::default() }, ..Import::default() };
    if benchmark.is_none() {
        import
            .notes
            .push("which benchmark it is says only the folder, and there is none in the name".to_owned());
    }
    for (small, large, statistic) in
        [("mean", "Mean", Statistic::Mean), ("median", "Median", Statistic::Median)]
    {
        if let Some(estimate) = either(small, large) {
            match claim(estimate, statistic, benchmark.as_deref(), deviation) {
                Ok(found) => import.found.push(found),
                Err(left) => import.left.push(left),
            }
        }
    }
    if let Some(slope) = either("slope", "Slope").and_then(|slope| slope.get("point_estimate")) {
        let why =
            "is a slope of times over iterations, for which there is no statistic; the mean stands for it";
        import.left.push(Left::new(slope.at, format!("`slope` = {}", slope.described()), why));
    }
    Ok(import)
}

/// The folders below `criterion` and above the name of the baseline.
fn benchmark(name: &str) -> Option<String> {
    let parts: Vec<&str> = Path::new(name)
        .components()
        .filter_map(|part| match part {
            Component::Normal(part) => part.to_str(),
            _ => None,
        })
        .collect();
    let start = parts.iter().rposition(|part| *part == "criterion").map_or(0, |at| at + 1);
    let parts = parts.get(start..parts.len().checked_sub(2)?)?;
    (!parts.is_empty()).then(|| parts.join("/"))
}

fn claim(
    estimate: &Node,
    statistic: Statistic,
    benchmark: Option<&str>,
    deviation: &Node,
) -> Result<Found, Left> {
    let name = [benchmark.unwrap_or("benchmark"), statistic.name()];
    let Some(value) = estimate.get("point_estimate") else {
        return Err(Left::new(estimate.at, quoted(&name.join(" ")), "has no `point_estimate`"));
    };
    let text = value.text().unwrap_or("");
    let mut found = Found::read(value.at, &name, Metric::LatencyE2e, statistic, text)?;
    found.unit = UnitOf::Said("ns".to_owned());
    let interval = |key: &str| estimate.path(&["confidence_interval", key]).and_then(Node::text);
    let level = interval("confidence_level").map(number::float);
    match (level, interval("lower_bound"), interval("upper_bound")) {
        (Some(level), Some(lower), Some(upper)) if (level - 0.95).abs() < 1e-9 => {
            if let (Ok(lower), Ok(upper)) = (number::read(lower), number::read(upper)) {
                found.spread = Some(Spread::Ci95(lower.value, upper.value));
            }
        }
        (Some(level), ..) => {
            found.notes.push(format!("no spread: the interval is one of {level}, not of 0.95"))
        }
        _ => {}
    }
    if let Some(deviation) = deviation.get("point_estimate").and_then(Node::text) {
        found.notes.push(format!(
            "the standard deviation of the samples is {} ns",
            super::super::document::shown(deviation)
        ));
    }
    found.locator = Some(format!("{} {}", name.join(", "), "point_estimate"));
    Ok(found)
}
