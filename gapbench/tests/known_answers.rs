//! A bench binary whose numbers are known beforehand: what gapbench reports must be those.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that cannot go on fails"
)]

mod bench;

use std::fs;

use bench::{Run, bench};
use gapbench::record::{Data, InputSet, Metric, Record, Series};
use serde_json::Value;

fn record(run: &Run) -> Record {
    gapbench::record::read(&run.only_record()).unwrap()
}

fn series(record: &Record, metric: Metric, inputs: Option<InputSet>) -> &Series {
    record
        .rows
        .iter()
        .flat_map(|row| &row.series)
        .find(|series| series.metric == metric && series.inputs == inputs)
        .unwrap_or_else(|| panic!("no {metric} on {inputs:?}"))
}

fn values(series: &Series) -> Vec<f64> {
    match &series.data {
        Data::Values { values, .. } => values.clone(),
        other => panic!("{other:?}"),
    }
}

fn claim<'a>(results: &'a Value, id: &str) -> &'a Value {
    let claims = results["targets"][0]["judgement"]["claims"].as_array().unwrap();
    claims.iter().find(|verdict| verdict["claim"]["id"] == id).unwrap_or_else(|| panic!("no claim {id}"))
}

/// A sleep of 2 ms takes at least 2 ms, and the fastest of many hardly more. Each axis value is a case of its own.
#[test]
fn sleeps_take_what_they_take() {
    let run = bench("known", &["--bench", "--profile", "smoke", "sleeps"]);
    let record = record(&run);
    assert_eq!(record.rows.len(), 2);
    for (row, millis) in record.rows.iter().zip([2.0, 4.0]) {
        assert_eq!(row.case.0, format!("known::sleeps::millis={millis}"));
        let mut times = values(row.series.iter().find(|series| series.metric == Metric::LatencyE2e).unwrap());
        times.sort_by(f64::total_cmp);
        assert!(times[0] >= millis * 1e-3, "{} s for a sleep of {millis} ms", times[0]);
        assert!(times[0] < millis * 1e-3 + 0.5e-3, "{} s for a sleep of {millis} ms", times[0]);
    }
}

#[test]
fn a_model_with_known_numbers() {
    let run = bench("known", &["--bench", "--profile", "quick", "--measurement-time", "0.2", "model"]);
    let record = record(&run);
    assert_eq!(run.code, 0, "{}", run.stderr);

    // Right on 30 of 40, and on 20 of 40.
    for (set, successes) in [(InputSet::Paper, 30), (InputSet::Own, 20)] {
        let data = &series(&record, Metric::QualityAccuracy, Some(set)).data;
        assert_eq!(*data, Data::Counts { successes, trials: 40 });
        let times = values(series(&record, Metric::LatencyE2e, Some(set)));
        assert!(times.len() >= 40 && times.iter().all(|time| *time >= 3e-3));
        let Data::Rates { batches } = &series(&record, Metric::ThroughputRequests, Some(set)).data else {
            panic!()
        };
        let (work, seconds) =
            batches.iter().fold((0.0, 0.0), |sum, batch| (sum.0 + batch.work, sum.1 + batch.seconds));
        assert!(work / seconds <= 1.0 / 3e-3, "{} requests/s of 3 ms each", work / seconds);
    }

    // The file's size is exact; 64 MiB were touched, and the process is small besides.
    let size = fs::metadata("tests/fixtures/known-paper.jsonl").unwrap().len() as f64;
    assert_eq!(series(&record, Metric::MemoryModelBytes, None).data, Data::Exact { value: size });
    for peak in values(series(&record, Metric::MemoryHostPeak, Some(InputSet::Paper))) {
        let mib = peak / f64::from(1 << 20);
        assert!((64.0..84.0).contains(&mib), "{mib} MiB for a model of 64 MiB");
    }

    // Seven fresh processes; phases are at least as long as their sleeps and sum to the total.
    let phases = &record.rows[0].phases;
    let at_least = [("tokenizer", 20e-3), ("weights", 30e-3), ("first answer", 3e-3)];
    for (name, seconds) in at_least {
        let phase =
            phases.iter().find(|phase| phase.name == name).unwrap_or_else(|| panic!("no phase {name}"));
        assert_eq!(phase.seconds.len(), 7);
        assert!(phase.seconds.iter().all(|time| *time >= seconds), "{phase:?}");
    }
    let totals = values(series(&record, Metric::ColdTotal, Some(InputSet::Paper)));
    for (start, total) in totals.iter().enumerate() {
        let sum: f64 = phases.iter().map(|phase| phase.seconds[start]).sum();
        assert!((sum - total).abs() < 1e-6, "phases sum to {sum} s, the total is {total} s");
    }
    let unaccounted = phases.iter().find(|phase| phase.name == "unaccounted").unwrap();
    // The machine's other work can only add to it, so the least disturbed start shows what is ours.
    let shares = unaccounted.seconds.iter().zip(&totals).map(|(rest, total)| rest / total);
    let least = shares.fold(f64::INFINITY, f64::min);
    assert!(least <= 0.01, "at least {least} of each start is unaccounted for: {unaccounted:?}");

    let results = run.results();
    // Paper 75 %, reproduced 75 %, own inputs 50 %: a third of the declared goodness is lost, all of it to the inputs.
    let steps = claim(&results, "accuracy")["ladder"]["steps"].clone();
    let estimates: Vec<f64> = steps
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["estimate"]["interval"]["value"].as_f64().unwrap())
        .collect();
    assert_eq!(estimates, [0.75, 0.75, 0.5]);
    let gap = claim(&results, "accuracy")["ladder"]["gap"].as_f64().unwrap();
    assert!((gap - 1.0 / 3.0).abs() < 1e-9, "{gap}");

    assert_eq!(claim(&results, "impossible")["verdict"], "fail");
    let other = claim(&results, "other-model");
    assert_eq!(other["verdict"], "not-comparable");
    assert!(other["reason"].as_str().unwrap().contains("somebody-else"), "{other}");
    let clients = claim(&results, "fifty-clients");
    assert_eq!(clients["verdict"], "not-comparable");
    assert!(clients["reason"].as_str().unwrap().contains("concurrency"), "{clients}");
}

/// `--only` means only: a part that was declared and not asked for leaves no number.
#[test]
fn only_what_was_asked_for_is_measured() {
    let run = bench("known", &["--bench", "--profile", "smoke", "--only", "memory", "model"]);
    let row = record(&run).rows.remove(0);
    let metrics: Vec<Metric> = row.series.iter().map(|series| series.metric).collect();
    let memory =
        [Metric::MemoryHostPeak, Metric::MemoryHostLoaded, Metric::MemoryHostRequest, Metric::MemoryHostIdle];
    assert_eq!((&metrics[..], row.phases), (&memory[..], vec![]));
}

#[test]
fn a_gate_stops_what_the_policy_names() {
    let words = ["--bench", "--profile", "smoke", "--only", "latency", "model"];
    assert_eq!(bench("known", &words).code, 0);
    assert_eq!(bench("known", &[&words[..], &["--gate"]].concat()).code, 1);
}

/// Half of the requests fail: they count as wrong, have no latency, and the report says so.
#[test]
fn failed_requests_are_counted() {
    let run = bench("known", &["--bench", "--profile", "smoke", "unreliable"]);
    let record = record(&run);
    let row = &record.rows[0];
    let note = row.notes.iter().find(|note| note.code == "failed_requests").expect("a note");
    assert!(note.text.contains("20 of 40 requests"), "{}", note.text);
    // Ids from 1 to 40; the 20 odd ones are answered, 10 of them are the hard ones with another right answer.
    let Data::Counts { successes, trials } =
        series(&record, Metric::QualityAccuracy, Some(InputSet::Own)).data
    else {
        panic!()
    };
    assert_eq!((successes, trials), (20, 40));
}

#[test]
fn a_debug_build_is_held_against_no_claim_of_time() {
    let home = tempfile::tempdir().unwrap();
    let output = std::process::Command::new(bench::program("known"))
        .args(["--bench", "--profile", "smoke", "model"])
        .env("GAPBENCH_HOME", home.path())
        .env("CRITERION_HOME", home.path().join("criterion"))
        .env("GAPBENCH_NOPLOT", "1")
        .env("KNOWN_IS_A_DEBUG_BUILD", "1")
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("without optimisation"));
    let results: Value =
        serde_json::from_slice(&fs::read(home.path().join("results.json")).unwrap()).unwrap();
    assert_eq!(claim(&results, "impossible")["verdict"], "not-comparable");
    assert_ne!(
        claim(&results, "accuracy")["verdict"],
        "not-comparable",
        "a score does not depend on the build"
    );
}
