//! From declarations and options to an ordered list of cases with their budgets. Pure: building a plan runs nothing.

mod build;
mod job;
mod load;
mod options;

pub use build::{Plan, PlanError, PlannedCase, Step, build, wants};
pub use job::{Budget, JIT_CACHE_VARIABLE, Job, JobMode, LoadJob};
pub use options::{Loads, Mode, Options, Part, Partition, Profile};
