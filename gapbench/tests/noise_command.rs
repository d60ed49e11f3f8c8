//! `cargo gapbench noise`, by running it: the list, the preview, the figures, the new set, and what it refuses.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on fails"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use gapbench::input::perturb::{Registry, Severity};

fn golden(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/noise").join(name)
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-gapbench"));
    command.current_dir(folder).env_remove("NO_COLOR").args(["gapbench", "noise"]).args(arguments);
    command.output().unwrap()
}

/// What it says on standard output where all is well.
fn said(arguments: &[&str]) -> String {
    let output = run(&golden(""), arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// What it complains about; nothing but the code tells a script.
fn refused(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    assert_eq!(output.status.code(), Some(2));
    String::from_utf8(output.stderr).unwrap()
}

fn is_golden(name: &str, found: &str) {
    let path = golden(name);
    if std::env::var_os("GAPBENCH_BLESS").is_some() {
        fs::write(&path, found).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(found == kept, "{name} differs; GAPBENCH_BLESS=1 rewrites the golden files\n{found}");
}

#[test]
fn the_list() {
    let list = said(&[]);
    assert_eq!(list.lines().filter(|line| line.contains(" labels ")).count(), 13);
    is_golden("list.txt", &list);
}

#[test]
fn the_preview() {
    let of = |more: &[&str]| {
        let mut arguments = vec!["--operator", "typo.keyboard,format.rich_text", "--file", "texts.jsonl"];
        arguments.extend(more);
        said(&arguments)
    };
    is_golden("preview.txt", &of(&["--severity", "heavy", "--limit", "7"]));
    assert!(of(&[]).ends_with(
        "10 items, 0 unchanged; there are more: --limit N shows them, --output FILE writes them\n"
    ));
    assert!(of(&["--limit", "10"]).ends_with("10 items, 0 unchanged\n"));
}

#[test]
fn the_figures() {
    let figures =
        said(&["--operator", "mixlang.lexicon,format.mojibake", "--statistics", "--file", "texts.jsonl"]);
    is_golden("statistics.txt", &figures);
}

#[test]
fn the_new_set_is_what_the_library_makes() {
    let folder = tempfile::tempdir().unwrap();
    let set = "{\"id\": \"a\", \"text\": \"please help me\", \"expected\": \"help\"}\n\n{\"text\": \"my card doesn't work\"}\n";
    fs::write(folder.path().join("in.jsonl"), set).unwrap();
    let arguments = ["--operator", "typo.case,format.html", "--seed", "7", "--file", "in.jsonl", "--output"];
    let write = |to: &str, more: &[&str]| {
        let output = run(folder.path(), &[&arguments[..], &[to], more].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        fs::read_to_string(folder.path().join(to)).unwrap()
    };
    let written = write("out.jsonl", &[]);
    let chain = Registry::standard().chain("typo.case,format.html").unwrap();
    let expected: Vec<_> = gapbench::input::read(&folder.path().join("in.jsonl"))
        .unwrap()
        .items
        .iter()
        .map(|item| chain.perturb(item, Severity::Medium, 7))
        .collect();
    let read = gapbench::input::read(&folder.path().join("out.jsonl")).unwrap();
    assert_eq!(read.items, expected);
    assert_eq!(read.items[0].expected.as_deref(), Some("help"));
    assert_eq!(read.items[1].id, "3", "an item without an id keeps the number of its line");
    assert_ne!(read.items[1].text, "my card doesn't work");
    // The set may be put in its own place, and a part of it is the part of the whole.
    assert_eq!(write("out2.jsonl", &["--limit", "1"]), written.split_inclusive('\n').next().unwrap());
    assert_eq!(write("in.jsonl", &[]), written);
}

#[test]
fn a_broken_set_leaves_the_old_file() {
    let folder = tempfile::tempdir().unwrap();
    let broken = "{\"text\": \"one\"}\n{\"txt\": \"two\"}\n";
    fs::write(folder.path().join("in.jsonl"), broken).unwrap();
    fs::write(folder.path().join("out.jsonl"), "old").unwrap();
    let arguments = ["--operator", "typo.case", "--file", "in.jsonl", "--output", "out.jsonl"];
    let complaint = refused(folder.path(), &arguments);
    assert!(
        complaint.starts_with("gapbench noise: in.jsonl:2: unknown key `txt`, expected one of"),
        "{complaint}"
    );
    assert_eq!(fs::read_to_string(folder.path().join("out.jsonl")).unwrap(), "old");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "no temporary file is left");
    // A device is written to and not replaced.
    let arguments =
        ["--operator", "typo.case", "--file", "in.jsonl", "--limit", "1", "--output", "/dev/null"];
    assert!(run(folder.path(), &arguments).status.success());
    assert!(!Path::new("/dev/null").metadata().unwrap().is_file());
}

#[test]
fn what_is_refused() {
    let here = golden("");
    assert_eq!(
        refused(&here, &["--operator", "typo.keybord", "--file", "texts.jsonl"]),
        "gapbench noise: failed to find the noise operator `typo.keybord`; did you mean `typo.keyboard`? expected one of: \
         typo.keyboard, typo.internal_swap, typo.case, mixlang.lexicon, mixlang.frame, mixscript.homoglyph, \
         incomplete.truncate, incomplete.telegraphic, incomplete.no_punct, format.pdf, format.rich_text, \
         format.mojibake, format.html\n"
    );
    let contains = |arguments: &[&str], part: &str| {
        let complaint = refused(&here, arguments);
        assert!(complaint.contains(part), "{complaint}");
    };
    contains(&["--operator", "mojibake", "--file", "texts.jsonl"], "did you mean `format.mojibake`?");
    contains(&["--operator", "zzz", "--file", "texts.jsonl"], "operator `zzz`; expected one of");
    contains(&["--operator", "typo.case,", "--file", "texts.jsonl"], "operator ``; expected one of");
    contains(&["--operator", "typo.case,typo.case", "--file", "texts.jsonl"], "`typo.case` twice");
    contains(&["--operator", "typo.case", "--file", "missing.jsonl"], "missing.jsonl: No such file");
    contains(&["--operator", "typo.case", "--file", "."], "is a folder");
    contains(&["--operator", "typo.case", "--file", "list.txt"], "list.txt:1: not valid JSON");
    contains(&["--operator", "typo.case"], "--file <FILE.jsonl>");
    contains(&["--file", "texts.jsonl"], "--operator <NAME[,NAME...]>");
    contains(&["--seed", "1"], "--operator <NAME[,NAME...]>");
    contains(
        &["--operator", "typo.case", "--file", "texts.jsonl", "--severity", "mild"],
        "light, medium, heavy",
    );
    contains(&["--operator", "typo.case", "--file", "texts.jsonl", "--limit", "0"], "0 is not in 1..");
}
