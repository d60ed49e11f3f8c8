//! The child's side: it loads, runs and times exactly one case, and says what it saw.
//!
//! Knows nothing of other cases, of claims, of verdicts or of reports.

mod bencher;
mod channel;
mod clock;
mod cold;
mod contention;
mod device_probe;
mod entry;
#[cfg(feature = "service")]
pub mod load;
mod memory;
mod panics;
mod sampler;
mod serve;
mod target;

pub use bencher::Bencher;
pub use channel::say;
pub use clock::now_ns;
pub use cold::{first_answer, phase};
pub use device_probe::{DeviceMemory, DeviceProbe};
pub use entry::{JOB_VARIABLE, PARENT_VARIABLE, SPAWNED_VARIABLE, child_job, serve};
pub use memory::memory_is_wanted;
pub use sampler::StoppingRule;
#[cfg(feature = "service")]
pub use serve::{Admit, StepOutput, StepService, Ticket};
pub use serve::{Answered, IntoAnswer, Refused, Score, Serve, TimedOut};
pub use target::{Session, Target, WrongAnswer, enter};
