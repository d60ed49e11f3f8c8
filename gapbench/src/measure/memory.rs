//! Peak resident memory of this process.

use std::fs;

/// The high-water mark of resident memory since the process began, in bytes; absent where the system does not tell.
///
/// Read inside the child: what a parent gets from `wait4` includes the parent's own history.
///
/// # Source
/// `proc_pid_status(5)`, `VmHWM`.
pub(super) fn host_peak_bytes() -> Option<u64> {
    high_water(&fs::read_to_string("/proc/self/status").ok()?)
}

/// Lets the high-water mark begin again at what is resident now; false where the system refuses.
///
/// # Source
/// `proc_pid_clear_refs(5)`: writing 5 resets the peak resident set size.
#[cfg(feature = "service")]
pub(super) fn reset_host_peak() -> bool {
    fs::write("/proc/self/clear_refs", "5").is_ok()
}

fn high_water(status: &str) -> Option<u64> {
    let kib = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
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
        // exactness is shown in a process of its own by `tests/isolation.rs`.
        assert!(grown <= size as u64 + (8 << 20), "{grown} bytes for an allocation of {size}");
        assert_eq!(high_water("Name:\tx\nVmHWM:\t    2048 kB\n"), Some(2048 * 1024));
    }
}
