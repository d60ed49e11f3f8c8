//! One row of a record: a case, how it ended, and what was observed.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{ColdLevel, Data, Device, LoadRow, NoiseRow, SearchRow, Series};

/// The name of a case: `module::function` and, where the function has axes, `::axis=value,axis=value`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CaseId(pub String);

impl fmt::Display for CaseId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// How a case ended. A case that was asked for always has a row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case", try_from = "FlatOutcome")]
pub enum Outcome {
    /// Observations were made.
    Measured,
    /// No number, and why.
    Failed(Failure),
    /// Not run on purpose, and why.
    Skipped {
        /// A sentence.
        reason: String,
        /// The device whose absence is the reason, if that is the reason.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        absent_device: Option<String>,
    },
}

/// An [`Outcome`] as it is read. serde reads a tagged enum through a copy of the whole value, and the code for that is
/// what every bench binary would be built with.
#[derive(Deserialize)]
struct FlatOutcome {
    status: Status,
    kind: Option<FailureKind>,
    reason: Option<String>,
    #[serde(default)]
    stderr_tail: Vec<String>,
    absent_device: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    Measured,
    Failed,
    Skipped,
}

impl TryFrom<FlatOutcome> for Outcome {
    type Error = &'static str;

    fn try_from(flat: FlatOutcome) -> Result<Outcome, &'static str> {
        let FlatOutcome { status, kind, reason, stderr_tail, absent_device } = flat;
        match (status, kind, reason) {
            (Status::Measured, _, _) => Ok(Outcome::Measured),
            (Status::Failed, Some(kind), Some(reason)) => {
                Ok(Outcome::Failed(Failure { kind, reason, stderr_tail }))
            }
            (Status::Skipped, _, Some(reason)) => Ok(Outcome::Skipped { reason, absent_device }),
            (Status::Failed, ..) => Err("a failed case needs `kind` and `reason`"),
            (Status::Skipped, ..) => Err("a skipped case needs a `reason`"),
        }
    }
}

/// Why a case has no number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// What class of end it was.
    pub kind: FailureKind,
    /// A sentence for a person.
    pub reason: String,
    /// The last lines of the child's standard error, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stderr_tail: Vec<String>,
}

/// The classes of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// The benchmark function returned an error.
    Error,
    /// The benchmark function panicked.
    Panic,
    /// A signal ended the child: abort, segmentation fault, or a kill from outside.
    Signal,
    /// The child ended by itself without having finished.
    Exit,
    /// The deadline passed.
    Timeout,
    /// An answer was wrong: no number without a right answer.
    WrongAnswer,
    /// A required device is absent.
    DeviceAbsent,
    /// The child could not be started, or what it reported could not be read.
    Harness,
}

/// A named stretch of the time from the start of the process to its first answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Phase {
    /// The author's name, a device crate's, or ours: `spawn to main`, `reading the job`, `reading inputs`,
    /// `first answer`, `unaccounted`.
    pub name: String,
    /// Of which cold start; a record from before there were levels has `process` only.
    #[serde(default, skip_serializing_if = "ColdLevel::is_process")]
    pub level: ColdLevel,
    /// Seconds, one per fresh process.
    pub seconds: Vec<f64>,
}

impl Phase {
    /// Its name, with the level in front where that is not a fresh process: `jit: module`.
    pub fn title(&self) -> String {
        match self.level {
            ColdLevel::Process => self.name.clone(),
            level => format!("{level}: {}", self.name),
        }
    }
}

/// How much of the wall time the measured thread really ran.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Timing {
    /// Wall seconds of the measured loop.
    pub wall_seconds: f64,
    /// Processor seconds of the measured thread in that time.
    pub cpu_seconds: f64,
    /// Seconds the thread was ready to run and another had its processor, where the kernel tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waited_seconds: Option<f64>,
    /// How often the kernel took the processor away from it.
    pub involuntary_switches: u64,
}

impl Timing {
    /// Above this ratio a loop counts as disturbed. Every disturbed run of an experiment on a contended machine lay
    /// between 1.17 and 6.1; see `docs/METHODOLOGY.md`, "Contention".
    pub const CONTENDED_ABOVE: f64 = 1.1;

    /// How much longer the loop took than it would have without waiting for a processor: 1 when nobody else ran where
    /// we were timing. A thread that sleeps by itself does not wait.
    ///
    /// Where the kernel does not say how long the thread waited, wall over processor time stands in, which sleeping
    /// raises too.
    pub fn pressure(&self) -> Option<f64> {
        let undisturbed = self.waited_seconds.map_or(self.cpu_seconds, |waited| self.wall_seconds - waited);
        (undisturbed > 0.0).then(|| self.wall_seconds / undisturbed)
    }

    /// Whether other work ran where we were timing, so that a slow time or a tail may be the machine's.
    pub fn contended(&self) -> bool {
        self.involuntary_switches > 0
            && self.pressure().is_some_and(|pressure| pressure > Timing::CONTENDED_ABOVE)
    }
}

/// Something a reader of the numbers should know, such as contention or answers that changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Note {
    /// A stable word for programs: `contended`, `batched`, `answers_differ`, `failed_requests`, `not_graded`,
    /// `throttled`, `roofline`, `checked`, `not_cold`.
    pub code: String,
    /// A sentence for a person.
    pub text: String,
}

impl CaseRow {
    /// The row without its observations: what a run of many cases keeps in memory once the row is on disk.
    #[must_use]
    pub fn outline(mut self) -> CaseRow {
        for series in &mut self.series {
            match &mut series.data {
                Data::Values { values, .. } => *values = Vec::new(),
                Data::Rates { batches } => *batches = Vec::new(),
                Data::Pairs { ours, theirs } => {
                    *ours = Vec::new();
                    *theirs = Vec::new();
                }
                Data::Counts { .. } | Data::Exact { .. } => {}
            }
        }
        self
    }
}

/// One case of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CaseRow {
    /// Which case.
    pub case: CaseId,
    /// `module::function` of its declaration.
    pub function: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Everything observed, failed cases included: what was measured before a failure is kept.
    #[serde(default)]
    pub series: Vec<Series>,
    /// Cold-start phases, where measured; those of a level sum to the total of its `cold.total`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub phases: Vec<Phase>,
    /// Kinds of noise in the order measured, where any were.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub noise: Vec<NoiseRow>,
    /// Loads in the order sent, where any were.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub loads: Vec<LoadRow>,
    /// What a search for the largest rate found, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<SearchRow>,
    /// Contention of the measured loop, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timing: Option<Timing>,
    /// The device it ran on, where it ran on one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<Device>,
    /// What a reader should know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
    /// Seconds the whole case took, processes included.
    pub wall_seconds: f64,
}
