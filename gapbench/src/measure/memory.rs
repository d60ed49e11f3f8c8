//! Resident memory of this process.
//!
//! Knows nothing of when it is worth a look.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::plan::{Job, JobMode};

/// Whether the job reports memory: see [`memory_is_wanted`].
static WANTED: AtomicBool = AtomicBool::new(false);

/// Remembers whether the job reports memory.
pub(super) fn remember(job: &Job) {
    let reports = matches!(job.mode, JobMode::FirstAnswer | JobMode::Load);
    WANTED.store(job.memory && reports && !job.survey, Ordering::Relaxed);
}

/// Whether this process reports memory. For device crates: what was in use before a context has to be read before there
/// is one, and takes time that belongs to no other job.
pub fn memory_is_wanted() -> bool {
    WANTED.load(Ordering::Relaxed)
}

/// The high-water mark of resident memory since the process began or since the last [`reset_host_peak`], in bytes; absent
/// where the system does not tell.
///
/// Read inside the child: what a parent gets from `wait4` includes the parent's own history.
///
/// # Source
/// `proc_pid_status(5)`, `VmHWM`.
pub(super) fn host_peak_bytes() -> Option<u64> {
    of_status("VmHWM:")
}

/// What is resident now, in bytes; absent where the system does not tell.
///
/// # Source
/// `proc_pid_status(5)`, `VmRSS`.
pub(super) fn host_resident_bytes() -> Option<u64> {
    of_status("VmRSS:")
}

/// Lets the high-water mark begin again at what is resident now; false where the system refuses.
///
/// # Source
/// `proc_pid_clear_refs(5)`: writing 5 resets the peak resident set size.
pub(super) fn reset_host_peak() -> bool {
    fs::write("/proc/self/clear_refs", "5").is_ok()
}

fn of_status(field: &str) -> Option<u64> {
    bytes(&fs::read_to_string("/proc/self/status").ok()?, field)
}

fn bytes(status: &str, field: &str) -> Option<u64> {
    let kib = status.lines().find_map(|line| line.strip_prefix(field))?;
    kib.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sees_an_allocation_that_was_touched_and_freed() {
        let before = host_peak_bytes().unwrap();
        let size = 64 << 20;
        drop(std::hint::black_box(vec![1_u8; size]));
        let grown = host_peak_bytes().unwrap() - before;
        // Pages freed earlier by other tests of this process may be reused, so only an upper bound is certain here;
        // exactness is shown in processes of their own by `tests/memory.rs`.
        assert!(grown <= size as u64 + (8 << 20), "{grown} bytes for an allocation of {size}");
    }

    #[test]
    fn a_field_is_found_by_its_name() {
        let status = "Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t  1024 kB\n";
        assert_eq!((bytes(status, "VmHWM:"), bytes(status, "VmRSS:")), (Some(2048 << 10), Some(1024 << 10)));
        assert_eq!(bytes(status, "VmSwap:"), None);
    }
}
