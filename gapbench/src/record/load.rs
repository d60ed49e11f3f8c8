//! Loads and what came of them, as they stand in a record: words and numbers, no behaviour.
//!
//! Knows nothing of how requests are sent: a schedule is drawn from a [`LoadPoint`] by whoever sends it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Condition, Conditions, InputSet, ObjectiveRow, PairsRow};
use crate::units;

/// How requests come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Arrival {
    /// All requests are due at the start.
    Offline,
    /// Each client has one request at a time.
    Closed,
    /// An open loop with equal gaps.
    Constant,
    /// An open loop with exponential gaps: many independent users.
    Poisson,
    /// An open loop with gamma gaps; see [`LoadPoint::shape`].
    Gamma,
    /// The arrival times of the input set, stretched to the rate.
    Trace,
}

impl Arrival {
    /// Every word.
    pub const ALL: &'static [Arrival] = &[
        Arrival::Offline,
        Arrival::Closed,
        Arrival::Constant,
        Arrival::Poisson,
        Arrival::Gamma,
        Arrival::Trace,
    ];

    /// The word, which is also the value of the condition `load`.
    pub const fn name(self) -> &'static str {
        match self {
            Arrival::Offline => "offline",
            Arrival::Closed => "closed",
            Arrival::Constant => "constant",
            Arrival::Poisson => "poisson",
            Arrival::Gamma => "gamma",
            Arrival::Trace => "trace",
        }
    }
}

/// One load: how requests come, and how many or how fast.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoadPoint {
    /// How requests come.
    pub arrival: Arrival,
    /// Clients of a closed loop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clients: Option<u32>,
    /// Seconds that a client thinks between an answer and its next request, on average.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub think_seconds: Option<f64>,
    /// Requests per second of an open loop; absent for a trace at its own rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
    /// Shape of gamma gaps: 1 is Poisson, smaller is burstier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shape: Option<f64>,
}

impl LoadPoint {
    /// A load of nothing but its kind.
    pub const fn new(arrival: Arrival) -> LoadPoint {
        LoadPoint { arrival, clients: None, think_seconds: None, rate: None, shape: None }
    }

    /// The conditions of what is measured under it: those of a single stream are replaced.
    #[must_use]
    pub fn conditions(&self, mut base: Conditions) -> Conditions {
        for replaced in [Condition::Load, Condition::Concurrency, Condition::Rate] {
            base.known.remove(&replaced);
        }
        let base = base.with(Condition::Load, self.arrival.name());
        let base = match self.clients {
            Some(clients) => base.with(Condition::Concurrency, f64::from(clients)),
            None => base,
        };
        match self.rate {
            Some(rate) => base.with(Condition::Rate, rate),
            None => base,
        }
    }
}

impl fmt::Display for LoadPoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.arrival, self.clients, self.rate) {
            (Arrival::Offline, ..) => formatter.write_str("offline"),
            (Arrival::Closed, Some(1), _) => formatter.write_str("1 client"),
            (Arrival::Closed, clients, _) => write!(formatter, "{} clients", clients.unwrap_or(0)),
            (Arrival::Trace, _, None) => formatter.write_str("trace"),
            (arrival, _, rate) => {
                let rate = rate.unwrap_or(0.0);
                // What a person wrote stays as it is; what a search tried has no more than three digits worth reading.
                let whole = rate.fract() == 0.0 && rate < 1e9;
                let rate = if whole { format!("{rate}") } else { units::show_significant(rate, 3) };
                write!(formatter, "{rate} /s {}", arrival.name())
            }
        }
    }
}

/// A time of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeOf {
    /// From due to the end.
    Latency,
    /// From due to the service's beginning.
    Queue,
    /// From the service's beginning to the end: what counting from the sending would show.
    Service,
    /// How late the generator was.
    SendLag,
    /// From due to the first token.
    Ttft,
    /// Gaps between tokens, pooled over requests.
    Itl,
    /// `(last - first) / (tokens - 1)`.
    TpotExclFirst,
    /// `(last - begin) / tokens`.
    TpotInclFirst,
}

/// A distribution of times in seconds. A quantile that the number of observations cannot bound from above at 95 % is
/// absent.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TimesRow {
    /// Which times.
    pub of: TimeOf,
    /// How many.
    pub n: u64,
    /// Exact mean.
    pub mean: f64,
    /// The 0.5 quantile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p50: Option<f64>,
    /// The 0.95 quantile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p95: Option<f64>,
    /// The 0.99 quantile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p99: Option<f64>,
    /// The 0.999 quantile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p99_9: Option<f64>,
    /// The largest.
    pub max: f64,
}

/// An identity that holds in every run, and whether it did in this one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckRow {
    /// The identity as a formula.
    pub name: String,
    /// Its left side.
    pub left: f64,
    /// Its right side.
    pub right: f64,
    /// Whether they agree.
    pub holds: bool,
}

/// Failures of one class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureClass {
    /// The error's text; a panic begins with `panicked`.
    pub class: String,
    /// How often.
    pub count: u64,
}

/// How the requests of a load ended, warm-up excluded where not stated.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadCounts {
    /// Requests that were sent, warm-up included.
    pub issued: u64,
    /// Requests of the warm-up.
    pub warm_up: u64,
    /// Answered.
    pub completed: u64,
    /// Failed or panicked.
    pub failed: u64,
    /// Refused.
    pub refused: u64,
    /// Not answered in time.
    pub timed_out: u64,
    /// Failures per class, the most frequent first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<FailureClass>,
}

impl LoadCounts {
    /// Requests that were measured and not answered.
    pub fn lost(&self) -> u64 {
        self.failed + self.refused + self.timed_out
    }

    /// Requests that were measured.
    pub fn measured(&self) -> u64 {
        self.completed + self.lost()
    }
}

/// A stretch of a closed loop in which at least 0.95 of its clients had a request in flight.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SteadyRow {
    /// Its length in seconds.
    pub seconds: f64,
    /// Requests that ended inside, per second.
    pub per_second: f64,
}

/// What came of one load.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoadRow {
    /// The load.
    pub point: LoadPoint,
    /// Whose inputs were sent.
    pub inputs: InputSet,
    /// Whether it was a step of the search for the largest rate.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub searching: bool,
    /// Why its numbers mean nothing: the generator did not keep the schedule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invalid: Option<String>,
    /// How the requests ended.
    pub counts: LoadCounts,
    /// Requests per second of the schedule as drawn; absent for closed loops and where all are due at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offered_per_second: Option<f64>,
    /// The sending rate over the intended one; absent likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub achieved_share: Option<f64>,
    /// Seconds from the first measured due time to the last end.
    pub window_seconds: f64,
    /// Answered requests per second of the window.
    pub throughput_per_second: f64,
    /// Answered requests inside every objective, per second of the window; absent without objectives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goodput_per_second: Option<f64>,
    /// Tokens per second of the window; absent where no answer had any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_per_second: Option<f64>,
    /// Each objective.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objectives: Vec<ObjectiveRow>,
    /// The times, of answered requests.
    pub times: Vec<TimesRow>,
    /// Seconds by which latencies grow per second of an open loop, by least squares over the due times: 0 where the
    /// service keeps up, the excess of the load where it does not. Absent for other loads, and where single requests were
    /// not kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub growth: Option<f64>,
    /// Requests in the system on average; absent where nobody looked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_system_mean: Option<f64>,
    /// Most requests in the system at once; absent likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_system_most: Option<u64>,
    /// When a closed loop was steady; absent for other loads, and where its clients were never in flight together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steady: Option<SteadyRow>,
    /// Bytes by which resident memory was larger after the load than before it; absent where it was not, and where memory
    /// is not wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_growth_bytes: Option<u64>,
    /// Workers of the service.
    pub workers: u64,
    /// Share of the workers' time in which they were with a request.
    pub utilisation: f64,
    /// Workers that hung and were replaced.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub replaced_workers: u64,
    /// Batches that were served; absent for a service without batches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batches: Option<u64>,
    /// The same items alone and under this load; absent where nothing could be graded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pairs: Option<PairsRow>,
    /// Identities that must hold; those that this load can test.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<CheckRow>,
    /// The scheduling class of the sending threads, and why a better one was refused.
    pub scheduling: String,
    /// Share of the machine's processor time that other programs took meanwhile; absent where the system does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub others_share: Option<f64>,
}

#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// What a run itself may leave behind: the times of its requests and the memory of its threads.
const LEAST_LEAK_BYTES: u64 = 16 << 20;

/// Each request's times take 64 bytes; an answer that is kept is longer.
const LEAST_LEAK_PER_REQUEST: f64 = 1024.0;

/// An overload of 2 % is below what a search tells apart (5 %), and at what the rate of a service differs from run to run.
const LEAST_GROWTH: f64 = 0.02;

impl LoadRow {
    /// The distribution of one time, where measured.
    pub fn times(&self, of: TimeOf) -> Option<&TimesRow> {
        self.times.iter().find(|times| times.of == of)
    }

    /// Whether an open loop brings more than the service can do: latencies grow by more than chance lets them.
    pub fn falls_behind(&self) -> bool {
        // What waits changes at random by about the square root of the requests that came, as a share of their number.
        let chance = 2.0 / (self.counts.completed.max(1) as f64).sqrt();
        self.growth.is_some_and(|growth| growth > chance.max(LEAST_GROWTH))
    }

    /// Bytes per request by which resident memory grew, where that is more than measuring takes: a leak, or a cache that
    /// fills.
    pub fn leaks_per_request(&self) -> Option<f64> {
        let grown = self.host_growth_bytes.filter(|bytes| *bytes > LEAST_LEAK_BYTES)? as f64;
        let each = grown / self.counts.issued.max(1) as f64;
        (each > LEAST_LEAK_PER_REQUEST).then_some(each)
    }

    /// Whether it is valid and every objective was met; absent without objectives.
    pub fn meets_objectives(&self) -> Option<bool> {
        let all = self.objectives.iter().all(|objective| objective.met);
        (!self.objectives.is_empty()).then_some(all && self.invalid.is_none())
    }
}

/// What a search for the largest sustained rate found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SearchRow {
    /// The largest rate at which every repeat met the objectives and below which nothing failed; absent where none did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_passing: Option<f64>,
    /// The smallest rate that failed; absent where the largest rate tried passed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_failing: Option<f64>,
    /// A rate that failed although the same or a larger one passed; absent where there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_monotone_at: Option<f64>,
    /// Why it ended early; absent where it ended by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut_short: Option<String>,
    /// Runs per rate that all had to pass.
    pub repeats: u32,
}
