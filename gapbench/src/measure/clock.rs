//! The only place that reads a clock. Everything is nanoseconds, so that a subtraction is a duration.

use rustix::time::{ClockId, clock_gettime};

/// Nanoseconds of the monotonic clock, which every process of this machine shares: a parent's reading and its child's
/// can be subtracted.
#[inline]
pub fn now_ns() -> u64 {
    read(ClockId::Monotonic)
}

/// Nanoseconds that the calling thread has spent on a processor.
#[inline]
pub(super) fn thread_cpu_ns() -> u64 {
    read(ClockId::ThreadCPUTime)
}

/// Nanoseconds that all threads of this process have spent on a processor.
#[cfg(feature = "service")]
pub(super) fn process_cpu_ns() -> u64 {
    read(ClockId::ProcessCPUTime)
}

#[inline]
fn read(clock: ClockId) -> u64 {
    let time = clock_gettime(clock);
    // Both fields are non-negative for these clocks, and 2^64 ns are 584 years.
    (time.tv_sec as u64).wrapping_mul(1_000_000_000).wrapping_add(time.tv_nsec as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_passes_and_work_costs_processor_time() {
        let (wall, cpu) = (now_ns(), thread_cpu_ns());
        let mut sum = 0_u64;
        while now_ns() - wall < 2_000_000 {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        let spent = thread_cpu_ns() - cpu;
        assert!(spent > 0, "no processor time after 2 ms of work");
        assert!(spent <= now_ns() - wall, "more processor time than wall time in one thread");
    }
}
