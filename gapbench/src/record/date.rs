//! Calendar time: the only place that asks the system for it, and the two forms in which it is shown.
//!
//! Knows nothing of durations: those are read from the monotonic clock, which nobody can set back.

use std::time::{Duration, SystemTime};

/// 9999-12-31 23:59:59 UTC, the last second with a four-digit year.
const LAST: u64 = 253_402_300_799;

/// Seconds since 1970-01-01 UTC; 0 where the system's clock stands before that.
#[allow(clippy::disallowed_methods, reason = "the one place that reads calendar time")]
pub fn now_unix() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Seconds since 1970-01-01 UTC as `2026-11-24 21:30:05 UTC`. Seconds after the year 9999 show its last one.
pub fn show_utc(unix: u64) -> String {
    rfc3339(unix).replace('T', " ").replace('Z', " UTC")
}

/// A name for the run that process `pid` started at `unix` (seconds since 1970-01-01 UTC): `20261124T213005-4711`.
/// Names sort by the time of their start and are good file names everywhere.
pub fn run_id(unix: u64, pid: u32) -> String {
    let stamp: String = rfc3339(unix).chars().filter(|letter| !matches!(letter, '-' | ':' | 'Z')).collect();
    format!("{stamp}-{pid}")
}

fn rfc3339(unix: u64) -> String {
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(unix.min(LAST));
    humantime::format_rfc3339_seconds(time).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The seconds are from `date -u -d ... +%s`.
    #[test]
    fn shows_days_of_the_calendar() {
        let table = [
            (0, "1970-01-01 00:00:00 UTC", "19700101T000000-7"),
            (951_827_696, "2000-02-29 12:34:56 UTC", "20000229T123456-7"),
            (1_795_555_805, "2026-11-24 21:30:05 UTC", "20261124T213005-7"),
            (LAST, "9999-12-31 23:59:59 UTC", "99991231T235959-7"),
            (u64::MAX, "9999-12-31 23:59:59 UTC", "99991231T235959-7"),
        ];
        for (unix, shown, id) in table {
            assert_eq!(show_utc(unix), shown);
            assert_eq!(run_id(unix, 7), id);
        }
    }

    #[test]
    fn run_ids_sort_by_time() {
        let mut ids = vec![run_id(1_795_555_805, 1), run_id(951_827_696, 99_999), run_id(1_795_555_806, 0)];
        ids.sort();
        assert_eq!(ids, ["20000229T123456-99999", "20261124T213005-1", "20261124T213006-0"]);
    }

    #[test]
    fn the_clock_is_after_this_was_written() {
        assert!(now_unix() > 1_700_000_000);
    }
}
