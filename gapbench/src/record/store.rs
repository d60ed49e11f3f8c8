//! The record's file: JSON Lines, appended row by row.
//!
//! The first line is the header, then comes one `{"row": ...}` per case, and last `{"end": ...}` when the run ended by
//! itself. Every line is written at once and flushed to the disk, so that a run that is killed leaves whole lines and at
//! most one torn last line. Knows nothing of what the rows mean.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{CaseRow, End, Header, finite};

/// The schema's name.
pub const SCHEMA: &str = "gapbench.record";
/// The schema's version.
pub const VERSION: u32 = 1;

/// What can be wrong with a record. The text reads after "failed to".
#[derive(Debug)]
pub enum StoreError {
    /// Something stands at the path already.
    Exists {
        /// The record's path.
        path: PathBuf,
    },
    /// The file or its folder cannot be created.
    Create {
        /// The record's path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A line cannot be written.
    Write {
        /// The record's path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A number is NaN or infinite, which JSON cannot hold.
    NotFinite {
        /// The record's path.
        path: PathBuf,
        /// The case, or `end`.
        case: String,
        /// Which number.
        what: String,
    },
    /// The file cannot be read.
    Read {
        /// The record's path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file has no header.
    NoHeader {
        /// The record's path.
        path: PathBuf,
        /// What stands there instead.
        found: &'static str,
    },
    /// The file is of another program or of another kind.
    Foreign {
        /// The record's path.
        path: PathBuf,
        /// The schema it names, if it names one.
        schema: Option<String>,
    },
    /// The file was written by a newer gapbench.
    Newer {
        /// The record's path.
        path: PathBuf,
        /// Its version.
        version: u64,
    },
    /// A line in the middle is damaged.
    Line {
        /// The record's path.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// What is wrong with it.
        what: String,
    },
}

impl fmt::Display for StoreError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreError::Exists { path } => write!(
                formatter,
                "create the record {}: something stands there already; a record is never overwritten, \
                 so remove it or choose another folder",
                path.display()
            ),
            StoreError::Create { path, source } => write!(
                formatter,
                "create the record {}: {source}; check that its folder is writable and has space",
                path.display()
            ),
            StoreError::Write { path, source } => write!(
                formatter,
                "append to the record {}: {source}; check that the disk has space",
                path.display()
            ),
            StoreError::NotFinite { path, case, what } => write!(
                formatter,
                "append `{case}` to the record {}: {what}; a number that was not measured has to be absent",
                path.display()
            ),
            StoreError::Read { path, source } => write!(
                formatter,
                "read the record {}: {source}; check the path and that the file is readable",
                path.display()
            ),
            StoreError::NoHeader { path, found } => write!(
                formatter,
                "read the record {}: {found}; the run was cut off before its first line, so run it again",
                path.display()
            ),
            StoreError::Foreign { path, schema: Some(schema) } => write!(
                formatter,
                "read the record {}: line 1 names the schema `{}`, expected `{SCHEMA}`; \
                 check that it is the right file",
                path.display(),
                schema.escape_default()
            ),
            StoreError::Foreign { path, schema: None } => write!(
                formatter,
                "read the record {}: line 1 is no header with `\"schema\": \"{SCHEMA}\"`; \
                 check that it is the right file",
                path.display()
            ),
            StoreError::Newer { path, version } => write!(
                formatter,
                "read the record {}: it has version {version} and this gapbench understands versions up to \
                 {VERSION}; update gapbench",
                path.display()
            ),
            StoreError::Line { path, line, what } => write!(
                formatter,
                "read the record {}: line {line}: {what}; the file is damaged, so run the benchmarks again",
                path.display()
            ),
        }
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            StoreError::Create { source, .. }
            | StoreError::Write { source, .. }
            | StoreError::Read { source, .. } => Some(source),
            _ => None,
        }
    }
}

/// A line after the header, as written.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Line<'a> {
    Row(&'a CaseRow),
    End(&'a End),
}

/// Appends rows to a new record.
#[derive(Debug)]
pub struct Writer {
    file: File,
    path: PathBuf,
    /// Bytes of whole lines.
    length: u64,
    /// Whether part of a line may stand behind them.
    torn: bool,
}

impl Writer {
    /// Begins a record with its header, whose `schema` and `version` are always written as [`SCHEMA`] and [`VERSION`].
    /// Creates missing folders.
    ///
    /// # Errors
    /// [`StoreError::Exists`] where anything stands at `path`, [`StoreError::Create`] and [`StoreError::Write`] where
    /// the system refuses.
    pub fn create(path: &Path, header: &Header) -> Result<Writer, StoreError> {
        let refused = |source: io::Error| match source.kind() {
            io::ErrorKind::AlreadyExists => StoreError::Exists { path: path.to_owned() },
            _ => StoreError::Create { path: path.to_owned(), source },
        };
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)
                .map_err(|source| StoreError::Create { path: path.to_owned(), source })?;
        }
        let file = OpenOptions::new().append(true).create_new(true).open(path).map_err(refused)?;
        let mut writer = Writer { file, path: path.to_owned(), length: 0, torn: false };
        writer.write(&Header { schema: SCHEMA.to_owned(), version: VERSION, ..header.clone() })?;
        Ok(writer)
    }

    /// Where the record stands.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends the row of a case.
    ///
    /// # Errors
    /// [`StoreError::NotFinite`] where a number is NaN or infinite, and [`StoreError::Write`] where the system refuses;
    /// the record then ends with the row before.
    pub fn append(&mut self, row: &CaseRow) -> Result<(), StoreError> {
        if let Some(what) = finite::find_in_row(row) {
            return Err(StoreError::NotFinite { path: self.path.clone(), case: row.case.0.clone(), what });
        }
        self.write(&Line::Row(row))
    }

    /// Ends the record.
    ///
    /// # Errors
    /// As [`Writer::append`].
    pub fn finish(mut self, end: &End) -> Result<(), StoreError> {
        if let Some(what) = finite::find_in_end(end) {
            return Err(StoreError::NotFinite { path: self.path, case: "end".to_owned(), what });
        }
        self.write(&Line::End(end))
    }

    fn write(&mut self, line: &impl Serialize) -> Result<(), StoreError> {
        self.try_write(line).map_err(|source| StoreError::Write { path: self.path.clone(), source })
    }

    fn try_write(&mut self, line: &impl Serialize) -> io::Result<()> {
        let mut bytes = serde_json::to_vec(line)?;
        bytes.push(b'\n');
        if self.torn {
            // A full disk took half of the line before; this one must not be glued to it.
            self.file.set_len(self.length)?;
        }
        self.torn = true;
        self.file.write_all(&bytes)?;
        self.file.sync_data()?;
        self.length += bytes.len() as u64;
        self.torn = false;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{CaseId, Outcome};

    /// A disk that is always full.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_named() {
        let file = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut writer = Writer { file, path: PathBuf::from("runs/1/record.jsonl"), length: 0, torn: false };
        let row = CaseRow {
            case: CaseId("bench::f".to_owned()),
            function: "bench::f".to_owned(),
            outcome: Outcome::Measured,
            series: Vec::new(),
            phases: Vec::new(),
            noise: Vec::new(),
            loads: Vec::new(),
            search: None,
            timing: None,
            device: None,
            notes: Vec::new(),
            wall_seconds: 1.0,
        };
        assert_eq!(
            writer.append(&row).unwrap_err().to_string(),
            "append to the record runs/1/record.jsonl: No space left on device (os error 28); \
             check that the disk has space"
        );
        assert!(writer.torn, "the next line first removes what was left of this one");
    }
}
