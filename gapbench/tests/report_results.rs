//! The canonical file and the pages derived from it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests")]

#[allow(dead_code)]
#[path = "golden/report/fixture.rs"]
mod fixture;

use std::fs;
use std::thread;

use gapbench::record::Outcome;
use gapbench::report::results::{
    Results, ResultsError, SCHEMA, Status, TargetResults, VERSION, list, read, update,
};
use gapbench::report::sections::Sections;
use gapbench::report::{html, markdown};

const NOW: u64 = 1_767_323_100;

/// The page of one target.
fn html_page(target: &TargetResults) -> String {
    html::page(&[html::section(target)], NOW)
}

fn verdict_page(target: &TargetResults, remarks: &[String]) -> String {
    html::verdict_page(&[html::verdict_section(target)], NOW, "../../../gapbench/report.html", remarks)
}

fn markdown_page(target: &TargetResults) -> String {
    markdown::page(&[markdown::section(target)], NOW)
}

fn golden(name: &str, text: &str) {
    let path = format!("{}/tests/golden/report/{name}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("GAPBENCH_BLESS").is_some() {
        fs::write(&path, text).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(text == kept, "{name} differs; GAPBENCH_BLESS=1 rewrites the golden files\n{text}");
}

#[test]
fn golden_json_round_trips_and_holds_no_null() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("results.json");
    let updated = update(&path, &fixture::target(), NOW).unwrap();
    assert_eq!(updated.warnings, Vec::<String>::new());
    let text = fs::read_to_string(&path).unwrap();
    assert!(!text.contains("null"), "{text}");
    let read = read(&path).unwrap();
    assert_eq!(
        read,
        Results {
            schema: SCHEMA.to_owned(),
            version: VERSION,
            generated_unix: NOW,
            targets: vec![fixture::target()]
        }
    );
    // The file has one line per target; the kept copy has one per field, so that a difference can be read.
    golden("results.json", &(serde_json::to_string_pretty(&read).unwrap() + "\n"));
}

#[test]
fn what_is_no_number_is_absent() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("results.json");
    let mut judgement = fixture::judgement();
    judgement.claims[0].ratio.as_mut().unwrap().value = f64::NAN;
    judgement.measured[0].estimate.interval.value = f64::INFINITY;
    let mut record = fixture::record();
    record.rows[0].phases[0].seconds[0] = f64::NAN;
    update(&path, &TargetResults::new(&record, judgement, "r".as_ref()), NOW).unwrap();
    let back = read(&path).unwrap();
    assert_eq!(back.targets[0].judgement.claims[0].ratio, None);
    assert_eq!(back.targets[0].judgement.measured.len(), 2);
    assert_eq!(back.targets[0].cases[0].phases[0].seconds.len(), 2);
    assert!(!fs::read_to_string(&path).unwrap().contains("null"));
}

#[test]
fn status_follows_the_record() {
    let status = |change: fn(&mut gapbench::record::Record)| {
        let mut record = fixture::record();
        change(&mut record);
        TargetResults::new(&record, fixture::judgement(), "r".as_ref())
    };
    assert_eq!(status(|_| {}).status, Status::Complete);
    assert_eq!(
        status(|record| record.end.as_mut().unwrap().status = "interrupted".into()).status,
        Status::Interrupted
    );
    let cut = status(|record| record.end = None);
    assert_eq!((cut.status, cut.wall_seconds), (Status::CutShort, None));
    assert_eq!(status(|record| record.header.planned = 4).status, Status::CutShort);
}

#[test]
fn one_entry_per_target() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/results.json");
    update(&path, &fixture::target(), NOW).unwrap();
    let mut other = fixture::target();
    other.header.target.bench = "another".to_owned();
    update(&path, &other, NOW).unwrap();
    let mut again = fixture::target();
    again.cases.truncate(1);
    let updated = update(&path, &again, NOW + 1).unwrap();
    let names: Vec<_> = updated.runs.iter().map(|run| run.target.to_string()).collect();
    assert_eq!(names, ["intent-classifier/another", "intent-classifier/paper"]);
    assert_eq!(list(&path).unwrap(), updated.runs);
    let read = read(&path).unwrap();
    assert_eq!(read.targets, [other, again]);
    assert_eq!(read.generated_unix, NOW + 1);
}

#[test]
fn targets_that_end_together_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("results.json");
    thread::scope(|scope| {
        for number in 0..8 {
            let path = &path;
            scope.spawn(move || {
                let mut target = fixture::target();
                target.header.target.bench = format!("bench-{number}");
                update(path, &target, NOW).unwrap();
            });
        }
    });
    assert_eq!(read(&path).unwrap().targets.len(), 8);
}

#[test]
fn broken_is_moved_aside_and_newer_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("results.json");
    for (count, broken) in ["{", "{\"schema\":\"other\",\"version\":1}", ""].into_iter().enumerate() {
        fs::write(&path, broken).unwrap();
        assert!(matches!(read(&path), Err(ResultsError::Broken(..))));
        let updated = update(&path, &fixture::target(), NOW).unwrap();
        assert_eq!(updated.warnings.len(), 1);
        let name = if count == 0 { ".broken".to_owned() } else { format!(".broken.{}", count + 1) };
        let aside = folder.path().join(format!("results.json{name}"));
        assert_eq!(fs::read_to_string(aside).unwrap(), broken);
    }
    let newer = format!("{{\"schema\":\"{SCHEMA}\",\"version\":{}}}", VERSION + 1);
    fs::write(&path, &newer).unwrap();
    let error = update(&path, &fixture::target(), NOW).unwrap_err();
    assert!(matches!(error, ResultsError::Newer(_, 2)), "{error}");
    assert!(error.to_string().contains("newer gapbench"));
    assert_eq!(fs::read_to_string(&path).unwrap(), newer);
    assert!(matches!(read(&folder.path().join("none")), Err(ResultsError::Missing(_))));
}

#[test]
fn pages_are_golden() {
    golden("report.md", &markdown_page(&fixture::target()));
    golden("report.html", &html_page(&fixture::target()));
}

#[test]
fn sections_are_pasted_from_the_folders_of_their_runs() {
    let folder = tempfile::tempdir().unwrap();
    let own = Sections::of(&fixture::target());
    own.write(folder.path()).unwrap();
    let mut pasted = Sections::default();
    pasted.read(folder.path()).unwrap();
    assert_eq!(pasted, own);
    // A run that somebody removed adds nothing.
    assert!(pasted.read(&folder.path().join("gone")).is_err());
    assert_eq!(pasted, own);
}

#[test]
fn hostile_names_are_text_everywhere() {
    let hostile = fixture::hostile();
    for page in [html_page(&hostile), verdict_page(&hostile, &[])] {
        assert!(!page.contains("<script"), "{page}");
        assert!(!page.contains("href=\"javascript"), "{page}");
        assert!(!page.contains('\u{1b}'));
        assert!(page.contains("&lt;script&gt;"));
    }
    let page = markdown_page(&hostile);
    for line in page.lines().filter(|line| !line.starts_with("    ")) {
        let line = &line.replace("\\]", "");
        assert!(
            !line.contains("<script") && !line.contains("@you") && !line.contains("](javascript"),
            "{line}"
        );
        assert!(!line.starts_with('#') || line.starts_with("## "), "{line}");
    }
    let rows: Vec<_> = page.lines().filter(|line| line.starts_with("| **gap**")).collect();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].replace("\\|", "").matches('|').count(), 8);
}

#[test]
fn verdict_page_links_to_the_report() {
    let remark = vec!["a remark".to_owned()];
    let page = verdict_page(&fixture::target(), &remark);
    assert!(page.contains("href=\"../../../gapbench/report.html\""));
    assert!(page.contains("accuracy-noisy") && page.contains("a remark") && !page.contains(">Measured<"));
}

#[test]
fn empty_results_have_pages_too() {
    assert!(markdown::page(&[], NOW).contains("Nothing was run"));
    assert!(html::page(&[], NOW).contains("Nothing was run"));
}

#[test]
fn step_summary_is_appended_and_cut_at_the_limit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("summary.md");
    fs::write(&path, "before\n").unwrap();
    assert!(markdown::append_step_summary(&path, "first µ\n").unwrap());
    let long = "a row µ\n".repeat(200_000);
    assert!(!markdown::append_step_summary(&path, &long).unwrap());
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.starts_with("before\n\nfirst µ\n") && text.contains("**Cut here"));
    assert!(text.len() <= markdown::STEP_SUMMARY_BYTES, "{}", text.len());
    assert!(text.len() > markdown::STEP_SUMMARY_BYTES - 200);
    assert!(!markdown::append_step_summary(&path, &long).unwrap());
    assert_eq!(fs::read_to_string(&path).unwrap().len(), text.len());
}

#[test]
fn outcomes_survive() {
    let target = fixture::target();
    assert!(matches!(target.cases[1].outcome, Outcome::Failed(_)));
    assert_eq!(target.record, "runs/20260102T030405Z-1/record.jsonl");
    assert_eq!(target.cases[0].phases[1].median, Some(0.31));
}
