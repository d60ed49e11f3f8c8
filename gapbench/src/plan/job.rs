//! What a parent tells a child: one case, one mode, and how long it may take.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::record::{CaseId, ColdLevel, Conditions, Device, LoadPoint, Objective};

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
    /// Answer requests as they come, under each load of [`Job::load`].
    Load,
}

/// Names an empty folder of a child that is to find no compiled device code, for the caches that its author names.
pub const JIT_CACHE_VARIABLE: &str = "GAPBENCH_CHILD_JIT_CACHE";

/// What to send to a served model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoadJob {
    /// The loads, in order.
    pub points: Vec<LoadPoint>,
    /// The arrivals of a search for the largest rate, after the loads.
    pub search: Option<LoadPoint>,
    /// What is asked of the latencies.
    pub objectives: Vec<Objective>,
    /// Seconds that each load lasts, its last answers not counted...
    pub seconds: f64,
    /// ...or as long as it takes to send this many requests after the warm-up...
    pub requests: u64,
    /// ...but no longer than this many seconds.
    pub at_most: f64,
    /// Seconds of requests that are sent first and not measured.
    pub warm_up: f64,
    /// Seconds after which a request has timed out.
    pub timeout_seconds: f64,
    /// Runs that each rate of a search has to pass.
    pub repeats: u32,
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
    /// How cold this start is, where one is to be followed.
    pub cold_start: Option<ColdLevel>,
    /// The memory is wanted, and declared.
    pub memory: bool,
    /// Loads to send; absent where none are wanted.
    #[serde(default)]
    pub load: Option<LoadJob>,
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
