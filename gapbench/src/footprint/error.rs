//! What can be wrong with a model's files or with a question about them.
//!
//! Knows nothing of what is counted from the files.

use std::fmt;
use std::path::PathBuf;

/// What stopped a count. The text is a fragment that reads after "failed to".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FootprintError {
    /// A file or folder that is not there or cannot be read.
    Read {
        /// Which.
        path: PathBuf,
        /// What the system said, or what was expected there.
        reason: String,
        /// What to do.
        remedy: String,
    },
    /// A safetensors file whose header contradicts itself or its file.
    Header {
        /// The file.
        path: PathBuf,
        /// The tensor, where there is one.
        tensor: Option<String>,
        /// What was found and what was expected.
        reason: String,
        /// What to do.
        remedy: String,
    },
    /// An index that does not fit its files.
    Index {
        /// The index.
        path: PathBuf,
        /// The tensor, where there is one.
        tensor: Option<String>,
        /// What was found and what was expected.
        reason: String,
        /// What to do.
        remedy: String,
    },
    /// A configuration without a key that is needed, or with a value that cannot be.
    Config {
        /// The file.
        path: PathBuf,
        /// The key, with the keys above it: `text_config.hidden_size`.
        key: String,
        /// What was found.
        found: String,
        /// What was expected, and what to do.
        expected: String,
    },
    /// A number of the caller that cannot be.
    Demand {
        /// Which: `clients`.
        name: &'static str,
        /// What was given.
        found: String,
        /// What was expected, and what to do.
        expected: String,
    },
    /// A product that no 64-bit number holds: some factor is wrong.
    Overflow {
        /// The term with its factors.
        term: String,
    },
}

impl fmt::Display for FootprintError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FootprintError::Read { path, reason, remedy } => {
                write!(formatter, "read {}: {reason}; {remedy}", path.display())
            }
            FootprintError::Header { path, tensor: None, reason, remedy } => {
                write!(formatter, "read the header of {}: {reason}; {remedy}", path.display())
            }
            FootprintError::Header { path, tensor: Some(tensor), reason, remedy } => {
                let (path, tensor) = (path.display(), quoted(tensor));
                write!(formatter, "read the header of {path}: tensor {tensor}: {reason}; {remedy}")
            }
            FootprintError::Index { path, tensor: None, reason, remedy } => {
                write!(formatter, "follow the index {}: {reason}; {remedy}", path.display())
            }
            FootprintError::Index { path, tensor: Some(tensor), reason, remedy } => {
                let (path, tensor) = (path.display(), quoted(tensor));
                write!(formatter, "follow the index {path}: tensor {tensor}: {reason}; {remedy}")
            }
            FootprintError::Config { path, key, found, expected } => {
                let key = quoted(key);
                write!(formatter, "understand {}: key {key} is {found}; expected {expected}", path.display())
            }
            FootprintError::Demand { name, found, expected } => {
                write!(formatter, "plan the memory: {name} is {found}; expected {expected}")
            }
            FootprintError::Overflow { term } => write!(
                formatter,
                "plan the memory: {term} is more than 64 bits hold; one of these factors is wrong, so check config.json \
                 and what was asked"
            ),
        }
    }
}

impl std::error::Error for FootprintError {}

/// Text of a file as a message shows it: on one line, not longer than a person reads, between marks.
pub(super) fn quoted(text: &str) -> String {
    const LONGEST: usize = 80;
    let mut shown = String::from("`");
    for (index, letter) in text.chars().enumerate() {
        if index == LONGEST {
            shown.push('…');
            break;
        }
        if letter.is_control() {
            shown.extend(letter.escape_default());
        } else {
            shown.push(letter);
        }
    }
    shown.push('`');
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_stays_on_one_line() {
        assert_eq!(quoted("a\nb\u{1b}"), "`a\\nb\\u{1b}`");
        assert_eq!(quoted(&"x".repeat(100)), format!("`{}…`", "x".repeat(80)));
    }
}
