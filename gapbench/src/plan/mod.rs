//! From declarations and options to an ordered list of cases with their budgets. Pure: building a plan runs nothing.

mod build;
mod job;
mod options;

pub use build::{Plan, PlanError, PlannedCase, Step, build, wants};
pub use job::{Budget, Job, JobMode};
pub use options::{Mode, Options, Part, Partition, Profile};
