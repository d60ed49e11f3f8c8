//! The ways in which requests can come, and what is wrong with a description of one.

use std::fmt;

use super::NS_PER_SECOND;

/// How requests come.
#[derive(Clone, Debug, PartialEq)]
pub enum Scenario {
    /// One request at a time; the next is due when the last has ended.
    SingleStream,
    /// All requests are due at the start.
    Offline,
    /// Each of `clients` has one request at a time and thinks between two.
    ClosedLoop {
        /// Clients, and so the most requests in flight.
        clients: usize,
        /// Time between an answer and the same client's next request.
        think: Think,
    },
    /// Requests come whether or not earlier ones have ended.
    OpenLoop {
        /// Requests per second, on average.
        rate: f64,
        /// How the gaps between them vary.
        arrivals: Arrivals,
    },
}

/// How the gaps of an open loop vary around their mean.
#[derive(Clone, Debug, PartialEq)]
pub enum Arrivals {
    /// All gaps are equal.
    Constant,
    /// Exponential gaps: many independent users.
    Poisson,
    /// Gamma gaps with mean `1 / rate` and squared coefficient of variation `1 / shape`.
    ///
    /// # Source
    /// vLLM `benchmarks/serve.py`, `--burstiness`: shape `b`, scale `1 / (rate * b)`. 1 is Poisson, smaller is burstier.
    Gamma {
        /// vLLM's burstiness.
        shape: f64,
    },
    /// Recorded due times in nanoseconds from the start, ascending; they are stretched to the scenario's rate, and not
    /// at all where that is [`trace_rate`].
    Trace(Vec<u64>),
}

/// What a client of a closed loop does between two requests.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Think {
    /// Nothing.
    None,
    /// It waits this many nanoseconds.
    Constant(u64),
    /// It waits an exponential time with this mean in nanoseconds.
    Exponential(u64),
}

/// Where a load ends. Requests that were sent before are waited for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    /// After this many requests.
    Requests(usize),
    /// No request is due at or after this many seconds.
    Seconds(f64),
}

/// Why a load cannot be made.
#[derive(Clone, Debug, PartialEq)]
pub enum LoadError {
    /// A rate that is not a positive finite number.
    Rate(f64),
    /// A closed loop without clients.
    NoClients,
    /// A gamma shape that is not a positive finite number.
    Shape(f64),
    /// A trace without two different times has no rate.
    ShortTrace(usize),
    /// The trace goes back in time at this index.
    TraceNotSorted(usize),
    /// More requests than the trace holds.
    TraceEnds {
        /// Requests that were asked for.
        asked: usize,
        /// Requests in the trace.
        holds: usize,
    },
    /// A load of no requests.
    NoRequests,
    /// A length that is not a positive finite number of seconds.
    Seconds(f64),
    /// An offline load has no length in time.
    OfflineSeconds,
    /// More requests than a run can hold.
    TooMany(f64),
}

impl fmt::Display for LoadError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LoadError::Rate(rate) => {
                write!(formatter, "draw a load of {rate} requests/s: give a positive, finite rate")
            }
            LoadError::NoClients => {
                formatter.write_str("draw a closed loop of 0 clients: give at least one client")
            }
            LoadError::Shape(shape) => {
                write!(formatter, "draw gamma gaps of shape {shape}: give a positive, finite shape (1 is Poisson)")
            }
            LoadError::ShortTrace(length) => write!(
                formatter,
                "replay a trace of {length} times: give at least two that differ, or its rate is unknown"
            ),
            LoadError::TraceNotSorted(index) => {
                write!(formatter, "replay a trace whose time {index} is before the one ahead of it: sort it")
            }
            LoadError::TraceEnds { asked, holds } => {
                write!(formatter, "replay {asked} requests of a trace that holds {holds}: ask for fewer")
            }
            LoadError::NoRequests => formatter.write_str("draw a load of 0 requests: ask for at least one"),
            LoadError::Seconds(seconds) => {
                write!(formatter, "draw a load of {seconds} seconds: give a positive, finite length")
            }
            LoadError::OfflineSeconds => formatter
                .write_str("draw an offline load of some seconds: all its requests are due at once, so give their number"),
            LoadError::TooMany(requests) => write!(
                formatter,
                "draw a load of about {requests:.0} requests: at most {MOST_REQUESTS} fit a run, so shorten it or lower the rate"
            ),
        }
    }
}

impl std::error::Error for LoadError {}

/// Due times are eight bytes each, so this many are 800 MB: more is a mistyped rate, not a benchmark.
pub(super) const MOST_REQUESTS: usize = 100_000_000;

/// Requests per second of a trace: its gaps over its length. Absent for fewer than two different times.
pub fn trace_rate(trace: &[u64]) -> Option<f64> {
    let (first, last) = (trace.first()?, trace.last()?);
    let length = last.checked_sub(*first).filter(|length| *length > 0)?;
    Some((trace.len() - 1) as f64 * NS_PER_SECOND / length as f64)
}

fn positive(value: f64) -> bool {
    value.is_finite() && value > 0.0
}

impl Scenario {
    /// Checks the scenario together with where it ends.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self, limit: Limit) -> Result<(), LoadError> {
        match limit {
            Limit::Requests(0) => return Err(LoadError::NoRequests),
            Limit::Requests(requests) if requests > MOST_REQUESTS => {
                return Err(LoadError::TooMany(requests as f64));
            }
            Limit::Seconds(seconds) if !positive(seconds) => return Err(LoadError::Seconds(seconds)),
            Limit::Requests(_) | Limit::Seconds(_) => {}
        }
        match self {
            Scenario::SingleStream => Ok(()),
            Scenario::Offline => match limit {
                Limit::Requests(_) => Ok(()),
                Limit::Seconds(_) => Err(LoadError::OfflineSeconds),
            },
            Scenario::ClosedLoop { clients: 0, .. } => Err(LoadError::NoClients),
            Scenario::ClosedLoop { .. } => Ok(()),
            Scenario::OpenLoop { rate, .. } if !positive(*rate) => Err(LoadError::Rate(*rate)),
            Scenario::OpenLoop { rate, arrivals } => {
                match limit {
                    Limit::Seconds(seconds) if rate * seconds > MOST_REQUESTS as f64 => {
                        return Err(LoadError::TooMany(rate * seconds));
                    }
                    Limit::Seconds(_) | Limit::Requests(_) => {}
                }
                match arrivals {
                    Arrivals::Constant | Arrivals::Poisson => Ok(()),
                    Arrivals::Gamma { shape } if positive(*shape) => Ok(()),
                    Arrivals::Gamma { shape } => Err(LoadError::Shape(*shape)),
                    Arrivals::Trace(trace) => check_trace(trace, limit),
                }
            }
        }
    }
}

fn check_trace(trace: &[u64], limit: Limit) -> Result<(), LoadError> {
    if let Some(before) = trace.windows(2).position(|pair| matches!(pair, [a, b] if b < a)) {
        return Err(LoadError::TraceNotSorted(before + 1));
    }
    match limit {
        _ if trace_rate(trace).is_none() => Err(LoadError::ShortTrace(trace.len())),
        Limit::Requests(asked) if asked > trace.len() => {
            Err(LoadError::TraceEnds { asked, holds: trace.len() })
        }
        Limit::Requests(_) | Limit::Seconds(_) => Ok(()),
    }
}
