//! Strict access to the keys of a `config.json`.
//!
//! Knows nothing of what the keys mean.

use std::path::Path;

use serde_json::{Map, Value};

use super::FootprintError;
use super::error::quoted;

/// The largest size that is taken for meant. The longest context so far is 10 million tokens, the largest vocabulary has a
/// million entries.
const LARGEST: u64 = 1_000_000_000;

/// An object of the file, and its place in it.
#[derive(Clone, Copy)]
pub(super) struct Keys<'a> {
    pub(super) path: &'a Path,
    /// The key of the object with a point behind it; empty for the file itself.
    pub(super) above: &'a str,
    pub(super) map: &'a Map<String, Value>,
}

impl<'a> Keys<'a> {
    /// The value below `key`; `null` counts as absent, as everywhere in these files.
    pub(super) fn get(&self, key: &str) -> Option<&'a Value> {
        self.map.get(key).filter(|value| !value.is_null())
    }

    /// The first of `names` that is there, with its value. Model families spell the same size differently.
    pub(super) fn first<'n>(&self, names: &[&'n str]) -> Option<(&'n str, &'a Value)> {
        names.iter().find_map(|name| Some((*name, self.get(name)?)))
    }

    /// A size that has to be there, under one of `names`.
    pub(super) fn size(&self, names: &[&str]) -> Result<u64, FootprintError> {
        match self.optional_size(names)? {
            Some(size) => Ok(size),
            None => {
                let name = names.first().copied().unwrap_or_default();
                let expected = match names.len() {
                    0 | 1 => format!("a whole number from 1 to {LARGEST}; add it"),
                    _ => format!(
                        "a whole number from 1 to {LARGEST}, here or as one of: {}; add it",
                        names.join(", ")
                    ),
                };
                Err(self.fault(name, "missing".to_owned(), &expected))
            }
        }
    }

    /// A size under one of `names`, or `None` where none is there.
    pub(super) fn optional_size(&self, names: &[&str]) -> Result<Option<u64>, FootprintError> {
        let Some((name, value)) = self.first(names) else { return Ok(None) };
        match value.as_u64().filter(|size| (1..=LARGEST).contains(size)) {
            Some(size) => Ok(Some(size)),
            None => {
                let expected = format!("a whole number from 1 to {LARGEST}");
                Err(self.fault(name, quoted(&value.to_string()), &expected))
            }
        }
    }

    /// A flag, or `None` where it is not there.
    pub(super) fn flag(&self, key: &str) -> Result<Option<bool>, FootprintError> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(other) => Err(self.fault(key, quoted(&other.to_string()), "true or false")),
        }
    }

    /// A text, or `None` where it is not there.
    pub(super) fn text(&self, key: &str) -> Result<Option<&'a str>, FootprintError> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(self.fault(key, quoted(&other.to_string()), "text")),
        }
    }

    pub(super) fn fault(&self, key: &str, found: String, expected: &str) -> FootprintError {
        FootprintError::Config {
            path: self.path.to_owned(),
            key: format!("{}{key}", self.above),
            found,
            expected: expected.to_owned(),
        }
    }
}
