//! The child's voice: one JSON line per event, on a file of its own, so that nothing the benchmark prints can reach it.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::record::Event;

/// One per process: the panic hook must reach it from wherever the panic happens.
static CHANNEL: OnceLock<Mutex<File>> = OnceLock::new();

/// Why an event could not be said; the first reason.
static SILENCED: OnceLock<String> = OnceLock::new();

/// Opens the channel. The parent created the file.
///
/// # Errors
/// When the file cannot be opened.
pub(super) fn open(path: &Path) -> io::Result<()> {
    let file = OpenOptions::new().append(true).open(path)?;
    CHANNEL.set(Mutex::new(file)).map_err(|_| io::Error::other("a child has one job"))
}

/// Says `event` to the parent in a single write, so that a process killed at any moment leaves whole lines. For crates
/// that bring a [`Target`](super::Target) of their own.
///
/// Without a channel nothing is said: that is the case in the tests of code which measures, and nowhere else.
pub fn say(event: &Event) {
    let Some(channel) = CHANNEL.get() else { return };
    let Ok(mut line) = serde_json::to_vec(event) else { return };
    line.push(b'\n');
    let mut file = channel.lock().unwrap_or_else(PoisonError::into_inner);
    if let Err(error) = file.write_all(&line) {
        let _ = SILENCED.set(error.to_string());
    }
}

/// Why something was not said, if so: silence must not pass for success.
pub(super) fn silenced() -> Option<&'static str> {
    SILENCED.get().map(String::as_str)
}
