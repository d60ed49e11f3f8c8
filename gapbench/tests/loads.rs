//! Served models with known times under load, through the attribute, a child process, the judge and the reports.
//!
//! A busy machine makes everything slower and nothing faster, so bounds are one-sided.

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
use gapbench::record::{CaseRow, Condition, ConditionValue, Data, LoadRow, Metric, Outcome, TimeOf};
use serde_json::Value;

fn smoke(words: &[&str]) -> Run {
    bench("loaded", &[&["--bench", "--profile", "smoke"], words].concat())
}

fn rows(run: &Run) -> Vec<CaseRow> {
    gapbench::record::read(&run.only_record()).unwrap().rows
}

fn only_row(run: &Run) -> CaseRow {
    let mut rows = rows(run);
    assert_eq!(rows.len(), 1, "{}", run.stderr);
    rows.remove(0)
}

/// The median of a time; absent in a run that other work made invalid, which the row then says.
fn median(load: &LoadRow, of: TimeOf) -> Option<f64> {
    if load.invalid.is_some() {
        return None;
    }
    load.times(of).unwrap_or_else(|| panic!("no {of:?}: {load:?}")).p50
}

fn values(row: &CaseRow, metric: Metric, clients: f64) -> Vec<f64> {
    let wanted = ConditionValue::Number(clients);
    let found = row.series.iter().find(|series| {
        series.metric == metric
            && series.conditions.get(Condition::Load) == Some(&"closed".into())
            && series.conditions.get(Condition::Concurrency) == Some(&wanted)
    });
    match found.map(|series| &series.data) {
        Some(Data::Values { values, .. }) => values.clone(),
        _ => Vec::new(),
    }
}

fn claim<'a>(results: &'a Value, id: &str) -> &'a Value {
    let claims = results["targets"][0]["judgement"]["claims"].as_array().unwrap();
    claims.iter().find(|verdict| verdict["claim"]["id"] == id).unwrap_or_else(|| panic!("no claim {id}"))
}

fn check_counts(load: &LoadRow) {
    let counts = &load.counts;
    assert_eq!(counts.issued, counts.warm_up + counts.measured(), "nothing is dropped: {counts:?}");
    let classes: u64 = counts.classes.iter().map(|class| class.count).sum();
    assert_eq!(classes, counts.failed, "{counts:?}");
}

#[test]
fn clients_of_one_worker_wait_for_each_other() {
    let run = smoke(&["one", "--price", "3.60 USD/machine-hour 2026-11-01 https://example.com/prices"]);
    let row = only_row(&run);
    assert_eq!(row.loads.len(), 2);
    for (load, clients) in row.loads.iter().zip([1_u32, 8]) {
        assert_eq!(load.point.clients, Some(clients));
        check_counts(load);
        assert!(load.throughput_per_second <= 500.0, "{load:?}");
        if let Some(median) = median(load, TimeOf::Latency) {
            // Due times of the eight lie within one request.
            assert!(median >= 2e-3 * (f64::from(clients) - 0.1), "{median} s for {clients} clients");
            assert!(load.times(TimeOf::Service).unwrap().p50.unwrap() >= 2e-3);
            let times = values(&row, Metric::LatencyE2e, f64::from(clients));
            assert_eq!(times.len() as u64, load.counts.completed);
        }
        assert!(load.utilisation <= 1.0 && load.workers == 1);
        assert!(load.checks.iter().any(|check| check.name.contains("lambda")) || load.window_seconds < 0.1);
    }

    let results = run.results();
    let steps = claim(&results, "latency")["ladder"]["steps"].as_array().unwrap().clone();
    let last = steps.last().unwrap();
    assert_eq!(last["kind"], "load", "{steps:?}");
    // Where one of the loads was invalid, the other one stands for production.
    let label = last["label"].as_str().unwrap_or("at nothing");
    assert!(label.starts_with("at "), "{last}");
    if row.loads.iter().all(|load| load.invalid.is_none()) {
        assert_eq!(label, "at 8 clients");
        assert_eq!(claim(&results, "latency")["verdict"], "fail");
        // Declared under load, so it has no step of its own for it.
        let steps = claim(&results, "latency-at-eight")["ladder"]["steps"].as_array().unwrap().clone();
        assert!(steps.iter().all(|step| step["kind"] != "load"), "{steps:?}");
        assert!(steps[1]["estimate"]["interval"]["value"].as_f64().unwrap() >= 15.9e-3);
        assert!(run.stdout.contains("8 clients  "), "{}", run.stdout);

        // 3.60 USD an hour are 0.001 USD a second, so a thousand requests cost 1 USD over the goodput.
        let measured = results["targets"][0]["judgement"]["measured"].as_array().unwrap();
        let number = |metric: &str| {
            let at_eight = |one: &&Value| one["metric"] == metric && one["load"]["clients"] == 8;
            let found = measured.iter().find(at_eight).unwrap_or_else(|| panic!("no {metric}"));
            found["estimate"]["interval"]["value"].as_f64().unwrap()
        };
        let (cost, goodput) = (number("cost.per_1k_requests"), number("throughput.goodput"));
        assert!((cost * goodput - 1.0).abs() < 1e-9, "{cost} USD at {goodput} /s");
        assert!(run.stdout.contains("3.60 / (3600 s x"), "{}", run.stdout);
        // The fake knows 3 of 4 answers, alone as under load.
        assert!((number("quality.accuracy") - 0.75).abs() < 1e-9);
        assert!(number("memory.host_peak") > 1e6);
    }
}

#[test]
fn workers_share_the_requests() {
    let row = only_row(&smoke(&["four"]));
    assert_eq!(row.loads.len(), 3);
    for (load, least) in row.loads.iter().zip([4e-3, 7.9e-3, 4e-3]) {
        check_counts(load);
        assert_eq!(load.workers, 4);
        assert!(load.throughput_per_second <= 1000.0);
        assert!(median(load, TimeOf::Latency).is_none_or(|median| median >= least), "{load:?}");
    }
    let open = &row.loads[2];
    assert!((open.offered_per_second.unwrap() - 100.0).abs() < 1e-6, "{open:?}");
}

#[test]
fn batches_fill() {
    let row = only_row(&smoke(&["batched"]));
    for load in &row.loads {
        check_counts(load);
        let batches = load.batches.unwrap();
        assert!(batches * 8 >= load.counts.issued, "{load:?}");
        assert!(load.throughput_per_second <= 1600.0 * 1.01, "{load:?}");
    }
    assert_eq!(row.loads[1].counts.issued, 40, "an offline load is the whole set");
}

#[test]
fn streams_have_a_first_token() {
    let row = only_row(&smoke(&["streamed"]));
    let load = &row.loads[0];
    if load.invalid.is_none() {
        assert!(median(load, TimeOf::Ttft).unwrap() >= 4e-3);
        assert!(median(load, TimeOf::Itl).unwrap() >= 2e-3);
        assert!(median(load, TimeOf::TpotExclFirst).unwrap() >= 2e-3);
        assert!(median(load, TimeOf::TpotInclFirst).unwrap() >= 8e-3 / 3.0 * 0.999);
        let per_request = load.tokens_per_second.unwrap() / load.throughput_per_second;
        assert!((per_request - 3.0).abs() < 1e-9, "{per_request} tokens a request");
        assert!(values(&row, Metric::LatencyTtft, 2.0).iter().all(|time| *time >= 4e-3));
    }
}

/// Two workers of 2 ms can do 1,000 requests/s.
#[test]
fn a_search_stays_below_the_capacity() {
    let row = only_row(&smoke(&["searched"]));
    let search = row.search.unwrap();
    // In a second of 1,000 requests the queue changes by chance by about 6 % of them.
    assert!(search.last_passing.is_none_or(|rate| rate < 1100.0), "{search:?}");
    assert!(search.last_passing.is_some() || search.cut_short.is_some() || search.first_failing.is_some());
    assert!(row.loads.iter().all(|load| load.searching));
}

#[test]
fn failures_refusals_panics_and_a_hang_are_rows() {
    let run = smoke(&["faulty", "--measurement-time", "0.8"]);
    let row = only_row(&run);
    assert_eq!(row.outcome, Outcome::Measured, "{}", run.stderr);
    let load = &row.loads[0];
    check_counts(load);
    let counts = &load.counts;
    assert_eq!((counts.timed_out, load.replaced_workers), (1, 1), "{counts:?}");
    assert!(counts.refused > 0 && counts.failed > 0, "{counts:?}");
    let class = |text: &str| counts.classes.iter().any(|class| class.class.contains(text));
    assert!(class("the upstream closed the connection"), "{counts:?}");
    assert!(class("panicked at"), "{counts:?}");
    assert!(load.objectives[0].all == counts.measured(), "{load:?}");
    let flat = run.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    for words in
        ["1 timed out", "refused", "the upstream closed the connection", "1 worker hung and was replaced"]
    {
        assert!(flat.contains(words), "{words}: {}", run.stdout);
    }
}

#[test]
fn what_cannot_be_sent_fails_its_case_alone() {
    let run = smoke(&["silent|traced"]);
    let rows = rows(&run);
    let reason = |index: usize| match &rows[index].outcome {
        Outcome::Failed(failure) => failure.reason.clone(),
        other => panic!("{other:?}"),
    };
    assert!(reason(0).contains("out of order"), "{}", reason(0));
    assert!(reason(1).contains("needs `arrival_ms` in every line"), "{}", reason(1));
}

#[test]
fn the_command_line_replaces_what_was_declared() {
    let run = smoke(&["one", "--only", "load", "--clients", "2,3", "--rates", "50", "--slo", "p50 <= 1us"]);
    let row = only_row(&run);
    let shown: Vec<String> = row.loads.iter().map(|load| load.point.to_string()).collect();
    assert_eq!(shown, ["2 clients", "3 clients", "50 /s poisson"]);
    for load in row.loads.iter().filter(|load| load.invalid.is_none()) {
        assert_eq!(load.meets_objectives(), Some(false));
        assert_eq!(load.goodput_per_second, Some(0.0));
    }
    assert!(
        row.series
            .iter()
            .all(|series| series.conditions.get(Condition::Load) != Some(&"single-stream".into()))
    );
}

#[test]
fn mistakes_on_the_command_line_are_answered() {
    for (words, expected) in [
        (vec!["--clients", "0"], "1..=100000"),
        (vec!["--rates", "NaN"], "expected requests per second, above 0"),
        (vec!["--slo", "p99 <= 800"], "has no unit"),
        (vec!["--slo", "p99 <= 800 parsecs"], "is no unit of time"),
        (vec!["--arrivals", "uniform"], "constant, poisson, gamma:SHAPE"),
        (vec!["--arrivals", "gamma:0"], "smaller is burstier"),
        (vec!["--think", "1s"], "add --clients"),
        (vec!["--price", "3.50 EUR/GPU-hour 2026-11-01 x"], "convert"),
    ] {
        let run = smoke(&words);
        assert_eq!(run.code, 2, "{words:?}: {}", run.stderr);
        assert!(run.stderr.contains(expected), "{words:?}: {}", run.stderr);
    }
}

/// An answer that repeats the text is right exactly where the noise changed nothing.
#[test]
fn noise_turns_wrong_what_it_changes() {
    let run = smoke(&["::noisy"]);
    let row = only_row(&run);
    let names: Vec<&str> = row.noise.iter().map(|noise| noise.noise.as_str()).collect();
    let families = ["typos", "mixed languages", "incomplete sentences", "formatting and copy-paste"];
    let expected: Vec<String> = std::iter::once("medium".to_owned())
        .chain(families.map(|family| format!("medium {family}")))
        .chain(["typo.keyboard@heavy".to_owned()])
        .collect();
    assert_eq!(names, expected);
    for noise in &row.noise {
        assert_eq!((noise.items, noise.pairs.n, noise.clean_right), (40, 40, 30), "{noise:?}");
        assert_eq!(noise.pairs.gained, 0);
        assert!(noise.pairs.lost >= 30_u64.saturating_sub(noise.unchanged), "{noise:?}");
        assert!(noise.pairs.lost <= 40 - noise.unchanged, "{noise:?}");
        assert_eq!(noise.on_the_ladder, noise.noise == "medium");
        assert!(noise.worst.len() <= 5 && noise.worst.iter().all(|item| item.clean != item.noisy));
    }
    let typos = row.noise.last().unwrap();
    assert_eq!((typos.unchanged, typos.pairs.lost, typos.labels.as_str()), (0, 30, "kept"));

    // Requests under load have the noise of the ladder, so the same items are right.
    let medium = &row.noise[0];
    let right = medium.clean_right - medium.pairs.lost;
    let under_load = row.series.iter().find(|series| {
        series.metric == Metric::QualityAccuracy
            && series.conditions.get(Condition::Load) == Some(&"closed".into())
    });
    if row.loads[0].invalid.is_none() {
        let series = under_load.expect("accuracy under load");
        assert_eq!(series.conditions.get(Condition::Noise), Some(&"medium".into()));
        assert_eq!(series.data, Data::Counts { successes: right, trials: 40 });
        let pairs = row.loads[0].pairs.unwrap();
        assert_eq!((pairs.n, pairs.lost, pairs.gained), (40, 0, 0));
    }
    assert!(run.stdout.contains("turned wrong"), "{}", run.stdout);

    let unknown = smoke(&["unknown_noise"]);
    let Outcome::Failed(failure) = &only_row(&unknown).outcome else { panic!("{}", unknown.stdout) };
    assert!(failure.reason.contains("did you mean `typo.keyboard`?"), "{}", failure.reason);
}

#[test]
fn memory_that_does_not_come_back_is_told() {
    let run = smoke(&["leaking|loaded::one", "--only", "load,memory"]);
    let rows = rows(&run);
    let [healthy, leaking] = rows.as_slice() else { panic!("{}", run.stderr) };
    let each = leaking.loads[0].leaks_per_request().expect("a leak");
    // 128 KiB, and what the allocator adds; some of the first may come from memory that was there before.
    assert!((100e3..150e3).contains(&each), "{each} bytes per request: {:?}", leaking.loads[0]);
    assert!(run.stdout.contains("a leak, or a cache that fills"), "{}", run.stdout);
    assert!(healthy.loads.iter().all(|load| load.leaks_per_request().is_none()), "{:?}", healthy.loads);
}

#[test]
fn scores_besides_accuracy() {
    let run = smoke(&["scored", "--only", "quality"]);
    let results = run.results();
    let measured = results["targets"][0]["judgement"]["measured"].as_array().unwrap().clone();
    let number = |metric: &str| {
        let found =
            measured.iter().find(|one| one["metric"] == metric).unwrap_or_else(|| panic!("no {metric}"));
        let interval = &found["estimate"]["interval"];
        (interval["value"].as_f64().unwrap(), interval["lower"].as_f64(), interval["upper"].as_f64())
    };
    let close = |a: f64, b: f64| (a - b).abs() < 1e-9;
    assert!(close(number("quality.wer").0, 0.25));
    assert!(close(number("quality.spearman").0, 1.0));
    assert!(close(number("quality.perplexity").0, std::f64::consts::E));
    let (solved, lower, upper) = number("quality.pass_at_k");
    assert!(close(solved, 0.5) && lower.unwrap() < 0.5 && 0.5 < upper.unwrap());

    let rows = rows(&smoke(&["no_score|two_forms", "--only", "quality"]));
    let reason = |row: &CaseRow| match &row.outcome {
        Outcome::Failed(failure) => failure.reason.clone(),
        other => panic!("{other:?}"),
    };
    assert!(reason(&rows[0]).contains("`latency.e2e` is no score"), "{}", reason(&rows[0]));
    assert!(reason(&rows[1]).contains("input `3` has another form"), "{}", reason(&rows[1]));
}
