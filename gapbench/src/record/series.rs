//! Raw observations of one metric under one set of conditions.

use serde::{Deserialize, Serialize};

use super::{Conditions, Metric};

/// What was observed. Every number is in the canonical unit of the metric's family.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// What was measured.
    pub metric: Metric,
    /// On which inputs, where inputs matter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inputs: Option<InputSet>,
    /// Under which conditions; those of the whole case included.
    pub conditions: Conditions,
    /// The observations.
    pub data: Data,
}

/// Whose inputs were used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InputSet {
    /// The paper's own set (`benchmark = "..."`).
    Paper,
    /// The user's set (`inputs = "..."`).
    Own,
}

/// The shapes in which observations come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Data {
    /// One number per observation, in the order observed.
    Values {
        /// The observations.
        values: Vec<f64>,
        /// How many calls each observation is the mean of: 1, unless a single call is too short to time.
        calls_per_value: u64,
    },
    /// Work done in consecutive stretches of time: a rate whose mean is total work over total time.
    Rates {
        /// The stretches, in order.
        batches: Vec<Batch>,
    },
    /// Successes among trials.
    Counts {
        /// Trials that succeeded.
        successes: u64,
        /// All trials, failures of the system included.
        trials: u64,
    },
    /// A number that repeating cannot change, such as a file's size.
    Exact {
        /// The number.
        value: f64,
    },
}

/// One stretch of a rate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Batch {
    /// Work done, in the metric's unit times seconds (requests, bytes, operations).
    pub work: f64,
    /// Seconds it took.
    pub seconds: f64,
}
