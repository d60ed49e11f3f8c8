//! Input sets as authors write them, with every mistake they can make.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::fs;

use gapbench::input::{Input, InputError, LONGEST_LINE, read};

fn file(bytes: impl AsRef<[u8]>) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("eval.jsonl");
    fs::write(&path, bytes).unwrap();
    (folder, path)
}

fn items(bytes: impl AsRef<[u8]>) -> Vec<Input> {
    let (_folder, path) = file(bytes);
    read(&path).unwrap().items
}

/// What reading says, with the folder's name removed.
fn said(bytes: impl AsRef<[u8]>) -> String {
    let (folder, path) = file(bytes);
    read(&path).unwrap_err().to_string().replace(&format!("{}/", folder.path().display()), "")
}

fn input(id: &str, text: &str) -> Input {
    Input { id: id.to_owned(), text: text.to_owned(), expected: None, arrival_ms: None }
}

#[test]
fn a_set_is_read_with_its_name() {
    let lines = "{\"id\": \"q1\", \"text\": \"Wie geht's? \u{1F600}\", \"expected\": \"good\"}\n{\"text\": \"\", \"expected\": null}";
    let (_folder, path) = file(lines);
    let set = read(&path).unwrap();
    assert_eq!((set.name.as_str(), &set.path), ("eval", &path));
    let first = Input { expected: Some("good".to_owned()), ..input("q1", "Wie geht's? \u{1F600}") };
    assert_eq!(set.items, [first, input("2", "")]);
}

#[test]
fn blank_lines_windows_line_ends_and_a_byte_order_mark_are_skipped() {
    let text = "\u{FEFF}{\"text\": \"a\"}\r\n\r\n   \n{\"text\": \"b\"}\r\n\n";
    assert_eq!(
        items(text),
        [input("1", "a"), input("4", "b")],
        "an id is the line's number, blank lines counted"
    );
}

#[test]
fn each_bad_line_has_its_sentence() {
    let table = [
        (
            "{\"txt\": \"a\"}",
            "unknown key `txt`, expected one of `id`, `text`, `expected`, `arrival_ms` (column 6); \
             expected a line such as {\"text\": \"...\"}; correct it",
        ),
        (
            "{\"id\": \"a\"}",
            "missing key `text` (column 11); expected a line such as {\"text\": \"...\"}; correct it",
        ),
        (
            "{\"text\": \"a\", \"text\": \"b\"}",
            "duplicate key `text` (column 20); expected a line such as {\"text\": \"...\"}; correct it",
        ),
        (
            "{\"text\": 7}",
            "invalid type: integer `7`, expected a string (column 10); \
             expected a line such as {\"text\": \"...\"}; correct it",
        ),
        (
            "\"plain text\"",
            "invalid type: string \"plain text\", expected a JSON object (column 12); \
             expected a line such as {\"text\": \"...\"}; correct it",
        ),
        (
            "[null, \"a\", null, null, []]",
            "the line is a list; expected one object per line, such as {\"text\": \"...\"}; correct it",
        ),
        (
            "plain text",
            "not valid JSON: expected value (column 1); \
             expected one object per line, such as {\"text\": \"...\"}; correct it",
        ),
        (
            "{\"text\": \"a\"",
            "not valid JSON: EOF while parsing an object (column 12); \
             expected one object per line, such as {\"text\": \"...\"}; correct it",
        ),
        (
            "{\"text\": \"a\"} {\"text\": \"b\"}",
            "not valid JSON: trailing characters (column 15); \
             expected one object per line, such as {\"text\": \"...\"}; correct it",
        ),
        (
            "{\"text\": \"a\", \"id\": \" \"}",
            "`id` is blank; expected a name that is unique in the file; write one or leave it out",
        ),
    ];
    for (line, message) in table {
        assert_eq!(said(line), format!("eval.jsonl:1: {message}"));
        assert_eq!(said(format!("{{\"text\": \"\"}}\n\n{line}\n")), format!("eval.jsonl:3: {message}"));
    }
}

#[test]
fn bytes_that_are_no_text_are_named() {
    assert_eq!(
        said(b"{\"text\": \"a\"}\n{\"text\": \"\xE9\"}\n"),
        "eval.jsonl:2: byte 11 of the line is not UTF-8; expected UTF-8 text; convert the file"
    );
}

#[test]
fn an_id_stands_once() {
    assert_eq!(
        said(
            "{\"text\": \"a\", \"id\": \"3\"}\n{\"text\": \"b\", \"id\": \"x\"}\n{\"text\": \"c\"}\n{\"text\": \"d\", \"id\": \"x\"}"
        ),
        "eval.jsonl:3: id `3` stands in line 1 already; expected another one (a line without `id` is called by its \
         number); rename one\n\
         eval.jsonl:4: id `x` stands in line 2 already; expected another one (a line without `id` is called by its \
         number); rename one"
    );
}

#[test]
fn twenty_bad_lines_are_named_at_once_and_no_more() {
    let said_of = |count: usize| said("no\n".repeat(count));
    assert_eq!(said_of(20).lines().count(), 20);
    let many = said_of(21);
    assert_eq!(many.lines().count(), 21);
    assert!(many.ends_with("\neval.jsonl: these are the first 20; correct them and read it again"), "{many}");
}

#[test]
fn a_line_has_a_longest_length() {
    let line = |size: usize| format!("{{\"text\": \"{}\"}}", "x".repeat(size - "{\"text\": \"\"}".len()));
    for end in ["", "\n"] {
        assert_eq!(items(line(LONGEST_LINE) + end).len(), 1);
    }
    for (end, size) in [("", LONGEST_LINE + 1), ("\n", LONGEST_LINE + 2)] {
        assert_eq!(
            said(line(LONGEST_LINE + 1) + end),
            format!(
                "eval.jsonl:1: the line has {size} bytes; expected at most 16777216; \
                 split it, or check that it is the right file"
            )
        );
    }
    let found = said(format!("{}\nno\n", line(LONGEST_LINE + 100_000)));
    assert_eq!(found.lines().count(), 2, "the line after a long one is read as its own: {found}");
    assert!(found.contains("eval.jsonl:2: not valid JSON"), "{found}");
}

#[test]
fn a_set_without_inputs_is_no_set() {
    let empty = "eval.jsonl: has no inputs; expected one JSON object per line, such as {\"text\": \"...\"}";
    assert_eq!(said(""), empty);
    assert_eq!(said("\n \n"), empty);
}

#[test]
fn what_is_no_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let error = read(folder.path()).unwrap_err();
    assert!(matches!(error, InputError::Folder { .. }));
    let place = folder.path().display();
    assert_eq!(
        error.to_string(),
        format!("{place}: is a folder; expected a JSON Lines file; name one in it")
    );
    assert_eq!(
        read(&folder.path().join("absent.jsonl")).unwrap_err().to_string(),
        format!(
            "{place}/absent.jsonl: No such file or directory (os error 2); \
             expected a readable JSON Lines file; check the path"
        )
    );
}
