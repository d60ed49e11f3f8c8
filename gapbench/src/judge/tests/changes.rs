//! Against an earlier record.

use super::fixtures::{change, counts, declared, disturbed, rates, record, row, series, spread, values};
use crate::judge::{Change, ChangeVerdict, judge};
use crate::record::{CaseRow, Condition, Data, InputSet, Metric, Outcome, Record};

const LATENCY: Metric = Metric::LatencyE2e;

fn latency(centre: f64, half: f64, n: usize) -> CaseRow {
    row(vec![series(LATENCY, spread(centre, half, n))])
}

fn check(found: &ChangeVerdict, change: Change, reason: &str) {
    assert_eq!((found.change, found.reason.as_str()), (change, reason));
    assert_eq!(found.baseline, "run-1");
}

#[test]
fn times() {
    let before = || latency(0.1, 0.005, 1000);
    check(
        &change(latency(0.08, 0.005, 1000), before()),
        Change::Faster,
        "median 80.0 ms, before median 100 ms: 125.0 % as good as before (124.0..126.0 %), wholly beyond the \
         threshold of 5 %",
    );
    check(
        &change(latency(0.12, 0.005, 1000), before()),
        Change::Slower,
        "median 120 ms, before median 100 ms: 83.3 % as good as before (82.8..83.9 %), wholly beyond the threshold \
         of 5 %",
    );
    check(
        &change(latency(0.101, 0.005, 1000), before()),
        Change::Same,
        "median 101 ms, before median 100 ms: 99.0 % as good as before (98.3..99.7 %), inside the threshold of 5 %",
    );
    check(
        &change(latency(0.1055, 0.005, 1000), before()),
        Change::Ambiguous,
        "median 106 ms, before median 100 ms: 94.8 % as good as before (94.1..95.4 %) straddles the threshold of 5 \
         %; about 9,600 observations a side would decide",
    );
    check(
        &change(latency(0.1, 0.005, 5), before()),
        Change::Ambiguous,
        "median 100 ms, before median 100 ms: 100.0 % as good as before (?..? %) straddles the threshold of 5 %; \
         now: the upper end of the median needs at least 7 observations, and there are 5",
    );
}

#[test]
fn rates_and_sizes_have_their_own_direction() {
    let rate = |work: f64| {
        row(vec![series(Metric::ThroughputTokens, rates(&[work, work * 1.01, work, work * 0.99]))])
    };
    assert_eq!(change(rate(120.0), rate(100.0)).change, Change::Faster);
    assert_eq!(change(rate(80.0), rate(100.0)).change, Change::Slower);
    assert_eq!(change(rate(100.0), rate(100.0)).change, Change::Same);
    let size = |value| row(vec![series(Metric::MemoryModelBytes, Data::Exact { value })]);
    assert_eq!(change(size(104.0), size(100.0)).change, Change::Same);
    assert_eq!(change(size(110.0), size(100.0)).change, Change::Slower);
    assert_eq!(change(size(0.0), size(0.0)).change, Change::Ambiguous);
}

#[test]
fn scores() {
    let share = |metric, successes| row(vec![series(metric, counts(successes, 1000))]);
    let accuracy = Metric::QualityAccuracy;
    check(
        &change(share(accuracy, 850), share(accuracy, 900)),
        Change::Slower,
        "85.0 %, before 90.0 %: -5.0 points (-7.9..-2.1), beyond the noise",
    );
    check(
        &change(share(accuracy, 890), share(accuracy, 900)),
        Change::Same,
        "89.0 %, before 90.0 %: -1.0 points (-3.7..+1.7), inside the noise",
    );
    assert_eq!(change(share(accuracy, 950), share(accuracy, 900)).change, Change::Faster);
    let wer = Metric::QualityWer;
    assert_eq!(change(share(wer, 100), share(wer, 50)).change, Change::Slower);
    let loss = |value: f64| row(vec![series(Metric::QualityNll, Data::Exact { value })]);
    check(
        &change(loss(2.002), loss(2.0)),
        Change::Slower,
        "2.00, before 2.00: 99.9 % as good as before (99.9..99.9 %), beyond the noise",
    );
    assert_eq!(change(loss(2.0), loss(2.0)).change, Change::Same);
    assert_eq!(change(loss(2.0 + 1e-9), loss(2.0)).change, Change::Same, "rounding");
    assert_eq!(change(loss(1.9), loss(2.0)).change, Change::Faster);
}

#[test]
fn what_was_not_there_is_new() {
    let now = || latency(0.1, 0.005, 100);
    let against =
        |before: Record| judge(&record(vec![now()]), &declared(vec![]), Some(&before)).changes.remove(0);
    check(&against(record(vec![])), Change::New, "the earlier record has no such case");
    let mut skipped = now();
    skipped.outcome = Outcome::Skipped { reason: "no GPU".into(), absent_device: None };
    check(&change(now(), skipped), Change::New, "the case was skipped in the earlier run: no GPU");
    let other = row(vec![series(Metric::LatencyTtft, values(vec![0.1; 9]))]);
    check(&change(now(), other), Change::New, "the earlier record has no such number under these conditions");
}

#[test]
fn the_same_number_means_the_same_inputs_and_conditions() {
    let at = |clients: f64| {
        series(LATENCY, spread(0.1 * clients, 0.001, 100))
            .on(InputSet::Own)
            .under(Condition::Concurrency, clients)
    };
    let found = judge(
        &record(vec![row(vec![at(8.0), at(1.0)])]),
        &declared(vec![]),
        Some(&record(vec![row(vec![at(1.0), at(8.0)])])),
    );
    assert!(found.changes.iter().all(|one| one.change == Change::Same), "{:?}", found.changes);
    let paper = row(vec![series(LATENCY, spread(0.1, 0.001, 100)).on(InputSet::Paper)]);
    assert_eq!(change(row(vec![at(1.0)]), paper).change, Change::New);
}

#[test]
fn another_machine_is_not_comparable_but_a_score_is() {
    let rows = || {
        vec![row(vec![
            series(LATENCY, spread(0.1, 0.001, 100)),
            series(Metric::QualityAccuracy, counts(9, 10)),
        ])]
    };
    let mut before = record(rows());
    before.header.environment.cpu = Some("Intel Xeon".into());
    before.header.environment.debug_build = true;
    let found = judge(&record(rows()), &declared(vec![]), Some(&before)).changes;
    check(
        &found[0],
        Change::NotComparable,
        "another system: processor (Intel Xeon there, AMD EPYC 7B13 here); debug build (true there, false here)",
    );
    assert_eq!(found[1].change, Change::Same);
    assert!(found[0].before.is_some() && found[0].ratio.is_some());
    let device =
        |name: &str| row(vec![series(LATENCY, spread(0.1, 0.001, 100)).under(Condition::Hardware, name)]);
    check(
        &change(device("NVIDIA H200"), device("NVIDIA H100")),
        Change::NotComparable,
        "another system: hardware (NVIDIA H100 there, NVIDIA H200 here)",
    );
}

#[test]
fn contention_on_either_side_leaves_only_the_same() {
    let (calm, slow) = (|| latency(0.1, 0.005, 1000), || latency(0.12, 0.005, 1000));
    check(
        &change(disturbed(slow()), calm()),
        Change::Ambiguous,
        "other work ran where this was timed (the loop took 1.45 times as long as without waiting for it, above 1.1): median 120 ms, before \
         median 100 ms: 83.3 % as good as before (82.8..83.9 %), wholly beyond the threshold of 5 %",
    );
    assert_eq!(change(slow(), disturbed(calm())).change, Change::Ambiguous);
    assert_eq!(change(disturbed(calm()), calm()).change, Change::Same);
}
