//! Did other work run where we were timing?

use std::fs;

use super::clock;
use crate::record::Timing;

/// A reading at the start of a loop; the difference to one at its end is a [`Timing`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    wall_ns: u64,
    cpu_ns: u64,
    waited_ns: Option<u64>,
    involuntary: u64,
}

impl Reading {
    /// Reads the calling thread.
    pub(super) fn take() -> Reading {
        Reading {
            wall_ns: clock::now_ns(),
            cpu_ns: clock::thread_cpu_ns(),
            waited_ns: waited_ns(),
            involuntary: involuntary_switches(),
        }
    }

    /// What happened since.
    pub(super) fn until_now(self) -> Timing {
        let end = Reading::take();
        let seconds = |from: u64, to: u64| to.saturating_sub(from) as f64 * 1e-9;
        Timing {
            wall_seconds: seconds(self.wall_ns, end.wall_ns),
            cpu_seconds: seconds(self.cpu_ns, end.cpu_ns),
            waited_seconds: self.waited_ns.zip(end.waited_ns).map(|(from, to)| seconds(from, to)),
            involuntary_switches: end.involuntary.saturating_sub(self.involuntary),
        }
    }
}

/// Nanoseconds the calling thread was runnable and not running.
///
/// # Source
/// Linux `Documentation/scheduler/sched-stats.rst`, `/proc/<pid>/schedstat`, second field.
fn waited_ns() -> Option<u64> {
    fs::read_to_string("/proc/thread-self/schedstat").ok()?.split_whitespace().nth(1)?.parse().ok()
}

/// How often the kernel took the processor from the calling thread; zero where the system does not say.
///
/// # Source
/// Linux `Documentation/filesystems/proc.rst`, `/proc/<pid>/status`, `nonvoluntary_ctxt_switches`.
fn involuntary_switches() -> u64 {
    let status = fs::read_to_string("/proc/thread-self/status").unwrap_or_default();
    let count = status.lines().find_map(|line| line.strip_prefix("nonvoluntary_ctxt_switches:"));
    count.and_then(|count| count.trim().parse().ok()).unwrap_or(0)
}
