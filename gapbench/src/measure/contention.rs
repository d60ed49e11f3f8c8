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

/// A reading of the whole machine's processors, to tell how much of them other programs took.
#[cfg(feature = "service")]
#[derive(Clone, Copy, Debug)]
pub(super) struct Machine {
    busy_ticks: u64,
    all_ticks: u64,
    own_ns: u64,
}

#[cfg(feature = "service")]
impl Machine {
    /// Reads it; absent where the system does not say.
    ///
    /// # Source
    /// Linux `Documentation/filesystems/proc.rst`, `/proc/stat`: user, nice, system, idle, iowait, irq, softirq, steal, in
    /// ticks of all processors together. Time stolen by other guests of the host counts as busy.
    pub(super) fn take() -> Option<Machine> {
        let text = fs::read_to_string("/proc/stat").ok()?;
        let ticks: Option<Vec<u64>> = text
            .lines()
            .next()?
            .strip_prefix("cpu ")?
            .split_whitespace()
            .take(8)
            .map(|one| one.parse().ok())
            .collect();
        let [user, nice, system, idle, iowait, irq, softirq, steal] = ticks?.try_into().ok()?;
        let busy_ticks = user + nice + system + irq + softirq + steal;
        Some(Machine { busy_ticks, all_ticks: busy_ticks + idle + iowait, own_ns: clock::process_cpu_ns() })
    }

    /// The share of the machine's processor time since then that was neither idle nor ours.
    pub(super) fn others_since(self) -> Option<f64> {
        let now = Machine::take()?;
        let all = now.all_ticks.checked_sub(self.all_ticks).filter(|ticks| *ticks > 0)? as f64;
        let busy = now.busy_ticks.saturating_sub(self.busy_ticks) as f64;
        let own = now.own_ns.saturating_sub(self.own_ns) as f64 / NS_PER_TICK;
        Some(((busy - own) / all).clamp(0.0, 1.0))
    }
}

/// `USER_HZ` is 100 on every architecture that Rust's standard library supports.
#[cfg(feature = "service")]
const NS_PER_TICK: f64 = 1e7;

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
