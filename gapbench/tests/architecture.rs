//! The table of `docs/decisions` and `CONTRIBUTING.md`: which folder of `src` may name which, held against the code.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that cannot go on fails"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

/// A module, and the modules it may name besides itself. Data flows one way, so there is no cycle in here.
const MAY_NAME: &[(&str, &[&str])] = &[
    ("units", &[]),
    ("stats", &["units"]),
    ("load", &["units", "stats", "record"]),
    ("footprint", &["units"]),
    ("record", &["units"]),
    ("input", &["units", "stats"]),
    ("declare", &["units", "record"]),
    ("plan", &["declare", "input", "record", "stats", "units"]),
    ("measure", &["plan", "declare", "input", "load", "record", "stats", "units"]),
    ("run", &["plan", "record", "units"]),
    ("judge", &["record", "declare", "stats", "units"]),
    ("report", &["record", "judge", "declare", "stats", "units"]),
    ("cli", &["declare", "input", "judge", "measure", "plan", "record", "report", "run", "stats", "units"]),
    ("private", &["cli", "declare", "measure", "record"]),
];

/// Lines of code and documentation, tests excluded, after which a file has two reasons to change.
const MOST_LINES: usize = 400;

/// Words that belong to one file only, so that there is one clock, one way to end, one place that knows criterion.
const ONLY_IN: &[(&str, &[&str])] = &[
    (r"\bclock_gettime\b", &["measure/clock.rs"]),
    (r"\bInstant::now\b", &[]),
    (r"\bSystemTime::now\b", &["record/date.rs"]),
    (r"\buse criterion::", &["report/criterion.rs"]),
    (r"\bprocess::exit\(", &[]),
    (r"\bunsafe\b", &[]),
    (r"\bcudarc\b", &[]),
];

struct Source {
    /// Relative to `src`, with `/`.
    path: String,
    /// Code without comments, strings and tests.
    code: String,
    lines: usize,
}

fn sources(folder: &Path) -> Vec<Source> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                let body = text.split("#[cfg(test)]").next().unwrap();
                let relative = path.strip_prefix(folder).unwrap().to_string_lossy().replace('\\', "/");
                found.push(Source { path: relative, code: bare(body), lines: body.lines().count() });
            }
        }
    }
    found
}

/// The code without line comments and string literals.
fn bare(text: &str) -> String {
    let strings = Regex::new(r#""(?:[^"\\]|\\.)*""#).unwrap();
    text.lines()
        .map(|line| if line.trim_start().starts_with("//") { "" } else { line })
        .map(|line| strings.replace_all(line, "\"\"").into_owned())
        .map(|line| line.split(" // ").next().unwrap().to_owned() + "\n")
        .collect()
}

/// First segments after every `crate::`, brace groups included.
fn named(code: &str) -> Vec<String> {
    let word = Regex::new(r"^\w+").unwrap();
    let mut names = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            None => names.extend(word.find(rest).map(|name| name.as_str().to_owned())),
            Some(group) => {
                let mut depth = 1;
                let mut item = String::new();
                for letter in group.chars() {
                    match letter {
                        '{' => depth += 1,
                        '}' => depth -= 1,
                        _ => {}
                    }
                    if depth == 0 || (depth == 1 && letter == ',') {
                        names.extend(word.find(item.trim()).map(|name| name.as_str().to_owned()));
                        item.clear();
                    } else {
                        item.push(letter);
                    }
                    if depth == 0 {
                        break;
                    }
                }
            }
        }
    }
    names
}

fn module(path: &str) -> &str {
    path.split('/').next().unwrap().trim_end_matches(".rs")
}

#[test]
fn imports_go_one_way() {
    let table: BTreeMap<&str, &[&str]> = MAY_NAME.iter().copied().collect();
    let mut wrong = Vec::new();
    for source in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        let from = module(&source.path);
        if from == "lib" || from == "bin" {
            continue;
        }
        let Some(allowed) = table.get(from) else {
            wrong.push(format!("{}: `{from}` is not in the table", source.path));
            continue;
        };
        for to in named(&source.code) {
            if to != from && !allowed.contains(&to.as_str()) {
                wrong.push(format!("{} -> {to}", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "imports that the table does not allow:\n  {}", wrong.join("\n  "));
}

#[test]
fn the_table_has_no_cycle() {
    let mut done: Vec<&str> = Vec::new();
    while done.len() < MAY_NAME.len() {
        let ready = MAY_NAME
            .iter()
            .find(|(name, allowed)| !done.contains(name) && allowed.iter().all(|other| done.contains(other)));
        done.push(ready.expect("a module that names only modules before it").0);
    }
}

#[test]
fn files_stay_short() {
    let long: Vec<String> = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"))
        .into_iter()
        .filter(|source| source.lines > MOST_LINES)
        .map(|source| format!("{}: {} lines", source.path, source.lines))
        .collect();
    assert!(long.is_empty(), "split by reason to change:\n  {}", long.join("\n  "));
}

#[test]
fn some_words_have_one_home() {
    let mut wrong = Vec::new();
    for source in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        for (word, homes) in ONLY_IN {
            if !homes.contains(&source.path.as_str()) && Regex::new(word).unwrap().is_match(&source.code) {
                wrong.push(format!("{}: {word}", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "words away from home:\n  {}", wrong.join("\n  "));
}

#[test]
fn the_check_sees_what_it_should() {
    assert_eq!(
        named("use crate::{record::{Run, Row}, report}; crate::judge::x()"),
        ["record", "report", "judge"]
    );
    assert_eq!(bare("// crate::a\nlet x = \"crate::b\"; // crate::c\n").trim(), "let x = \"\";");
}
