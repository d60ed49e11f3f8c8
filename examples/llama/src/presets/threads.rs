//! Work that is cut into parts and done by all processors. Knows nothing of what the parts are.

use std::sync::{Mutex, PoisonError};
use std::thread;

/// Does every part, on as many threads as the process may use at once; the first error ends the rest.
pub(super) fn each<T: Send, E: Send>(
    parts: impl Iterator<Item = T> + Send,
    work: impl Fn(T) -> Result<(), E> + Sync,
) -> Result<(), E> {
    let parts = Mutex::new(parts);
    let failed = Mutex::new(None);
    let next = || {
        let is_over = failed.lock().unwrap_or_else(PoisonError::into_inner).is_some();
        if is_over { None } else { parts.lock().unwrap_or_else(PoisonError::into_inner).next() }
    };
    let worker = || {
        while let Some(part) = next() {
            if let Err(error) = work(part) {
                failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
            }
        }
    };
    let others = thread::available_parallelism().map_or(1, usize::from) - 1;
    thread::scope(|scope| {
        (0..others).for_each(|_| drop(scope.spawn(worker)));
        worker();
    });
    failed.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    #[test]
    fn every_part_is_done_once() {
        let sum = AtomicU64::new(0);
        let done: Result<(), ()> = each(1..=1000, |part| {
            sum.fetch_add(part, Ordering::Relaxed);
            Ok(())
        });
        assert_eq!((done, sum.into_inner()), (Ok(()), 500_500));
    }

    #[test]
    fn an_error_ends_the_rest() {
        let count = AtomicU64::new(0);
        let done = each(0..1_000_000_u64, |part| {
            count.fetch_add(1, Ordering::Relaxed);
            if part == 10 { Err(part) } else { Ok(()) }
        });
        assert_eq!(done, Err(10));
        assert!(count.into_inner() < 1_000_000);
    }
}
