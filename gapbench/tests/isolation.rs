//! Whatever a benchmark does to its process, it becomes one failed row with its reason, and the others are measured.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that cannot go on fails"
)]

mod bench;

use bench::{Run, bench};
use serde_json::Value;

/// What each misbehaving benchmark of `fixtures/faulty.rs` must become: kind, and a part of the reason.
const EXPECTED: &[(&str, &str, &str)] = &[
    ("panics", "panic", "the answer is not here"),
    ("panics_with_numbers_printed", "panic", "after 2 prints"),
    ("aborts", "signal", "SIGABRT"),
    ("overflows_the_stack", "signal", "SIGABRT"),
    ("is_killed", "signal", "SIGKILL"),
    ("allocates_without_end", "signal", "SIGABRT"),
    ("exits_with_zero", "exit", "exit code 0 before the benchmark had finished"),
    ("prints_without_end", "timeout", "did not end within"),
    ("hangs", "timeout", "did not end within"),
    ("hangs_with_a_grandchild", "timeout", "did not end within"),
    ("returns_an_error", "error", "the weights are missing"),
    ("answers_wrongly", "wrong_answer", "first call"),
    ("answers_wrongly_later", "wrong_answer", "after earlier ones passed"),
    ("measures_nothing", "error", "never called `iter`"),
    ("measures_twice", "error", "called 2 times"),
    ("has_no_inputs", "error", "no-such-file.jsonl"),
];

fn failure<'a>(results: &'a Value, name: &str) -> &'a Value {
    let case = format!("faulty::{name}");
    results["targets"][0]["cases"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["case"] == case.as_str())
        .unwrap_or_else(|| panic!("no row for {case}"))
}

#[test]
fn every_fault_is_one_row_and_the_others_are_measured() {
    let run = bench("faulty", &["--bench", "--profile", "smoke", "--timeout", "2s"]);
    let results = run.results();
    for (name, kind, part) in EXPECTED {
        let outcome = &failure(&results, name)["outcome"];
        assert_eq!(outcome["status"], "failed", "{name}: {outcome}");
        assert_eq!(outcome["kind"], *kind, "{name}: {outcome}");
        assert!(outcome["reason"].as_str().unwrap().contains(part), "{name}: {outcome}");
    }
    for healthy in ["a_healthy", "z_healthy_too"] {
        assert_eq!(failure(&results, healthy)["outcome"]["status"], "measured", "{healthy}");
    }
    let skipped = &failure(&results, "needs_a_device")["outcome"];
    assert_eq!(skipped["status"], "skipped");
    assert_eq!(skipped["absent_device"], "cuda");
    assert_eq!(results["targets"][0]["cases"].as_array().unwrap().len(), EXPECTED.len() + 3);
    assert_eq!(run.code, 101, "a failed case is the number of libtest and criterion");

    // What the child printed last is the evidence; what it printed on standard output was no event.
    let tail = failure(&results, "panics_with_numbers_printed")["outcome"]["stderr_tail"].to_string();
    assert!(tail.contains("about to fail"), "{tail}");

    // The grandchild of the case that hung is gone.
    let tail = failure(&results, "hangs_with_a_grandchild")["outcome"]["stderr_tail"].to_string();
    let grandchild: u32 =
        tail.split("grandchild ").nth(1).unwrap().split('"').next().unwrap().parse().unwrap();
    assert!(!is_running(grandchild), "process {grandchild} outlived its case");
}

#[test]
fn a_required_device_that_is_absent_fails() {
    let run =
        bench("faulty", &["--bench", "--profile", "smoke", "needs_a_device", "--require-device", "cuda"]);
    let results = run.results();
    let outcome = &failure(&results, "needs_a_device")["outcome"];
    assert_eq!((&outcome["status"], &outcome["kind"]), (&"failed".into(), &"device_absent".into()));
    assert_eq!(run.code, 101);
}

/// Ctrl-C: the case in flight is not in the record, the finished one is, and no process stays.
#[test]
fn an_interrupted_run_keeps_what_it_measured() {
    let mut started = Run::start("faulty", &["--bench", "--profile", "smoke", "a_healthy|faulty::hangs$"]);
    let child = started.wait_for_child_of("faulty::hangs");
    started.signal("INT");
    let run = started.finish();
    assert_eq!(run.code, 5);
    let results = run.results();
    assert_eq!(results["targets"][0]["status"], "interrupted");
    assert_eq!(results["targets"][0]["cases"].as_array().unwrap().len(), 1);
    assert!(!is_running(child), "process {child} outlived the run");
}

/// `kill -9` on the parent: the record can be read up to the last finished case, and the child dies with it.
#[test]
fn a_killed_parent_leaves_a_readable_record_and_no_orphan() {
    let mut started = Run::start("faulty", &["--bench", "--profile", "smoke", "a_healthy|faulty::hangs$"]);
    let child = started.wait_for_child_of("faulty::hangs");
    started.signal("KILL");
    let run = started.finish();
    let record = gapbench::record::read(&run.only_record()).unwrap();
    assert_eq!(record.rows.len(), 1);
    assert!(!record.is_complete());
    for _ in 0..100 {
        if !is_running(child) {
            return;
        }
        std::thread::park_timeout(std::time::Duration::from_millis(20));
    }
    panic!("process {child} outlived its parent");
}

/// A process that exists and is no zombie.
fn is_running(id: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{id}/stat"))
        .is_ok_and(|stat| stat.rsplit(')').next().is_some_and(|rest| !rest.trim_start().starts_with('Z')))
}
