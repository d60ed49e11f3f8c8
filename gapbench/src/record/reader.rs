//! Reading records, one row at a time: a run of many cases has more observations than need to be in memory at once.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::store::{SCHEMA, StoreError, VERSION};
use super::{CaseId, CaseRow, End, Header, Record};

/// A first line longer than this is no header: it is a few hundred bytes. Keeps foreign files out of memory.
const LONGEST_HEADER: u64 = 1 << 20;

/// A line after the header, as read.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum OwnedLine {
    Row(Box<CaseRow>),
    End(End),
}

/// As much of a header as is needed to say whether the rest can be understood.
#[derive(Deserialize)]
struct Probe {
    schema: Option<String>,
    version: Option<u64>,
}

/// The rows of a record, in the order run. Also of a run that was cut short: a torn last line is dropped, and the record
/// has no end.
#[derive(Debug)]
pub struct Rows {
    path: PathBuf,
    lines: BufReader<File>,
    header: Header,
    end: Option<End>,
    /// Lines read.
    line: usize,
    /// Where the last line read begins, and how long it is, in bytes.
    place: (u64, u64),
    over: bool,
}

impl Rows {
    /// Opens a record and reads its header.
    ///
    /// # Errors
    /// [`StoreError`]: a file that cannot be read, that is no record, or a newer one.
    pub fn open(path: &Path) -> Result<Rows, StoreError> {
        let unreadable = |source: io::Error| StoreError::Read { path: path.to_owned(), source };
        let mut lines = BufReader::new(File::open(path).map_err(unreadable)?);
        let mut bytes = Vec::new();
        lines.by_ref().take(LONGEST_HEADER).read_until(b'\n', &mut bytes).map_err(unreadable)?;
        let header = header(path, &bytes)?;
        let place = (0, bytes.len() as u64);
        Ok(Rows { path: path.to_owned(), lines, header, end: None, line: 1, place, over: false })
    }

    /// The header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The end, once all rows were read; absent when the run was cut short.
    pub fn end(&self) -> Option<&End> {
        self.end.as_ref()
    }

    fn read_row(&mut self) -> Result<Option<CaseRow>, StoreError> {
        let mut bytes = Vec::new();
        loop {
            bytes.clear();
            self.lines
                .read_until(b'\n', &mut bytes)
                .map_err(|source| StoreError::Read { path: self.path.clone(), source })?;
            if bytes.is_empty() {
                return Ok(None);
            }
            self.line += 1;
            self.place = (self.place.0 + self.place.1, bytes.len() as u64);
            let damaged = |what: String| StoreError::Line { path: self.path.clone(), line: self.line, what };
            match serde_json::from_slice::<OwnedLine>(bytes.trim_ascii_end()) {
                Ok(_) if self.end.is_some() => {
                    return Err(damaged("it follows the end of the record".to_owned()));
                }
                Ok(OwnedLine::Row(row)) => return Ok(Some(*row)),
                Ok(OwnedLine::End(end)) => self.end = Some(end),
                // Torn: written by a process that was killed while it wrote.
                Err(_) if !bytes.ends_with(b"\n") => return Ok(None),
                Err(_) if bytes.trim_ascii().is_empty() => return Err(damaged("it is blank".to_owned())),
                Err(error) => return Err(damaged(sentence(&error))),
            }
        }
    }
}

impl Iterator for Rows {
    type Item = Result<CaseRow, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let row = self.read_row().transpose();
        self.over = !matches!(row, Some(Ok(_)));
        row
    }
}

/// Reads a whole record into memory.
///
/// # Errors
/// As [`Rows::open`], and a record that is damaged anywhere but in its last line.
pub fn read(path: &Path) -> Result<Record, StoreError> {
    let mut rows = Rows::open(path)?;
    let read = rows.by_ref().collect::<Result<Vec<CaseRow>, StoreError>>()?;
    Ok(Record { header: rows.header, rows: read, end: rows.end })
}

/// Where the rows of a record stand, so that each can be read when it is needed.
#[derive(Debug)]
pub struct Index {
    path: PathBuf,
    header: Header,
    places: HashMap<CaseId, (u64, u64)>,
}

impl Index {
    /// Reads a record through once, which shows whether it is sound, and keeps nothing of its rows but their places.
    ///
    /// # Errors
    /// As [`read`].
    pub fn read(path: &Path) -> Result<Index, StoreError> {
        let mut rows = Rows::open(path)?;
        let mut places = HashMap::new();
        while let Some(row) = rows.next() {
            places.insert(row?.case, rows.place);
        }
        Ok(Index { path: rows.path, header: rows.header, places })
    }

    /// The record's header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The row of a case, if the record has it and it is still where it was.
    pub fn row(&self, case: &CaseId) -> Option<CaseRow> {
        let (start, length) = *self.places.get(case)?;
        let mut file = File::open(&self.path).ok()?;
        file.seek(SeekFrom::Start(start)).ok()?;
        let mut bytes = Vec::new();
        file.take(length).read_to_end(&mut bytes).ok()?;
        match serde_json::from_slice::<OwnedLine>(bytes.trim_ascii_end()).ok()? {
            OwnedLine::Row(row) if row.case == *case => Some(*row),
            OwnedLine::Row(_) | OwnedLine::End(_) => None,
        }
    }
}

fn header(path: &Path, bytes: &[u8]) -> Result<Header, StoreError> {
    let path = || path.to_owned();
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(StoreError::NoHeader { path: path(), found: "it is empty" });
    }
    let probe = match serde_json::from_slice::<Probe>(bytes) {
        Ok(probe) => probe,
        Err(error) if error.is_eof() && (bytes.len() as u64) < LONGEST_HEADER => {
            return Err(StoreError::NoHeader { path: path(), found: "its first line is torn" });
        }
        Err(_) => return Err(StoreError::Foreign { path: path(), schema: None }),
    };
    if probe.schema.as_deref() != Some(SCHEMA) {
        return Err(StoreError::Foreign { path: path(), schema: probe.schema });
    }
    if let Some(version) = probe.version.filter(|version| *version > u64::from(VERSION)) {
        return Err(StoreError::Newer { path: path(), version });
    }
    serde_json::from_slice(bytes).map_err(|error| StoreError::Line {
        path: path(),
        line: 1,
        what: sentence(&error),
    })
}

/// serde's message without its line, which within one line of a record is always the first.
fn sentence(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    match text.strip_suffix(&place) {
        Some(what) => format!("column {}: {what}", error.column()),
        None => text,
    }
}
