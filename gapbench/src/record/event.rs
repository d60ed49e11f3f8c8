//! What a child says to its parent: one enum, one JSON object per line, on a file that the benchmark's own prints
//! cannot reach.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Device, LoadRow, NoiseRow, Note, SearchRow, Series, Timing};

/// Version of the conversation. Parent and child are the same binary, so another number means a foreign file.
pub const PROTOCOL: u32 = 1;

/// One message of a child. Times are nanoseconds of the system's monotonic clock, which all processes share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// First message: `main` was reached.
    Started {
        /// [`PROTOCOL`].
        protocol: u32,
        /// When `main` was reached.
        at_ns: u64,
    },
    /// A named phase of loading ended.
    Phase {
        /// The author's name for it.
        name: String,
        /// When it began.
        start_ns: u64,
        /// When it ended.
        end_ns: u64,
    },
    /// The first request was answered.
    FirstAnswer {
        /// When it was asked.
        start_ns: u64,
        /// When it was answered.
        end_ns: u64,
    },
    /// The model's files, which a colder start has to read anew.
    ModelFiles {
        /// Absolute, or relative to the folder that all children begin in.
        files: Vec<PathBuf>,
    },
    /// Observations.
    Series(Series),
    /// Contention of the measured loop.
    Timing(Timing),
    /// A load was sent, and what came of it.
    Load(Box<LoadRow>),
    /// Inputs were answered with noise.
    Noise(Box<NoiseRow>),
    /// A search for the largest rate ended.
    Search(SearchRow),
    /// What a kernel runs on.
    Device(Device),
    /// Something worth knowing.
    Note(Note),
    /// The benchmark declined, for a reason.
    Skipped {
        /// A sentence.
        reason: String,
        /// The device whose absence is the reason.
        absent_device: Option<String>,
    },
    /// The benchmark failed by itself: an error, a panic or a wrong answer.
    Failed {
        /// `error`, `panic` or `wrong_answer`.
        kind: super::FailureKind,
        /// A sentence.
        reason: String,
    },
    /// Last message of a child that did its work. Without it the child did not finish.
    Finished,
}
