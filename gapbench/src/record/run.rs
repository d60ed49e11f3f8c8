//! A whole run: a header, one row per case, and an end that is only written when nothing was cut short.

use serde::{Deserialize, Serialize};

use super::{CaseRow, Environment};

/// The bench target a run belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Target {
    /// The cargo package.
    pub package: String,
    /// The bench target (the crate name of the bench binary).
    pub bench: String,
}

impl std::fmt::Display for Target {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}/{}", self.package, self.bench)
    }
}

/// First line of a record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// Always [`super::SCHEMA`].
    pub schema: String,
    /// Always [`super::VERSION`] when written; a reader refuses newer ones.
    pub version: u32,
    /// Unique within the results folder, sorts by time.
    pub run_id: String,
    /// Which bench target ran.
    pub target: Target,
    /// Seconds since 1970-01-01 UTC.
    pub started_unix: u64,
    /// `smoke`, `quick` or `full`.
    pub profile: String,
    /// Seed of everything random.
    pub seed: u64,
    /// How many cases were planned; fewer rows mean that the run was cut short.
    pub planned: usize,
    /// The system under test.
    pub environment: Environment,
}

/// Last line of a complete record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct End {
    /// `complete`, or `interrupted` when the user stopped the run.
    pub status: String,
    /// Seconds the run took.
    pub wall_seconds: f64,
}

/// A run as read back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The header.
    pub header: Header,
    /// The rows, in the order run.
    pub rows: Vec<CaseRow>,
    /// The end; absent when the run was cut short.
    pub end: Option<End>,
}

impl Record {
    /// Whether every planned case has its row.
    pub fn is_complete(&self) -> bool {
        self.end.as_ref().is_some_and(|end| end.status == "complete")
            && self.rows.len() >= self.header.planned
    }
}
