//! gapbench

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
pub mod cli;
pub mod declare;
pub mod input;
pub mod judge;
pub mod measure;
pub mod plan;
pub mod record;
pub mod report;
pub mod run;
pub mod stats;
pub mod units;
