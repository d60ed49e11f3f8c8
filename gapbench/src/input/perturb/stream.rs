//! Input sets too large for the memory: one item after the other, read as strictly as a whole file.
//!
//! Knows nothing of noise.

use std::collections::HashMap;
use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::io::BufReader;
use std::path::{Path, PathBuf};

use crate::input::file::{duplicate, parse, read_line};
use crate::input::{Input, InputError, Problem};

/// The items of an input set, in the order of the file. Ends after the first error.
#[derive(Debug)]
pub struct Items {
    path: PathBuf,
    reader: BufReader<File>,
    bytes: Vec<u8>,
    /// Lines read.
    line: usize,
    /// The line of each id, by a hash of the id, so that an id takes the same few bytes whatever its length. Two ids of
    /// a million share a hash with a chance of 3e-8.
    lines_of_ids: HashMap<u64, usize>,
    hashes: RandomState,
    ended: bool,
}

/// Begins to read an input set. Holds one item and about 50 bytes for each id, not the set.
///
/// # Errors
/// [`InputError`] for a file that cannot be opened, and for a folder. Each item may be an error too:
/// [`InputError::Lines`] for the first bad line, [`InputError::Empty`] at the end of a file without inputs.
pub fn stream(path: &Path) -> Result<Items, InputError> {
    let unreadable = |source| InputError::Unreadable { path: path.to_owned(), source };
    let file = File::open(path).map_err(unreadable)?;
    if file.metadata().map_err(unreadable)?.is_dir() {
        return Err(InputError::Folder { path: path.to_owned() });
    }
    Ok(Items {
        path: path.to_owned(),
        reader: BufReader::new(file),
        bytes: Vec::new(),
        line: 0,
        lines_of_ids: HashMap::new(),
        hashes: RandomState::new(),
        ended: false,
    })
}

impl Iterator for Items {
    type Item = Result<Input, InputError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let item = self.following().transpose();
        self.ended = !matches!(item, Some(Ok(_)));
        item
    }
}

impl Items {
    fn following(&mut self) -> Result<Option<Input>, InputError> {
        loop {
            self.line += 1;
            let size = read_line(&mut self.reader, &mut self.bytes)
                .map_err(|source| InputError::Unreadable { path: self.path.clone(), source })?;
            if size == 0 {
                let empty = self.lines_of_ids.is_empty();
                return if empty { Err(InputError::Empty { path: self.path.clone() }) } else { Ok(None) };
            }
            let Some(input) =
                parse(&self.bytes, size, self.line).map_err(|message| self.bad_line(message))?
            else {
                continue;
            };
            let hash = self.hashes.hash_one(&input.id);
            if let Some(first) = self.lines_of_ids.insert(hash, self.line) {
                return Err(self.bad_line(duplicate(&input.id, first)));
            }
            return Ok(Some(input));
        }
    }

    fn bad_line(&self, message: String) -> InputError {
        let problems = vec![Problem { line: self.line, message }];
        InputError::Lines { path: self.path.clone(), problems, stopped: false }
    }
}
