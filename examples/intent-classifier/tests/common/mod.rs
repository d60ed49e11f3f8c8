//! What several tests share: where the example's files are, and its data sets.

#![allow(dead_code, reason = "every test file uses its own part of this")]

use std::{fs, path::PathBuf};

use serde::Deserialize;

/// One message with its right answer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Message {
    pub(crate) id: String,
    pub(crate) text: String,
    pub(crate) expected: String,
}

/// A path inside the example's folder.
pub(crate) fn path(relative: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(relative)
}

/// The messages of `data/NAME.jsonl`.
pub(crate) fn messages(name: &str) -> Vec<Message> {
    let text = fs::read_to_string(path(&format!("data/{name}.jsonl"))).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
