//! Timing launches on the device: what is timed is the kernel, not the host that launches it.
//!
//! The order of one observation is that of nvbench: empty the second-level cache, wait, hold the stream with a kernel that
//! waits for the host, queue stamp, event, launch, event, stamp, and only then let the stream go. Whatever the host does
//! between two of its calls then happens before the first event and not between the events.
//!
//! # Source
//! NVIDIA/nvbench, `nvbench/detail/measure_cold.cuh`.

mod hold;
mod observe;
mod stand;

pub(crate) use observe::{Observed, floor, observe};
pub(crate) use stand::{Launching, Stand};
