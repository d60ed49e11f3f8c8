//! The replay into criterion, on disk.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests")]
#![cfg(feature = "criterion-report")]

#[allow(dead_code)]
#[path = "golden/report/fixture.rs"]
mod fixture;

use std::fs;
use std::path::Path;

use gapbench::record::{Data, Metric, Outcome, Record, Series};
use gapbench::report::criterion::{ReplayJob, replay};
use gapbench::report::replayable::{ReplayItem, Replayable, Work};

const GROUP: &str = "intent_classifier__paper__intent";

fn job(home: &Path, items: Vec<ReplayItem>) -> ReplayJob {
    ReplayJob {
        home: home.to_owned(),
        save_baseline: None,
        baseline: None,
        plots: false,
        items,
        page: "<!doctype html><title>the verdicts</title>".to_owned(),
    }
}

fn times(folder: &Path) -> (Vec<f64>, Vec<f64>) {
    let json: serde_json::Value =
        serde_json::from_slice(&fs::read(folder.join("sample.json")).unwrap()).unwrap();
    assert_eq!(json["sampling_mode"], "Flat");
    let numbers = |name: &str| -> Vec<f64> { serde_json::from_value(json[name].clone()).unwrap() };
    (numbers("iters"), numbers("times"))
}

fn items_of(record: &Record) -> Replayable {
    let mut found = Replayable::default();
    for row in &record.rows {
        found.add(&record.header.target, row);
    }
    found
}

#[test]
fn replays_saves_and_compares() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("criterion");
    let found = items_of(&fixture::record());
    assert_eq!(found.left_out, vec![]);
    let items = found.items;
    assert_eq!(items.len(), 1);
    assert_eq!(items[0].group, "intent_classifier::paper::intent");
    assert_eq!(items[0].id, "own inputs");

    let mut first = job(&home, items.clone());
    first.save_baseline = Some("v1".to_owned());
    first.plots = true;
    replay(&first).unwrap();
    let benchmark = home.join(GROUP).join("own inputs");
    for name in ["new/estimates.json", "v1/estimates.json", "v1/sample.json", "report/index.html"] {
        assert!(benchmark.join(name).is_file(), "{name}");
    }
    assert!(!benchmark.join("change").exists());
    let (iterations, nanos) = times(&benchmark.join("new"));
    assert_eq!(nanos, items[0].nanos);
    assert!(iterations.iter().all(|count| *count == 1.0));

    // The second run is a tenth slower and is compared with the first.
    let mut slower = items.clone();
    slower[0].nanos.iter_mut().for_each(|nanos| *nanos *= 1.1);
    let mut second = job(&home, slower.clone());
    second.baseline = Some(("v1".to_owned(), false));
    replay(&second).unwrap();
    assert_eq!(times(&benchmark.join("new")).1, slower[0].nanos);
    assert_eq!(times(&benchmark.join("v1")).1, items[0].nanos);
    let change: serde_json::Value =
        serde_json::from_slice(&fs::read(benchmark.join("change/estimates.json")).unwrap()).unwrap();
    let mean = change["mean"]["point_estimate"].as_f64().unwrap();
    assert!((mean - 0.1).abs() < 1e-9, "{mean}");

    // Without that baseline the comparison of the second run does not stay behind.
    let mut third = job(&home, items);
    third.save_baseline = Some("v3".to_owned());
    replay(&third).unwrap();
    assert!(!benchmark.join("change").exists());

    let index = fs::read_to_string(home.join("report/index.html")).unwrap();
    assert!(index.contains("../gap-report/report/index.html"), "{index}");
    assert!(index.contains("own inputs"), "{index}");
    let page = fs::read_to_string(home.join("gap-report/report/index.html")).unwrap();
    assert!(page.contains("the verdicts"));
    assert!(!home.join("gap-report/new/estimates.json").exists());
}

#[test]
fn a_missing_baseline_is_named_and_the_rest_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let item = |id: &str| ReplayItem {
        group: "g".to_owned(),
        id: id.to_owned(),
        throughput: Some(Work::Elements(8)),
        nanos: (1..=20).map(f64::from).collect(),
    };
    let mut first = job(folder.path(), vec![item("old")]);
    first.save_baseline = Some("v1".to_owned());
    replay(&first).unwrap();
    let mut strict = job(folder.path(), vec![item("new"), item("old")]);
    strict.baseline = Some(("v1".to_owned(), false));
    let error = replay(&strict).unwrap_err();
    assert!(
        error.contains("g/new: there is no baseline `v1`") && error.contains("--baseline-lenient v1"),
        "{error}"
    );
    assert!(!error.contains("g/old"), "{error}");
    assert!(folder.path().join("g/old/change/estimates.json").is_file());
    assert!(!folder.path().join("g/new").exists());
    let mut lenient = strict.clone();
    lenient.baseline = Some(("v1".to_owned(), true));
    replay(&lenient).unwrap();
    assert!(folder.path().join("g/new/new/estimates.json").is_file());
}

#[test]
fn constants_twice_with_plots_do_not_panic() {
    let folder = tempfile::tempdir().unwrap();
    let constant =
        ReplayItem { group: "g".into(), id: "flat".into(), throughput: None, nanos: vec![7.5; 12] };
    let mut job = job(folder.path(), vec![constant]);
    job.plots = true;
    replay(&job).unwrap();
    replay(&job).unwrap();
    job.items[0].nanos = (1..=12).map(f64::from).collect();
    replay(&job).unwrap();
    assert_eq!(times(&folder.path().join("g/flat/new")).1.len(), 12);
}

#[test]
fn what_criterion_cannot_show_is_left_out_with_a_reason() {
    let series = |metric, values: Vec<f64>| Series {
        metric,
        inputs: None,
        conditions: Default::default(),
        data: Data::Values { values, calls_per_value: 1 },
    };
    let mut record: Record = fixture::record();
    let mut row = fixture::row("paper::kernel::rows=2048", Outcome::Measured);
    let with_zero: Vec<f64> = (0..20).map(f64::from).collect();
    row.series = vec![
        series(Metric::LatencyE2e, vec![1.0; 9]),
        series(Metric::LatencyKernel, with_zero),
        series(Metric::LatencyTtft, (1..=1200).map(f64::from).collect()),
        series(Metric::ColdTotal, vec![1.0; 20]),
    ];
    record.rows = vec![row];
    let found = items_of(&record);
    let ids: Vec<_> = found.items.iter().map(|item| (item.id.as_str(), item.nanos.len())).collect();
    assert_eq!(ids, [("rows=2048 kernel", 19), ("rows=2048 ttft", 500)]);
    let reasons: Vec<_> = found.left_out.iter().map(|left| left.reason.as_str()).collect();
    assert_eq!(reasons.len(), 3, "{reasons:?}");
    assert!(reasons[0].starts_with("9 observations"), "{reasons:?}");
    assert!(reasons[1].starts_with("1 of 20 observations"), "{reasons:?}");
    assert!(reasons[2].starts_with("700 of 1200"), "{reasons:?}");

    let folder = tempfile::tempdir().unwrap();
    let zero = ReplayItem { group: "g".into(), id: "zero".into(), throughput: None, nanos: vec![0.0; 12] };
    assert!(replay(&job(folder.path(), vec![zero])).unwrap_err().contains("above zero"));
}
