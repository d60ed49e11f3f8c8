//! What becomes of panics: one ends the case, unless it is of a request that is counted.

use std::any::Any;
use std::cell::Cell;
use std::panic;

use super::channel;
use crate::record::{Event, FailureKind};

thread_local! {
    /// Whether this thread is with a request whose panic is counted.
    static COUNTED: Cell<bool> = const { Cell::new(false) };
    /// What the counted panic said, and where.
    static SAID: Cell<String> = const { Cell::new(String::new()) };
}

/// Runs `request`, whose panic is a failure that the caller counts. It is neither reported nor printed.
///
/// # Errors
/// Where the request panicked, and what it said.
#[inline]
pub(super) fn counted<T>(request: impl FnOnce() -> T) -> Result<T, String> {
    COUNTED.set(true);
    let ended = panic::catch_unwind(panic::AssertUnwindSafe(request));
    COUNTED.set(false);
    ended.map_err(|payload| match SAID.take() {
        // Without the hook, as in tests of the library, the place is not known.
        said if said.is_empty() => format!("panicked: {}", message(payload.as_ref())),
        said => said,
    })
}

fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".to_owned())
}

/// Reports a panic before the process unwinds or aborts, then lets the usual message be printed. A panic of another
/// thread counts too: an answer it was to give is missing.
pub(super) fn report() {
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let message = message(info.payload());
        let place =
            info.location().map(|place| format!(" at {}:{}", place.file(), place.line())).unwrap_or_default();
        let reason = format!("panicked{place}: {message}");
        if COUNTED.get() {
            SAID.set(reason);
            return;
        }
        channel::say(&Event::Failed { kind: FailureKind::Panic, reason });
        usual(info);
    }));
}
