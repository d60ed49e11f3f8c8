//! Waiting for a due time without spinning, and the scheduling class of the threads that do.

use super::super::clock;

/// What the kernel may add to a sleep of an ordinary thread, in nanoseconds. Its default is 50 us, which would be half
/// of the gap at 10,000 requests/s.
///
/// # Source
/// Linux `prctl(2)`, `PR_SET_TIMERSLACK`; 1 ns is the smallest value.
#[cfg(target_os = "linux")]
const TIMER_SLACK_NS: std::num::NonZeroU64 = std::num::NonZeroU64::MIN;

/// Priority within the real-time class: the lowest, so that everything else that is real-time comes first.
#[cfg(target_os = "linux")]
const REALTIME_PRIORITY: u8 = 1;

/// Which scheduling class the threads that send ran in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Scheduling {
    /// The ordinary one; nothing else was asked for.
    #[default]
    Ordinary,
    /// The real-time class `SCHED_FIFO`.
    Realtime,
    /// The real-time class was asked for, and the system refused with this reason; the run went on in the ordinary one.
    Refused(String),
}

/// Sleeps until the monotonic clock shows `due_ns` and returns what it then shows.
///
/// It sleeps and never spins: a spinning thread is the first to be preempted, and a real-time one is throttled for 50 ms
/// of every second.
pub(super) fn wait_until(due_ns: u64) -> u64 {
    loop {
        let now_ns = clock::now_ns();
        if now_ns >= due_ns {
            return now_ns;
        }
        sleep(due_ns, now_ns);
    }
}

/// As [`wait_until`], but a wait is at least `grain_ns` long: what is due meanwhile then shares one sleep.
pub(super) fn wait_in_grains(due_ns: u64, grain_ns: u64) -> u64 {
    let now_ns = clock::now_ns();
    if now_ns >= due_ns { now_ns } else { wait_until(due_ns.max(now_ns.saturating_add(grain_ns))) }
}

#[cfg(target_os = "linux")]
fn sleep(due_ns: u64, _now_ns: u64) {
    use rustix::thread::{ClockId, Timespec, clock_nanosleep_absolute};
    const NS: u64 = 1_000_000_000;
    let request = Timespec { tv_sec: (due_ns / NS) as i64, tv_nsec: (due_ns % NS) as _ };
    // A signal ends it early; the caller looks at the clock again.
    let _ = clock_nanosleep_absolute(ClockId::Monotonic, &request);
}

#[cfg(not(target_os = "linux"))]
fn sleep(due_ns: u64, now_ns: u64) {
    std::thread::park_timeout(std::time::Duration::from_nanos(due_ns - now_ns));
}

/// The calling thread prepared for sleeping precisely, until this is dropped.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) scheduling: Scheduling,
    #[cfg(target_os = "linux")]
    slack_ns: Option<u64>,
}

impl Prepared {
    #[cfg(target_os = "linux")]
    pub(super) fn take(realtime: bool) -> Prepared {
        let slack_ns = rustix::thread::current_timer_slack().ok();
        let _ = rustix::thread::set_current_timer_slack(Some(TIMER_SLACK_NS));
        let scheduling = if realtime { ask_for_realtime() } else { Scheduling::Ordinary };
        Prepared { scheduling, slack_ns }
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) fn take(realtime: bool) -> Prepared {
        let refused = || Scheduling::Refused("this system is not Linux".to_owned());
        Prepared { scheduling: if realtime { refused() } else { Scheduling::Ordinary } }
    }
}

#[cfg(target_os = "linux")]
fn ask_for_realtime() -> Scheduling {
    use thread_priority::{RealtimeThreadSchedulePolicy, ThreadPriorityValue, ThreadSchedulePolicy};
    let Ok(value) = ThreadPriorityValue::try_from(REALTIME_PRIORITY) else { return Scheduling::Ordinary };
    let asked = thread_priority::set_thread_priority_and_policy(
        thread_priority::thread_native_id(),
        thread_priority::ThreadPriority::Crossplatform(value),
        ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::Fifo),
    );
    match asked {
        Ok(()) => Scheduling::Realtime,
        Err(error) => Scheduling::Refused(error.to_string()),
    }
}

#[cfg(target_os = "linux")]
impl Drop for Prepared {
    fn drop(&mut self) {
        use thread_priority::{NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy};
        if self.scheduling == Scheduling::Realtime {
            let _ = thread_priority::set_thread_priority_and_policy(
                thread_priority::thread_native_id(),
                ThreadPriority::Min,
                ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Other),
            );
        }
        let _ = rustix::thread::set_current_timer_slack(self.slack_ns.and_then(std::num::NonZeroU64::new));
    }
}
