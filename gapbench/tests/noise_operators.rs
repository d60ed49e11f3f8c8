//! Noise against known answers: outputs of a second implementation, what Python's ftfy repairs, and properties that
//! hold for every text.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on fails"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use gapbench::input::perturb::{Registry, Severity};
use serde::Deserialize;

fn golden(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/noise").join(name)
}

fn texts() -> BTreeMap<String, String> {
    let set = gapbench::input::read(&golden("texts.jsonl")).unwrap();
    set.items.into_iter().map(|item| (item.id, item.text)).collect()
}

#[derive(Deserialize)]
struct Row {
    operator: String,
    severity: String,
    id: String,
    noisy: String,
}

#[test]
fn the_outputs_of_the_second_implementation() {
    let texts = texts();
    let registry = Registry::standard();
    let mut rows = 0;
    let mut wrong = Vec::new();
    for line in fs::read_to_string(golden("operators.jsonl")).unwrap().lines() {
        let row: Row = serde_json::from_str(line).unwrap();
        let severity = Severity::ALL.iter().find(|severity| severity.name() == row.severity).unwrap();
        let text = &texts[&row.id];
        let noisy = registry.chain(&row.operator).unwrap().apply(text, *severity, 42, &row.id);
        rows += 1;
        if noisy != row.noisy {
            wrong.push(format!(
                "{} {} {}\n  text   {text:?}\n  golden {:?}\n  ours   {noisy:?}",
                row.operator, row.severity, row.id, row.noisy
            ));
        }
    }
    assert!(wrong.is_empty(), "{} of {rows} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(rows > 400, "{rows}");
}
