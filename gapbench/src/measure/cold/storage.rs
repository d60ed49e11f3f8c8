//! What this process has fetched from storage.

use std::fs;

/// Bytes that storage had to deliver for this process since it began, mapped files and what the system read ahead
/// included; absent where the system does not tell.
///
/// # Source
/// `proc_pid_io(5)`, `read_bytes`.
pub(super) fn fetched_bytes() -> Option<u64> {
    read_bytes(&fs::read_to_string("/proc/self/io").ok()?)
}

fn read_bytes(io: &str) -> Option<u64> {
    io.lines().find_map(|line| line.strip_prefix("read_bytes:"))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_of_storage_are_told_apart_from_bytes_asked_for() {
        assert_eq!(read_bytes("rchar: 9\nread_bytes: 4096\nwrite_bytes: 0\n"), Some(4096));
        assert_eq!(read_bytes("rchar: 9\n"), None);
    }
}
