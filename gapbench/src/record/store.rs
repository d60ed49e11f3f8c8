//! The record's file: JSON Lines, appended row by row.

use std::fmt;
use std::path::Path;

use super::Record;

/// The schema's name.
pub const SCHEMA: &str = "gapbench.record";
/// The schema's version.
pub const VERSION: u32 = 1;

/// Appends rows.
pub struct Writer;

/// What can be wrong with a record.
#[derive(Debug)]
pub struct StoreError;

impl fmt::Display for StoreError {
    fn fmt(&self, _f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

/// Reads a record.
///
/// # Errors
/// [`StoreError`].
pub fn read(_path: &Path) -> Result<Record, StoreError> {
    Err(StoreError)
}
