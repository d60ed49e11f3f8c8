//! `mlperf_log_summary.txt`, which LoadGen writes: `key : value` in sections. A run that LoadGen calls invalid, or that
//! measured no performance, has no claims.

use std::collections::BTreeMap;

use gapbench::record::{Condition, Metric, Statistic};

use super::super::claim::{Found, Import, Left, Publication, UnitOf};
use super::super::document::{Place, Refusal, quoted};
use super::{Known, Source};

/// The heading below which parameters stand.
const PARAMETERS: &str = "Test Parameters Used";

struct Line<'t> {
    key: &'t str,
    value: &'t str,
    at: Place,
}

/// Reads the file.
pub(super) fn read(source: Source<'_>, _: &Known) -> Result<Import, Refusal> {
    let (results, parameters) = sections(source.text);
    let end = Place { line: source.text.lines().count().max(1), column: 1 };
    let head = |key: &str| {
        results.iter().find(|line| line.key == key).ok_or_else(|| {
            Refusal::at(
                end,
                format!("the file ends and has no {}; expected a whole summary of LoadGen, which a run of its accuracy does not write", quoted(key)),
            )
        })
    };
    let (scenario, mode, verdict) = (head("Scenario")?, head("Mode")?, head("Result is")?);
    let system = results.iter().find(|line| line.key == "SUT name").map_or("LoadGen", |line| line.value);
    let mut import = Import {
        paper: Publication {
            title: format!("MLPerf LoadGen: {system}, {}", scenario.value),
            ..Publication::default()
        },
        ..Import::default()
    };
    let refused = if mode.value != "PerformanceOnly" {
        Some(format!("is of mode {}, which measures no performance", quoted(mode.value)))
    } else if verdict.value != "VALID" {
        Some(format!("is of a run that LoadGen calls {}", quoted(verdict.value)))
    } else {
        None
    };
    for line in &results {
        let Some(known) = known(line.key) else { continue };
        let what = || format!("{} = {}", quoted(line.key), quoted(line.value));
        match (known, &refused) {
            (Err(why), _) => import.left.push(Left::new(line.at, what(), why)),
            (Ok(_), Some(why)) => import.left.push(Left::new(line.at, what(), why.clone())),
            (Ok((metric, statistic)), None) => {
                match claim(line, metric, statistic, scenario.value, &parameters) {
                    Ok(found) => import.found.push(found),
                    Err(left) => import.left.push(left),
                }
            }
        }
    }
    if refused.is_none() {
        let load = match scenario.value {
            "SingleStream" | "Server" | "Offline" => None,
            other => Some(format!("`load` is left out: the scenario {} has no word for it", quoted(other))),
        };
        import.notes.extend(load);
        import.notes.push(
            "assumed: an answered sample of LoadGen is taken as a request; model and hardware stand in the submission's other files"
                .to_owned(),
        );
    }
    Ok(import)
}

/// The lines with results, and the parameters.
fn sections(text: &str) -> (Vec<Line<'_>>, BTreeMap<&str, &str>) {
    let (mut results, mut parameters) = (Vec::new(), BTreeMap::new());
    let mut of_parameters = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim() == PARAMETERS {
            of_parameters = true;
        }
        let Some((key, value)) = line.split_once(':') else { continue };
        let (key, value) = (key.trim(), value.trim());
        let before = line.find(value).filter(|_| !value.is_empty()).unwrap_or(0);
        let column = line.get(..before).map_or(0, |start| start.chars().count()) + 1;
        if of_parameters {
            parameters.insert(key, value);
        } else {
            results.push(Line { key, value, at: Place { line: index + 1, column } });
        }
    }
    (results, parameters)
}

type What = Result<(Metric, Statistic), String>;

/// What a key means; of keys that are no results, nothing.
fn known(key: &str) -> Option<What> {
    let lower = key.to_lowercase();
    match lower.as_str() {
        "samples per second" | "completed samples per second" => {
            return Some(Ok((Metric::ThroughputRequests, Statistic::Mean)));
        }
        "tokens per second" | "completed tokens per second" => {
            return Some(Ok((Metric::ThroughputTokens, Statistic::Mean)));
        }
        "scheduled samples per second" => return Some(Err("is the schedule, not a result".to_owned())),
        _ if lower.starts_with("qps ") => {
            return Some(Err("is the inverse of a mean latency, which stands beside it".to_owned()));
        }
        _ => {}
    }
    // The head line of a single stream of a language model has its words in another order.
    let lower = lower.replace("first token percentile latency", "percentile first token latency");
    let name = lower.strip_suffix("(ns)")?.trim_end();
    let (of, metric) = [
        ("first token latency", Metric::LatencyTtft),
        ("time to output token", Metric::LatencyTpot),
        ("time per output token", Metric::LatencyTpot),
        ("latency", Metric::LatencyE2e),
    ]
    .into_iter()
    .find_map(|(words, metric)| name.strip_suffix(words).map(|of| (of.trim_end(), metric)))?;
    let statistic = match of.strip_suffix("percentile").map(|level| level.trim().trim_end_matches("th")) {
        Some(level) => match level.parse::<f64>() {
            Ok(level) => Statistic::ALL.iter().copied().find(|statistic| {
                statistic.quantile().is_some_and(|quantile| (quantile * 100.0 - level).abs() < 1e-9)
            }),
            Err(_) => None,
        },
        None => Statistic::parse(of),
    };
    Some(statistic.map(|statistic| (metric, statistic)).ok_or_else(|| {
        let names: Vec<_> = Statistic::ALL.iter().map(|statistic| statistic.name()).collect();
        format!("is none of the statistics {}", names.join(", "))
    }))
}

fn claim(
    line: &Line<'_>,
    metric: Metric,
    statistic: Statistic,
    scenario: &str,
    parameters: &BTreeMap<&str, &str>,
) -> Result<Found, Left> {
    let mut found =
        Found::read(line.at, &[scenario, metric.name(), statistic.name()], metric, statistic, line.value)?;
    found.unit = UnitOf::Said(
        match metric {
            Metric::ThroughputRequests => "samples/s",
            Metric::ThroughputTokens => "tokens/s",
            _ => "ns",
        }
        .to_owned(),
    );
    let load = match scenario {
        "SingleStream" => Some("single-stream"),
        "Server" => Some("poisson"),
        "Offline" => Some("offline"),
        _ => None,
    };
    found.text(Condition::Load, load);
    match scenario {
        "SingleStream" => found.number(Condition::Concurrency, Some("1")),
        "Server" => found.number(Condition::Rate, parameters.get("target_qps").copied()),
        "MultiStream" => found.number(Condition::Batch, parameters.get("samples_per_query").copied()),
        _ => {}
    }
    found.text(Condition::Harness, Some("MLPerf LoadGen"));
    found.locator = Some(line.key.to_owned());
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_several_versions() {
        let is = |key: &str| known(key).unwrap().unwrap();
        assert_eq!(is("90.0th percentile latency (ns)"), (Metric::LatencyE2e, Statistic::P90));
        assert_eq!(is("99.90 percentile first token latency (ns)"), (Metric::LatencyTtft, Statistic::P999));
        assert_eq!(is("90.0th first token percentile latency (ns)"), (Metric::LatencyTtft, Statistic::P90));
        assert_eq!(is("Min Time to Output Token (ns)"), (Metric::LatencyTpot, Statistic::Min));
        assert_eq!(is("Mean Time per Output Token (ns)"), (Metric::LatencyTpot, Statistic::Mean));
        assert!(known("42.00 percentile latency (ns)").unwrap().is_err());
        assert!(known("qsl_rng_seed").is_none() && known("SUT name").is_none());
    }
}
