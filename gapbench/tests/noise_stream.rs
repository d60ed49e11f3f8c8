//! The reader of large input sets gives what the reader of whole files gives, and refuses what that one refuses.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;

use gapbench::input::perturb::stream;
use gapbench::input::{Input, InputError, read};

fn both(set: &[u8]) -> (Result<Vec<Input>, String>, Result<Vec<Input>, String>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("set.jsonl");
    fs::write(&path, set).unwrap();
    let streamed = stream(&path).and_then(Iterator::collect).map_err(|error: InputError| error.to_string());
    (streamed, read(&path).map(|file| file.items).map_err(|error| error.to_string()))
}

#[test]
fn the_same_items() {
    let sets: [&[u8]; 4] = [
        b"{\"text\": \"one\"}",
        b"\xEF\xBB\xBF{\"id\": \"x\", \"text\": \"one\", \"expected\": \"1\"}\r\n\n  \n{\"text\": \"two\"}\n",
        "{\"text\": \"größe\"}\n{\"text\": \"größe\"}\n".as_bytes(),
        b"{\"text\": \"\"}\n",
    ];
    for set in sets {
        let (streamed, whole) = both(set);
        assert_eq!(streamed, whole);
        assert!(!streamed.unwrap().is_empty());
    }
}

#[test]
fn the_same_refusals() {
    let long = [&b"{\"text\": \""[..], &vec![b'a'; gapbench::input::LONGEST_LINE], b"\"}"].concat();
    let sets: [&[u8]; 9] = [
        b"",
        b"\n\n",
        b"{\"text\": \"one\"}\n{\"txt\": \"two\"}\n",
        b"{\"text\": \"one\"}\n[\"id\", \"text\"]\n",
        b"{\"text\": \"one\"}\n{\"id\": \" \", \"text\": \"two\"}\n",
        b"{\"id\": \"a\", \"text\": \"one\"}\n\n{\"id\": \"a\", \"text\": \"two\"}\n",
        b"{\"id\": \"2\", \"text\": \"one\"}\n{\"text\": \"two\"}\n",
        b"{\"text\": \"\xFF\"}\n",
        &long,
    ];
    for set in sets {
        let (streamed, whole) = both(set);
        assert_eq!(streamed.unwrap_err(), whole.unwrap_err());
    }
}

#[test]
fn it_ends_after_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("set.jsonl");
    fs::write(&path, "{\"text\": \"one\"}\nbroken\n{\"text\": \"three\"}\n").unwrap();
    let found: Vec<bool> = stream(&path).unwrap().map(|item| item.is_ok()).collect();
    assert_eq!(found, [true, false]);
    assert!(matches!(stream(folder.path()), Err(InputError::Folder { .. })));
    assert!(matches!(stream(&folder.path().join("none")), Err(InputError::Unreadable { .. })));
}
