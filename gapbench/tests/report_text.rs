//! The terminal report.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests")]

#[allow(dead_code)]
#[path = "golden/report/fixture.rs"]
mod fixture;

use gapbench::report::text::{TextOptions, render};

fn shown(options: &TextOptions) -> String {
    let mut out = String::new();
    render(&mut out, &fixture::target(), options).unwrap();
    out
}

#[test]
fn golden() {
    let files = vec![
        ("results".to_owned(), "target/gapbench/results.json".to_owned()),
        ("report".to_owned(), "target/gapbench/report.html".to_owned()),
    ];
    let text = shown(&TextOptions { files, ..TextOptions::default() });
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/report/report.txt");
    if std::env::var_os("GAPBENCH_BLESS").is_some() {
        std::fs::write(path, &text).unwrap();
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    assert!(text == kept, "report.txt differs; GAPBENCH_BLESS=1 rewrites the golden files\n{text}");
}

#[test]
fn fits_its_columns_and_paints_only_when_asked() {
    for width in [80, 100, 140] {
        let text = shown(&TextOptions { width, ..TextOptions::default() });
        for line in text.lines() {
            assert!(line.chars().count() <= width, "{} columns: {line}", line.chars().count());
            assert_eq!(line, line.trim_end());
        }
        assert!(!text.contains('\u{1b}'));
    }
    let painted = shown(&TextOptions { color: true, ..TextOptions::default() });
    assert!(painted.contains("\u{1b}[1m\u{1b}[31mfail\u{1b}[0m"), "{painted}");
}

#[test]
fn hostile_names_cannot_touch_the_terminal() {
    let mut out = String::new();
    render(&mut out, &fixture::hostile(), &TextOptions::default()).unwrap();
    assert!(out.chars().all(|letter| letter == '\n' || !letter.is_control()), "{out:?}");
    assert!(!out.contains("\n##"));
}
