//! What is asked of latencies under load, and whether it was met: words and numbers, no behaviour.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The time of a request that an objective bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObjectiveMetric {
    /// From due to the last of the answer.
    E2e,
    /// From due to the first token.
    Ttft,
    /// `(last - first) / (tokens - 1)`, as vLLM and MLPerf define it.
    TpotExclFirst,
    /// `(last - begin) / tokens`, as GuideLLM defines it.
    TpotInclFirst,
    /// The request's longest gap between two tokens.
    Itl,
}

impl fmt::Display for ObjectiveMetric {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            ObjectiveMetric::E2e => "e2e",
            ObjectiveMetric::Ttft => "ttft",
            ObjectiveMetric::TpotExclFirst => "tpot_excl_first",
            ObjectiveMetric::TpotInclFirst => "tpot_incl_first",
            ObjectiveMetric::Itl => "itl",
        })
    }
}

/// A share of requests that must take at most a time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Objective {
    /// Which time.
    pub metric: ObjectiveMetric,
    /// The share of requests, in (0, 1].
    pub quantile: f64,
    /// The bound in nanoseconds.
    pub at_most_ns: u64,
}

impl fmt::Display for Objective {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // 0.999 * 100 has a rounding error; nine digits show none and hide none that was written.
        let percent = format!("{:.9}", self.quantile * 100.0);
        let percent = percent.trim_end_matches('0').trim_end_matches('.');
        write!(formatter, "{} p{percent} <= {}ms", self.metric, self.at_most_ns as f64 / 1e6)
    }
}

/// How an objective fared under one load.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ObjectiveRow {
    /// The objective.
    pub objective: Objective,
    /// Requests inside its bound.
    pub inside: u64,
    /// Requests that were measured, failures among them.
    pub all: u64,
    /// Whether enough of them were inside.
    pub met: bool,
    /// Whether there were enough requests to bound the quantile from above at 95 %; without them a percentile is a lower
    /// bound only.
    pub enough: bool,
}
