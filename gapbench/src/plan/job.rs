//! What a parent tells a child: one case, one mode, and how long it may take.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::record::{CaseId, Conditions, Device};

/// What the child is to do with its case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobMode {
    /// Once, to see that it works.
    Test,
    /// Up to the first answer, from the start of the process.
    FirstAnswer,
    /// Warm up, then observe.
    Measure,
}

/// How long to observe. Seconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Budget {
    /// Run without recording.
    pub warm_up: f64,
    /// Record for this long at most...
    pub measure: f64,
    /// ...unless the statistic that will be judged needs more observations: then this long at most.
    pub at_most: f64,
    /// Stop early once the 95 % interval of the median is narrower than this share of it.
    pub relative_width: f64,
    /// Never fewer observations than this.
    pub min_observations: usize,
}

/// A child's task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// [`crate::record::PROTOCOL`].
    pub protocol: u32,
    /// `module::function`.
    pub function: String,
    /// The case.
    pub case: CaseId,
    /// Which value of each axis.
    pub axis_index: Vec<usize>,
    /// What to do.
    pub mode: JobMode,
    /// Nothing of that: say what the device of the run's kernels is, and measure its peaks.
    #[serde(default)]
    pub survey: bool,
    /// Latency and throughput are wanted.
    pub latency: bool,
    /// Quality is wanted.
    pub quality: bool,
    /// The cold start is wanted, and declared.
    pub cold_start: bool,
    /// The memory is wanted, and declared.
    pub memory: bool,
    /// How long.
    pub budget: Budget,
    /// Seed of everything random.
    pub seed: u64,
    /// The device of the run's kernels with its peaks, where it was surveyed.
    pub device: Option<Device>,
    /// What is known of the machine and of the case.
    pub conditions: Conditions,
    /// Where to write events.
    pub events: PathBuf,
}
