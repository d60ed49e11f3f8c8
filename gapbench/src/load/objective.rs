//! Service-level objectives: `ttft p99 <= 200ms`, and whether requests meet them.

use std::fmt;
use std::str::FromStr;

use super::NS_PER_SECOND;
use crate::units::{Family, Unit};

pub use crate::record::{Objective, ObjectiveMetric};

/// Every metric with the word that names it. `tpot` is the definition that most tools share.
const METRICS: &[(&str, ObjectiveMetric)] = &[
    ("e2e", ObjectiveMetric::E2e),
    ("ttft", ObjectiveMetric::Ttft),
    ("tpot", ObjectiveMetric::TpotExclFirst),
    ("tpot_excl_first", ObjectiveMetric::TpotExclFirst),
    ("tpot_incl_first", ObjectiveMetric::TpotInclFirst),
    ("itl", ObjectiveMetric::Itl),
];

/// The times of one answered request in nanoseconds; what a request does not have is absent.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RequestTimes {
    /// From due to the end.
    pub e2e_ns: u64,
    /// From due to the first token.
    pub ttft_ns: Option<u64>,
    /// Time per token after the first.
    pub tpot_excl_first_ns: Option<f64>,
    /// Time per token, the first included.
    pub tpot_incl_first_ns: Option<f64>,
    /// Longest gap between two tokens.
    pub longest_gap_ns: Option<u64>,
}

impl Objective {
    /// Whether an answered request lies inside the bound. One without such a time does not exceed it: vLLM counts the
    /// TPOT of a single token as 0.
    #[inline]
    pub fn inside(&self, times: &RequestTimes) -> bool {
        let bound = self.at_most_ns;
        match self.metric {
            ObjectiveMetric::E2e => times.e2e_ns <= bound,
            ObjectiveMetric::Ttft => times.ttft_ns.unwrap_or(times.e2e_ns) <= bound,
            ObjectiveMetric::TpotExclFirst => {
                times.tpot_excl_first_ns.is_none_or(|time| time <= bound as f64)
            }
            ObjectiveMetric::TpotInclFirst => {
                times.tpot_incl_first_ns.is_none_or(|time| time <= bound as f64)
            }
            ObjectiveMetric::Itl => times.longest_gap_ns.is_none_or(|time| time <= bound),
        }
    }

    /// Whether `inside` of `all` requests meet the objective. Failed requests are among `all` and never inside.
    pub fn met(&self, inside: u64, all: u64) -> bool {
        all > 0 && inside as f64 >= self.quantile * all as f64
    }

    /// Requests that the quantile needs before its upper bound can be stated at 95 %.
    pub fn requests_needed(&self) -> Option<u64> {
        crate::stats::smallest_n_one_sided(self.quantile, 0.05)
    }
}

/// What is wrong with the text of an objective.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectiveError {
    text: String,
    problem: String,
}

impl fmt::Display for ObjectiveError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "read objective `{}`: {}; write one like `p99 <= 800ms` or `ttft p95 <= 0.2 s`",
            self.text, self.problem
        )
    }
}

impl std::error::Error for ObjectiveError {}

impl FromStr for Objective {
    type Err = ObjectiveError;

    fn from_str(text: &str) -> Result<Objective, ObjectiveError> {
        parse(text).map_err(|problem| ObjectiveError { text: text.to_owned(), problem })
    }
}

fn parse(text: &str) -> Result<Objective, String> {
    let (left, right) = text.split_once("<=").ok_or("there is no `<=`")?;
    let words: Vec<&str> = left.split_whitespace().collect();
    let (metric, quantile) = match words.as_slice() {
        [quantile] => (ObjectiveMetric::E2e, *quantile),
        [metric, quantile] => {
            let known = METRICS.iter().find(|(name, _)| name == metric);
            let names = || METRICS.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
            (known.ok_or_else(|| format!("`{metric}` is none of {}", names()))?.1, *quantile)
        }
        _ => return Err("left of `<=` stand an optional metric and a percentile".to_owned()),
    };
    let percent =
        quantile.strip_prefix('p').filter(|digits| digits.starts_with(|c: char| c.is_ascii_digit()));
    let percent: f64 = percent
        .and_then(|digits| digits.parse().ok())
        .ok_or_else(|| format!("`{quantile}` is no percentile such as p99 or p99.9"))?;
    if !(percent > 0.0 && percent <= 100.0) {
        return Err(format!("`{quantile}` is not above p0 and at most p100"));
    }
    Ok(Objective { metric, quantile: percent / 100.0, at_most_ns: nanoseconds(right.trim())? })
}

fn nanoseconds(text: &str) -> Result<u64, String> {
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let value: f64 = number.parse().map_err(|_| format!("`{text}` does not begin with a number"))?;
    let names = || Family::Time.names().join(", ");
    let unit = unit.trim();
    if unit.is_empty() {
        return Err(format!("`{text}` has no unit (one of {})", names()));
    }
    let known = Unit::parse(unit).ok().filter(|known| known.family == Family::Time);
    let known = known.ok_or_else(|| format!("`{unit}` is no unit of time (one of {})", names()))?;
    let bound = (value * known.factor * NS_PER_SECOND).round();
    // At least 1 ns and below 2^64 ns.
    if (1.0..1.8e19).contains(&bound) {
        Ok(bound as u64)
    } else {
        Err(format!("`{text}` is no time above zero"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objectives_are_read_and_shown() {
        for (text, metric, quantile, at_most_ns, shown) in [
            ("p99 <= 800ms", ObjectiveMetric::E2e, 0.99, 800_000_000, "e2e p99 <= 800ms"),
            ("ttft p95<=0.2 s", ObjectiveMetric::Ttft, 0.95, 200_000_000, "ttft p95 <= 200ms"),
            (
                " tpot  p99.9 <= 50 us ",
                ObjectiveMetric::TpotExclFirst,
                0.999,
                50_000,
                "tpot_excl_first p99.9 <= 0.05ms",
            ),
            ("itl p100 <= 1ms", ObjectiveMetric::Itl, 1.0, 1_000_000, "itl p100 <= 1ms"),
        ] {
            let read: Objective = text.parse().unwrap();
            assert_eq!(read.metric, metric);
            assert!((read.quantile - quantile).abs() < 1e-12);
            assert_eq!(read.at_most_ns, at_most_ns);
            assert_eq!(read.to_string(), shown);
            assert_eq!(shown.parse::<Objective>().unwrap(), read);
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, problem) in [
            ("p99 < 800ms", "there is no `<=`"),
            ("latency p99 <= 1s", "`latency` is none of e2e, ttft"),
            ("99 <= 1s", "`99` is no percentile"),
            ("pinf <= 1s", "`pinf` is no percentile"),
            ("p0 <= 1s", "not above p0"),
            ("p101 <= 1s", "at most p100"),
            ("a b c <= 1s", "left of `<=`"),
            ("p99 <= fast", "does not begin with a number"),
            ("p99 <= 800", "has no unit"),
            ("p99 <= 800 MB", "no unit of time"),
            ("p99 <= 0ms", "no time above zero"),
        ] {
            let error = text.parse::<Objective>().unwrap_err().to_string();
            assert!(error.contains(problem), "{text}: {error}");
        }
    }

    #[test]
    fn failures_miss_an_objective() {
        let objective: Objective = "p99 <= 10ms".parse().unwrap();
        assert!(objective.met(99, 100) && !objective.met(98, 100) && !objective.met(0, 0));
        assert!(objective.inside(&RequestTimes { e2e_ns: 10_000_000, ..RequestTimes::default() }));
        assert!(!objective.inside(&RequestTimes { e2e_ns: 10_000_001, ..RequestTimes::default() }));
        assert_eq!(objective.requests_needed(), Some(299));
    }
}
