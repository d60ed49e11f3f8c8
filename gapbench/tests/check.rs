//! Every exit code of `cargo gapbench check`, by running it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests")]

#[allow(dead_code)]
#[path = "golden/report/fixture.rs"]
mod fixture;

use std::fs;
use std::path::Path;
use std::process::Command;

use gapbench::judge::{Judgement, Verdict};
use gapbench::record::{Outcome, Record};
use gapbench::report::results::{TargetResults, update};

struct Said {
    code: i32,
    out: String,
    complaints: String,
}

/// Runs the binary in `folder` with nothing of ours in its environment but `variables`.
fn run(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-gapbench"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("GAPBENCH_") {
            command.env_remove(name);
        }
    }
    command.env_remove("CARGO_TARGET_DIR").current_dir(folder).args(arguments);
    let output = command.envs(variables.iter().copied()).output().unwrap();
    Said {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        complaints: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A folder whose `target/gapbench/results.json` holds this.
fn with(change: impl FnOnce(&mut Record, &mut Judgement)) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let (mut record, mut judgement) = (fixture::record(), fixture::judgement());
    change(&mut record, &mut judgement);
    write(folder.path(), TargetResults::new(&record, judgement, "runs/1/record.jsonl".as_ref()));
    folder
}

fn write(folder: &Path, target: TargetResults) {
    update(&folder.join("target/gapbench/results.json"), &target, 1_767_323_100).unwrap();
}

/// No failed case, and only claims of these verdicts.
fn only(record: &mut Record, judgement: &mut Judgement, verdicts: &[Verdict]) {
    record.rows.retain(|row| !matches!(row.outcome, Outcome::Failed(_)));
    record.header.planned = record.rows.len();
    judgement.claims.retain(|claim| verdicts.contains(&claim.verdict));
}

#[test]
fn zero_when_nothing_stops() {
    let folder = with(|record, judgement| only(record, judgement, &[Verdict::Within, Verdict::OnPar]));
    for arguments in [&["gapbench", "check"][..], &["check"], &["check", "--strict"]] {
        let said = run(folder.path(), arguments, &[]);
        assert_eq!(said.code, 0, "{}{}", said.out, said.complaints);
        assert!(said.out.contains("nothing stops"), "{}", said.out);
    }
    // Found from a package's folder too.
    let deep = folder.path().join("crates/model");
    fs::create_dir_all(&deep).unwrap();
    assert_eq!(run(&deep, &["check"], &[]).code, 0);
}

#[test]
fn one_for_a_gated_verdict_with_how_much_from_where_and_when() {
    let folder = with(|record, judgement| only(record, judgement, &[Verdict::Fail]));
    let said = run(folder.path(), &["check"], &[]);
    assert_eq!(said.code, 1, "{}", said.out);
    for part in [
        "stops  fail  accuracy-noisy (paper::intent): 66.3 % against 92.2 %",
        "ratio 71.9 % [69.9..73.9], the floor is 75.0 %",
        "record runs/1/record.jsonl",
        "complete run of 2026-01-02 03:04:05 UTC",
        "written 2026-01-02 03:05:00 UTC",
        "exit 1: 1 thing stops",
    ] {
        assert!(said.out.contains(part), "{part} is not in\n{}", said.out);
    }
}

#[test]
fn one_for_a_failed_case_and_for_every_word() {
    let folder = with(|_, judgement| judgement.claims.clear());
    let said = run(folder.path(), &["check"], &[]);
    assert_eq!(said.code, 1, "{}", said.out);
    assert!(
        said.out.contains("stops  failed  paper::tokenize::length=1000000: index out of"),
        "{}",
        said.out
    );

    let folder = with(|_, _| {});
    for (words, stops) in [
        ("fail", "fail  accuracy-noisy"),
        ("unclear", "unclear  tail"),
        ("not-comparable", "not comparable  peak-rate"),
        ("slower", "slower  paper::intent latency.e2e to 86.9 % [85.0..89.0] of the earlier"),
        ("failed", "failed  paper::tokenize"),
    ] {
        for said in [
            run(folder.path(), &["check", "--fail-on", words], &[]),
            run(folder.path(), &["check"], &[("GAPBENCH_FAIL_ON", words)]),
        ] {
            assert_eq!(said.code, 1, "{words}: {}", said.out);
            assert!(said.out.contains(&format!("  stops  {stops}")), "{words}: {}", said.out);
            assert_eq!(said.out.matches("  stops  ").count(), 1, "{words}: {}", said.out);
        }
    }
    assert_eq!(run(folder.path(), &["check", "--fail-on", "gap"], &[]).code, 0);
    let both = run(folder.path(), &["check", "--fail-on", "gap,slower", "--fail-on", "failed"], &[]);
    assert!(both.out.contains("exit 1: 2 things stop"), "{}", both.out);
}

#[test]
fn a_fail_that_chance_explains_does_not_stop() {
    let folder = with(|record, judgement| {
        only(record, judgement, &[Verdict::Fail]);
        judgement.claims[0].gated = false;
        judgement.claims[0].p_fail_holm = Some(0.4);
    });
    for arguments in [&["check"][..], &["check", "--fail-on", "fail"]] {
        let said = run(folder.path(), arguments, &[]);
        assert_eq!(said.code, 0, "{}", said.out);
        assert!(said.out.contains("noted  fail"), "{}", said.out);
    }
}

#[test]
fn two_for_usage_and_broken_input() {
    let folder = with(|_, _| {});
    let said = run(folder.path(), &["check", "--fail-on", "slow"], &[]);
    assert_eq!(said.code, 2);
    for word in ["slow", "fail", "gap", "unclear", "not-comparable", "slower", "failed"] {
        assert!(said.complaints.contains(word), "{}", said.complaints);
    }
    assert_eq!(run(folder.path(), &["check"], &[("GAPBENCH_FAIL_ON", "slow")]).code, 2);
    assert_eq!(run(folder.path(), &["check"], &[("GAPBENCH_STRICT", "perhaps")]).code, 2);
    assert_eq!(run(folder.path(), &["check", "--frobnicate"], &[]).code, 2);
    assert_eq!(run(folder.path(), &["frobnicate"], &[]).code, 2);
    assert_eq!(run(folder.path(), &[], &[]).code, 2);
    assert_eq!(run(folder.path(), &["check", "--results", "elsewhere.json"], &[]).code, 2);
    let path = folder.path().join("target/gapbench/results.json");
    fs::write(&path, "{").unwrap();
    let said = run(folder.path(), &["check"], &[]);
    assert_eq!(said.code, 2);
    assert!(said.complaints.contains("not a gapbench results file"), "{}", said.complaints);
    fs::write(&path, "{\"schema\":\"gapbench.results\",\"version\":99}").unwrap();
    let said = run(folder.path(), &["check"], &[]);
    assert_eq!(said.code, 2);
    assert!(said.complaints.contains("newer gapbench"), "{}", said.complaints);
}

#[test]
fn three_for_unclear_with_strict() {
    let folder = with(|record, judgement| only(record, judgement, &[Verdict::Unclear, Verdict::Within]));
    assert_eq!(run(folder.path(), &["check"], &[]).code, 0);
    assert_eq!(run(folder.path(), &["check"], &[("GAPBENCH_STRICT", "0")]).code, 0);
    for said in [
        run(folder.path(), &["check", "--strict"], &[]),
        run(folder.path(), &["check"], &[("GAPBENCH_STRICT", "1")]),
    ] {
        assert_eq!(said.code, 3, "{}", said.out);
        assert!(
            said.out.contains("unclear  tail") && said.out.contains("the line is 80.0 %"),
            "{}",
            said.out
        );
    }
}

#[test]
fn four_when_nothing_was_run_or_measured() {
    let empty = tempfile::tempdir().unwrap();
    let said = run(empty.path(), &["check"], &[]);
    assert_eq!(said.code, 4, "{}", said.complaints);
    assert!(said.complaints.contains("cargo bench"), "{}", said.complaints);
    let skipped = with(|record, judgement| {
        record.rows.retain(|row| matches!(row.outcome, Outcome::Skipped { .. }));
        record.header.planned = record.rows.len();
        *judgement = Judgement::default();
    });
    let said = run(skipped.path(), &["check"], &[]);
    assert_eq!(said.code, 4, "{}", said.out);
    assert!(
        said.out.contains("skipped  paper::kernel") && said.out.contains("no CUDA driver"),
        "{}",
        said.out
    );
}

#[test]
fn five_for_an_incomplete_run() {
    let folder = with(|record, judgement| {
        only(record, judgement, &[Verdict::Within]);
        record.header.planned = 9;
        record.end = None;
    });
    let said = run(folder.path(), &["check", "--strict"], &[]);
    assert_eq!(said.code, 5, "{}", said.out);
    assert!(said.out.contains("cut short: 7 of 9 cases missing"), "{}", said.out);
}

#[test]
fn results_are_found_where_they_are_said_to_be() {
    let folder = with(|record, judgement| only(record, judgement, &[Verdict::Within]));
    let elsewhere = tempfile::tempdir().unwrap();
    let results = folder.path().join("target/gapbench");
    let file = results.join("results.json");
    for path in [results.to_str().unwrap(), file.to_str().unwrap()] {
        assert_eq!(run(elsewhere.path(), &["check", "--results", path], &[]).code, 0);
        assert_eq!(run(elsewhere.path(), &["check"], &[("GAPBENCH_RESULTS", path)]).code, 0);
    }
    assert_eq!(run(elsewhere.path(), &["check"], &[("GAPBENCH_HOME", results.to_str().unwrap())]).code, 0);
    let target = folder.path().join("target");
    assert_eq!(run(elsewhere.path(), &["check"], &[("CARGO_TARGET_DIR", target.to_str().unwrap())]).code, 0);
    assert_eq!(run(elsewhere.path(), &["check"], &[]).code, 4);
}

#[test]
fn help_and_version_are_no_mistakes() {
    let here = tempfile::tempdir().unwrap();
    let help = run(here.path(), &["gapbench", "check", "--help"], &[]);
    assert_eq!(help.code, 0);
    assert!(help.out.contains("Exit codes: 0") && help.out.contains("cargo gapbench check"), "{}", help.out);
    assert_eq!(run(here.path(), &["gapbench", "--version"], &[]).code, 0);
}

#[test]
fn claims_files_with_mistakes_are_two() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("broken.toml"), "schema = [").unwrap();
    let said = run(folder.path(), &["check-claims", "broken.toml", "absent.toml"], &[]);
    assert_eq!(said.code, 2);
    assert!(said.complaints.contains("error: broken.toml:1:"), "{}", said.complaints);
    assert!(said.complaints.contains("absent.toml: "), "{}", said.complaints);
    assert_eq!(run(folder.path(), &["check-claims"], &[]).code, 2);
}
