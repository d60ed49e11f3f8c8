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

use gapbench::input::perturb::{Registry, Severity, typographic};
use serde::Deserialize;

fn golden(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/noise").join(name)
}

fn texts(name: &str) -> BTreeMap<String, String> {
    let set = gapbench::input::read(&golden(name)).unwrap();
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
    let texts = texts("texts.jsonl");
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

#[derive(Deserialize)]
struct Header {
    ftfy: String,
    seed: u64,
}

#[derive(Deserialize)]
struct Repaired {
    operator: String,
    id: String,
    garbled: String,
    repaired: String,
}

/// The share of garbled texts that the other side has to repair, in percent. It was 100 when the file was written.
const REPAIRED_PERCENT: usize = 95;

/// `copy_paste.py` wrote what ftfy and Python's html make of our texts.
#[test]
fn what_copying_garbled_others_repair() {
    let mut texts = texts("texts.jsonl");
    texts.append(&mut self::texts("copy_paste_texts.jsonl"));
    let file = fs::read_to_string(golden("copy_paste.jsonl")).unwrap();
    let (header, rows) = file.split_once('\n').unwrap();
    let header: Header = serde_json::from_str(header).unwrap();
    assert_eq!(header.ftfy, "6.3.1");
    let mut counts: BTreeMap<String, (usize, usize, usize)> = BTreeMap::new();
    for row in rows.lines().map(|row| serde_json::from_str::<Repaired>(row).unwrap()) {
        let text = &texts[&row.id];
        let noisy = Registry::standard().chain(&row.operator).unwrap().apply(
            text,
            Severity::Medium,
            header.seed,
            &row.id,
        );
        assert_eq!(noisy, row.garbled, "{} {}: run copy_paste.py again", row.operator, row.id);
        // What the other side does not undo is no part of its repair: punctuation, spaces, ends of lines.
        let (meant, found) = match row.operator.as_str() {
            "format.mojibake" => (typographic(text), row.repaired),
            "format.html" => (text.clone(), row.repaired.replace('\u{a0}', " ")),
            "format.pdf" => {
                let joined = row.repaired.replace("\u{ad}\n", "").replace("-\n", "").replace('\n', " ");
                (text.clone(), joined)
            }
            other => panic!("{other} has no repair"),
        };
        let (all, changed, repaired) = counts.entry(row.operator).or_default();
        *all += 1;
        *changed += usize::from(noisy != *text);
        *repaired += usize::from(found == meant);
    }
    assert_eq!(counts.len(), 3);
    for (operator, (all, changed, repaired)) in counts {
        assert_eq!(all, texts.len(), "{operator}");
        assert!(changed >= 10, "{operator} changed {changed} of {all}");
        assert!(repaired * 100 >= all * REPAIRED_PERCENT, "{operator}: {repaired} of {all} were repaired");
    }
}
