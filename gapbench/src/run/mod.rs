//! The parent's side: starts one fresh child per case and step, watches it, and keeps what it reported.
//!
//! Knows nothing of how anything is timed, judged or shown.

mod child;
mod coldness;
mod collect;
mod execute;
mod interrupt;
mod output;
#[cfg(all(feature = "service", target_os = "linux"))]
mod page_cache;
mod revision;
mod stretches;

pub(crate) use execute::RECORD_FILE;
pub use execute::{Observer, RunError, Settings, Silent, execute};
pub use interrupt::Interrupt;
pub use revision::revision;
