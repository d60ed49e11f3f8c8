//! What a user can choose about a run, as typed values; the words themselves belong to the command line.

use std::time::Duration;

use regex::Regex;

use crate::record::{LoadPoint, Objective};
use crate::stats;

/// What to do with the selected cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Measure (`cargo bench`).
    Bench,
    /// Run each case once to see that it works (`cargo test --benches`, nextest).
    Test,
}

/// How much time to spend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// Enough to see that everything works; intervals are wide.
    Smoke,
    /// A verdict within seconds per case.
    Quick,
    /// Narrow intervals.
    Full,
}

impl Profile {
    /// Every profile.
    pub const ALL: &'static [Profile] = &[Profile::Smoke, Profile::Quick, Profile::Full];

    /// The word on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Profile::Smoke => "smoke",
            Profile::Quick => "quick",
            Profile::Full => "full",
        }
    }
}

/// A kind of measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Time per call or request, and throughput.
    Latency,
    /// Fresh processes to the first answer.
    ColdStart,
    /// Peak memory of the process.
    Memory,
    /// Answers against the expected ones.
    Quality,
    /// Latency and throughput of many requests at a time.
    Load,
}

impl Part {
    /// Every part.
    pub const ALL: &'static [Part] =
        &[Part::Latency, Part::ColdStart, Part::Memory, Part::Quality, Part::Load];

    /// The word on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Part::Latency => "latency",
            Part::ColdStart => "cold-start",
            Part::Memory => "memory",
            Part::Quality => "quality",
            Part::Load => "load",
        }
    }
}

/// One of several machines that share the cases of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Partition {
    /// Which, from 1.
    pub index: u64,
    /// Of how many.
    pub count: u64,
}

impl Partition {
    /// Whether the case of this name falls to this machine. A name falls to exactly one, whatever other cases exist.
    pub fn takes(self, name: &str) -> bool {
        stats::fnv1a64(name.as_bytes()) % self.count.max(1) + 1 == self.index
    }
}

/// Loads from the command line, in place of those of the attributes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Loads {
    /// The loads; the attribute's where there are none.
    pub points: Vec<LoadPoint>,
    /// A search for the largest rate, with these arrivals.
    pub search: Option<LoadPoint>,
    /// What is asked of the latencies; what the attribute asks where there is nothing.
    pub objectives: Vec<Objective>,
}

/// Everything a plan depends on besides the declarations.
#[derive(Clone, Debug)]
pub struct Options {
    /// Measure or test.
    pub mode: Mode,
    /// A case is selected when any of these matches its name; all are when there is none.
    pub filters: Vec<Regex>,
    /// Filters are whole names.
    pub exact: Vec<String>,
    /// A case whose name contains one of these is left out.
    pub skip: Vec<String>,
    /// How much time to spend.
    pub profile: Profile,
    /// Which measurements; all when empty.
    pub only: Vec<Part>,
    /// Seed of everything random.
    pub seed: u64,
    /// Deadline of each child process.
    pub timeout: Option<Duration>,
    /// Instead of the profile's.
    pub warm_up: Option<Duration>,
    /// Instead of the profile's.
    pub measure: Option<Duration>,
    /// Loads in place of the attributes'.
    pub loads: Loads,
    /// This machine's share.
    pub partition: Option<Partition>,
}

impl Options {
    /// Whether this measurement was asked for.
    pub fn wants(&self, part: Part) -> bool {
        self.only.is_empty() || self.only.contains(&part)
    }

    /// Whether the case of this name was asked for.
    pub fn selects(&self, name: &str) -> bool {
        let asked = (self.filters.is_empty() && self.exact.is_empty())
            || self.exact.iter().any(|exact| exact == name)
            || self.filters.iter().any(|filter| filter.is_match(name));
        asked
            && !self.skip.iter().any(|skip| name.contains(skip.as_str()))
            && self.partition.is_none_or(|partition| partition.takes(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_falls_to_exactly_one_partition() {
        for name in ["paper::a", "paper::b::rows=2", "x"] {
            let takers = (1..=4).filter(|index| Partition { index: *index, count: 4 }.takes(name)).count();
            assert_eq!(takers, 1, "{name}");
        }
    }
}
