//! How cold a cold start is: what of an earlier one is gone.
//!
//! Knows nothing of how a process is made that cold.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a fresh process does not find of an earlier one. Each level lacks what the one before it lacks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColdLevel {
    /// A process that runs. Files may be in the system's page cache, and compiled device code in its caches.
    #[default]
    Process,
    /// Code that was compiled for the device at run time, too.
    Jit,
    /// The model's files in the page cache, too: they are read from storage.
    Disk,
}

impl ColdLevel {
    /// Every level, the warmest first.
    pub const ALL: &'static [ColdLevel] = &[ColdLevel::Process, ColdLevel::Jit, ColdLevel::Disk];

    /// The word of the attribute, of the condition `cold` and of a record.
    pub const fn name(self) -> &'static str {
        match self {
            ColdLevel::Process => "process",
            ColdLevel::Jit => "jit",
            ColdLevel::Disk => "disk",
        }
    }

    /// What a record does not say, since records are older than levels.
    pub(super) fn is_process(&self) -> bool {
        *self == ColdLevel::Process
    }
}

impl fmt::Display for ColdLevel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
