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
#[serde(tag = "kind", rename_all = "snake_case", try_from = "FlatData")]
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
    /// Two numbers per item, for a correlation.
    Pairs {
        /// What was computed here.
        ours: Vec<f64>,
        /// What it is held against.
        theirs: Vec<f64>,
    },
    /// A number that repeating cannot change, such as a file's size.
    Exact {
        /// The number.
        value: f64,
    },
}

/// [`Data`] as it is read: see `FlatOutcome` for why.
#[derive(Deserialize)]
struct FlatData {
    kind: Kind,
    values: Option<Vec<f64>>,
    calls_per_value: Option<u64>,
    batches: Option<Vec<Batch>>,
    successes: Option<u64>,
    trials: Option<u64>,
    ours: Option<Vec<f64>>,
    theirs: Option<Vec<f64>>,
    value: Option<f64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Values,
    Rates,
    Counts,
    Pairs,
    Exact,
}

impl TryFrom<FlatData> for Data {
    type Error = &'static str;

    fn try_from(flat: FlatData) -> Result<Data, &'static str> {
        match flat.kind {
            Kind::Values => match (flat.values, flat.calls_per_value) {
                (Some(values), Some(calls_per_value)) => Ok(Data::Values { values, calls_per_value }),
                _ => Err("data of kind `values` needs `values` and `calls_per_value`"),
            },
            Kind::Rates => match flat.batches {
                Some(batches) => Ok(Data::Rates { batches }),
                None => Err("data of kind `rates` needs `batches`"),
            },
            Kind::Counts => match (flat.successes, flat.trials) {
                (Some(successes), Some(trials)) => Ok(Data::Counts { successes, trials }),
                _ => Err("data of kind `counts` needs `successes` and `trials`"),
            },
            Kind::Pairs => match (flat.ours, flat.theirs) {
                (Some(ours), Some(theirs)) if ours.len() == theirs.len() => Ok(Data::Pairs { ours, theirs }),
                _ => Err("data of kind `pairs` needs `ours` and `theirs` of one length"),
            },
            Kind::Exact => match flat.value {
                Some(value) => Ok(Data::Exact { value }),
                None => Err("data of kind `exact` needs `value`"),
            },
        }
    }
}

/// One stretch of a rate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Batch {
    /// Work done, in the metric's unit times seconds (requests, bytes, operations).
    pub work: f64,
    /// Seconds it took.
    pub seconds: f64,
}
