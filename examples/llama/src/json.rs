//! Reading keys out of a JSON object with errors that name file and key.

use std::{fmt::Display, fs, path::Path};

use serde_json::{Map, Value};

use crate::Error;

/// No size may exceed this: it keeps every product of two sizes far from overflow. The longest context that has been
/// published for this architecture is 10 million tokens.
const LARGEST_SIZE: u64 = 1 << 24;

/// What a size has to be.
const SIZE: &str = "a whole number from 1 to 16777216";

/// The JSON object in the file at `path`.
pub(crate) fn read_object(path: &Path) -> Result<Map<String, Value>, Error> {
    let bytes = fs::read(path).map_err(|source| Error::read(path, source))?;
    serde_json::from_slice(&bytes)
        .map_err(|error| Error::Json { path: path.into(), reason: error.to_string() })
}

/// One object of a file, and which file that is.
pub(crate) struct Keys<'a> {
    pub(crate) path: &'a Path,
    pub(crate) map: &'a Map<String, Value>,
}

impl<'a> Keys<'a> {
    pub(crate) fn fault(&self, key: &str, found: impl Display, expected: &str) -> Error {
        let (path, key) = (self.path.to_path_buf(), key.into());
        Error::Config { path, key, found: found.to_string(), expected: expected.into() }
    }

    /// The value of a key; `null` counts as absent, as Hugging Face's own reader has it.
    fn value(&self, key: &str) -> Option<&'a Value> {
        self.map.get(key).filter(|value| !value.is_null())
    }

    pub(crate) fn is_set(&self, key: &str) -> bool {
        self.value(key).is_some()
    }

    fn required<T>(&self, key: &str, found: Option<T>, expected: &str) -> Result<T, Error> {
        found.ok_or_else(|| self.fault(key, "missing", expected))
    }

    pub(crate) fn optional_size(&self, key: &str) -> Result<Option<usize>, Error> {
        let Some(value) = self.value(key) else { return Ok(None) };
        match value.as_u64().filter(|size| (1..=LARGEST_SIZE).contains(size)) {
            Some(size) => Ok(usize::try_from(size).ok()),
            None => Err(self.fault(key, value, SIZE)),
        }
    }

    pub(crate) fn size(&self, key: &str) -> Result<usize, Error> {
        self.required(key, self.optional_size(key)?, SIZE)
    }

    pub(crate) fn size_or(&self, key: &str, default: usize) -> Result<usize, Error> {
        Ok(self.optional_size(key)?.unwrap_or(default))
    }

    fn optional_positive(&self, key: &str) -> Result<Option<f64>, Error> {
        let Some(value) = self.value(key) else { return Ok(None) };
        match value.as_f64().filter(|number| *number > 0.0) {
            None => Err(self.fault(key, value, "a number above zero")),
            number => Ok(number),
        }
    }

    pub(crate) fn positive(&self, key: &str) -> Result<f64, Error> {
        self.required(key, self.optional_positive(key)?, "a number above zero")
    }

    pub(crate) fn positive_or(&self, key: &str, default: f64) -> Result<f64, Error> {
        Ok(self.optional_positive(key)?.unwrap_or(default))
    }

    pub(crate) fn text(&self, key: &str) -> Result<Option<&'a str>, Error> {
        let Some(value) = self.value(key) else { return Ok(None) };
        match value.as_str() {
            None => Err(self.fault(key, value, "a string")),
            text => Ok(text),
        }
    }

    /// Checks that a key has the one value that is computed here.
    pub(crate) fn only_text(&self, key: &str, expected: &str) -> Result<(), Error> {
        match self.text(key)? {
            Some(text) if text == expected => Ok(()),
            Some(text) => Err(self.fault(key, format!("{text:?}"), &format!("{expected:?}"))),
            None => Err(self.fault(key, "missing", &format!("{expected:?}"))),
        }
    }

    pub(crate) fn flag(&self, key: &str) -> Result<Option<bool>, Error> {
        let Some(value) = self.value(key) else { return Ok(None) };
        match value.as_bool() {
            None => Err(self.fault(key, value, "true or false")),
            flag => Ok(flag),
        }
    }

    pub(crate) fn object(&self, key: &str) -> Result<Keys<'a>, Error> {
        match self.value(key).and_then(Value::as_object) {
            Some(map) => Ok(Keys { path: self.path, map }),
            None => {
                Err(self.fault(key, self.value(key).map_or("missing".into(), Value::to_string), "an object"))
            }
        }
    }

    /// One token id, a list of them, or none.
    pub(crate) fn ids(&self, key: &str) -> Result<Vec<u32>, Error> {
        let id = |value: &Value| value.as_u64().and_then(|id| u32::try_from(id).ok());
        let ids = match self.value(key) {
            None => Some(Vec::new()),
            Some(Value::Array(list)) => list.iter().map(id).collect(),
            Some(value) => id(value).map(|id| vec![id]),
        };
        let found = || self.value(key).map_or("missing".into(), Value::to_string);
        ids.ok_or_else(|| self.fault(key, found(), "a token id or a list of them"))
    }
}
