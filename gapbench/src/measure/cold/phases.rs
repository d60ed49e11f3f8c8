//! Named stretches of this process's time, kept until the first answer: telling the parent of each at once would be a
//! stretch of its own.
//!
//! Knows nothing of how stretches that lie within each other are counted.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::measure::clock;
use crate::record::Event;

/// Whether phases are kept: from the job's reading to the first answer of a cold start.
static FOLLOWED: AtomicBool = AtomicBool::new(false);

/// Phases in the order of their ends.
static ENDED: Mutex<Vec<Event>> = Mutex::new(Vec::new());

/// Begins to keep phases.
pub(in crate::measure) fn follow() {
    FOLLOWED.store(true, Ordering::Relaxed);
}

/// Runs `body`, whose time is the phase `name` of a cold start; anywhere else it is only run. May be called in any thread
/// and at any depth: time that several phases share is that of the one which began last, so the time of an inner phase
/// is not also that of its outer one. Phases of one name are added up.
pub fn phase<T>(name: &str, body: impl FnOnce() -> T) -> T {
    if !FOLLOWED.load(Ordering::Relaxed) {
        return body();
    }
    let start_ns = clock::now_ns();
    let made = body();
    ended(name, start_ns, clock::now_ns());
    made
}

/// Keeps a phase that began and ended at these readings of the clock.
pub(in crate::measure) fn ended(name: &str, start_ns: u64, end_ns: u64) {
    if FOLLOWED.load(Ordering::Relaxed) {
        let mut ended = ENDED.lock().unwrap_or_else(PoisonError::into_inner);
        ended.push(Event::Phase { name: name.to_owned(), start_ns, end_ns });
    }
}

/// Keeps no more phases, and gives those there are.
pub(super) fn end() -> Vec<Event> {
    FOLLOWED.store(false, Ordering::Relaxed);
    std::mem::take(&mut *ENDED.lock().unwrap_or_else(PoisonError::into_inner))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_are_kept_while_they_are_followed() {
        assert_eq!(phase("before", || 1), 1);
        follow();
        let thread = std::thread::spawn(|| phase("in a thread", || ()));
        thread.join().unwrap();
        phase("outer", || phase("inner", || ()));
        let kept = end();
        assert_eq!(phase("after", || 2), 2);
        assert_eq!(end(), []);
        let of = |event: &Event| match event {
            Event::Phase { name, start_ns, end_ns } => (name.clone(), *start_ns, *end_ns),
            other => panic!("{other:?}"),
        };
        let [thread, inner, outer] = kept.iter().map(of).collect::<Vec<_>>().try_into().unwrap();
        assert_eq!([&*thread.0, &*inner.0, &*outer.0], ["in a thread", "inner", "outer"]);
        assert!(outer.1 <= inner.1 && inner.1 <= inner.2 && inner.2 <= outer.2, "{kept:?}");
    }
}
