//! What a load is, as data: scenarios, schedules drawn before the run, objectives, and the search for the largest rate.
//!
//! Knows no clock, no threads and no service: the same seed gives the same load everywhere, and
//! [`simulate`] plays one against a queue of known behaviour without waiting.

mod objective;
mod scenario;
mod schedule;
mod search;
pub mod simulate;

pub use objective::{Objective, ObjectiveError, ObjectiveMetric, RequestTimes};
pub use scenario::{Arrivals, Limit, LoadError, Scenario, Think, trace_rate};
pub use schedule::{Draw, Schedule, schedule};
pub use search::{Found, Monotone, Search, SearchError};

/// Nanoseconds in a second.
pub(crate) const NS_PER_SECOND: f64 = 1e9;
