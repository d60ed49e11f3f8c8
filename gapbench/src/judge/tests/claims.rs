//! Every verdict with its sentence.

use super::fixtures::{claim, counts, disturbed, rates, row, series, spread, values, verdict};
use crate::declare::{Precision, Spread, SpreadKind, Wording};
use crate::judge::{ClaimVerdict, Verdict};
use crate::record::{Data, Failure, FailureKind, Metric, Outcome, Statistic};

const LATENCY: Metric = Metric::LatencyE2e;
const ACCURACY: Metric = Metric::QualityAccuracy;
const FLOPS: Metric = Metric::ThroughputFlops;

/// A claim of 100 ms against a median of `median` seconds, known to 1 % (n = 1000).
fn latency(median: f64) -> ClaimVerdict {
    verdict(
        claim(LATENCY, Statistic::Median, 0.1),
        row(vec![series(LATENCY, spread(median, median / 6.3, 1000))]),
    )
}

/// A claim of `declared` against `successes` of `trials`.
fn accuracy(declared: f64, successes: u64, trials: u64) -> ClaimVerdict {
    verdict(
        claim(ACCURACY, Statistic::Mean, declared),
        row(vec![series(ACCURACY, counts(successes, trials))]),
    )
}

fn check(found: &ClaimVerdict, verdict: Verdict, reason: &str) {
    assert_eq!((found.verdict, found.reason.as_str()), (verdict, reason));
    assert!(found.differing.is_empty());
}

#[test]
fn latency_through_all_verdicts() {
    check(
        &latency(0.150),
        Verdict::Fail,
        "not reproduced: median 150 ms against the declared 100 ms is 66.7 % as good (66.0..67.3 %), wholly below the \
         floor of 75 %",
    );
    check(
        &latency(0.130),
        Verdict::Gap,
        "not reproduced: median 130 ms against the declared 100 ms is 76.9 % as good (76.2..77.7 %), wholly outside \
         the discount of 20 %",
    );
    check(
        &latency(0.126),
        Verdict::Unclear,
        "median 126 ms against the declared 100 ms is 79.4 % as good (78.6..80.2 %), which straddles the line at 80 \
         %: about 1,600 observations would decide, and there are 1000",
    );
    check(
        &latency(0.110),
        Verdict::Within,
        "median 110 ms against the declared 100 ms is 90.9 % as good (90.0..91.8 %), inside the discount of 20 %",
    );
    check(
        &latency(0.101),
        Verdict::OnPar,
        "median 101 ms against the declared 100 ms is 99.0 % as good (98.0..100.0 %), on par within 5 %",
    );
    check(
        &latency(0.080),
        Verdict::Ahead,
        "median 80.0 ms against the declared 100 ms is 125.0 % as good (123.8..126.3 %), more than 5 % better than \
         declared: a paper is a ceiling, so check the conditions",
    );
}

#[test]
fn shares_of_success() {
    // The article's example: 89 % declared, 71 % here. 164 items do not decide, 2000 do not either, so near is 79.8 %.
    check(
        &accuracy(0.89, 116, 164),
        Verdict::Unclear,
        "70.7 % is 79.5 % of the declared 89.0 % (71.2..86.7 %), which straddles the line at 80 %: about 31,000 trials \
         would decide, and there are 164",
    );
    check(
        &accuracy(0.922, 805, 1000),
        Verdict::Within,
        "80.5 % is 87.3 % of the declared 92.2 % (84.5..89.8 %), inside the discount of 20 %",
    );
    check(
        &accuracy(0.9, 6000, 10_000),
        Verdict::Fail,
        "not reproduced: 60.0 % is 66.7 % of the declared 90.0 % (65.6..67.7 %), wholly below the floor of 75 %",
    );
    let none = accuracy(0.9, 0, 100);
    assert_eq!((none.verdict, none.ratio.unwrap().value), (Verdict::Fail, 0.0));
}

#[test]
fn a_ratio_on_the_line_is_undecidable() {
    let stretches = rates(&[60.0, 100.0, 90.0, 70.0]);
    let found = verdict(
        claim(Metric::ThroughputRequests, Statistic::Mean, 100.0),
        row(vec![series(Metric::ThroughputRequests, stretches)]),
    );
    check(
        &found,
        Verdict::Unclear,
        "mean 80.0 /s is 80.0 % of the declared 100 /s (50.9..109.1 %), which straddles the line at 80 %: \
         undecidable, since the ratio lies on the line: there are 4 stretches of this length",
    );
}

#[test]
fn exact_numbers_meet_the_lines_exactly() {
    let size = |ours| {
        verdict(
            claim(Metric::MemoryModelBytes, Statistic::Unspecified, 80e6),
            row(vec![series(Metric::MemoryModelBytes, Data::Exact { value: ours })]),
        )
        .verdict
    };
    assert_eq!(size(80e6 / 0.75), Verdict::Gap, "0.75 is the floor itself");
    assert_eq!(size(107e6), Verdict::Fail);
    assert_eq!(size(100e6), Verdict::Within, "1.25 times the size is 0.8");
    assert_eq!(size(100_000_001.0), Verdict::Gap);
    assert_eq!(size(90.85e6), Verdict::Within);
    assert_eq!(size(80e6), Verdict::OnPar);
    assert_eq!(size(70e6), Verdict::Ahead);
}

#[test]
fn open_ends_say_what_they_need() {
    check(
        &verdict(claim(LATENCY, Statistic::P99, 0.1), row(vec![series(LATENCY, spread(0.08, 0.01, 300))])),
        Verdict::Unclear,
        "p99 89.8 ms against the declared 100 ms is 111.3 % as good (?..111.7 %), which straddles the line at 80 %: \
         the upper end of the p99 needs at least 368 observations, and there are 300",
    );
    check(
        &verdict(claim(LATENCY, Statistic::Median, 0.1), row(vec![series(LATENCY, values(vec![0.1; 5]))])),
        Verdict::Unclear,
        "median 100 ms against the declared 100 ms is 100.0 % as good (?..? %), which straddles the line at 80 %: the \
         upper end of the median needs at least 6 observations, and there are 5",
    );
    check(
        &verdict(claim(LATENCY, Statistic::Mean, 0.1), row(vec![series(LATENCY, values(vec![0.1]))])),
        Verdict::Unclear,
        "mean 100 ms against the declared 100 ms is 100.0 % as good (?..? %), which straddles the line at 80 %: an \
         interval needs at least 2 observations",
    );
}

#[test]
fn a_maximum_is_held_against_up_to() {
    let best = |statistic, data| {
        verdict(claim(FLOPS, statistic, 740e12).worded(Wording::UpTo), row(vec![series(FLOPS, data)]))
    };
    for statistic in [Statistic::Max, Statistic::Unspecified] {
        check(
            &best(statistic, spread(7e14, 1e13, 100)),
            Verdict::Within,
            "max 710 TFLOP/s is 95.9 % of the declared 740 TFLOP/s (95.9..? %), inside the discount of 20 %",
        );
        assert!(best(statistic, spread(7e14, 1e13, 100)).unknown.is_empty());
    }
    check(
        &best(Statistic::Max, spread(5e14, 1e13, 100)),
        Verdict::Unclear,
        "max 510 TFLOP/s is 68.9 % of the declared 740 TFLOP/s (68.9..? %), which straddles the line at 80 %: more \
         observations can only raise a maximum",
    );
}

#[test]
fn another_statistic_is_not_comparable() {
    let found = verdict(
        claim(FLOPS, Statistic::Mean, 740e12).worded(Wording::UpTo),
        row(vec![series(FLOPS, rates(&[7e14, 7e14]))]),
    );
    assert_eq!(found.verdict, Verdict::NotComparable);
    assert_eq!(
        found.reason,
        "statistic: paper `up to`, against which only a maximum can be held, here the mean; for information: mean 700 \
         TFLOP/s is 94.6 % of the declared 740 TFLOP/s (94.6..94.6 %)"
    );
    let found = verdict(
        claim(FLOPS, Statistic::Max, 740e12).worded(Wording::UpTo),
        row(vec![series(FLOPS, rates(&[7e14, 7e14]))]),
    );
    assert_eq!(
        found.differing,
        [
            "statistic: paper `up to`, against which only a maximum can be held, here the mean (a rate is total work over \
          total time, which has a mean but no max)"
        ]
    );
    let batched = Data::Values { values: vec![0.1; 100], calls_per_value: 7 };
    let found = verdict(claim(LATENCY, Statistic::P99, 0.1), row(vec![series(LATENCY, batched)]));
    assert_eq!(
        found.reason,
        "statistic: paper p99, here median (each observation is the mean of 7 calls, which hides the p99 of single \
         calls); for information: median 100 ms against the declared 100 ms is 100.0 % as good (100.0..100.0 %)"
    );
    assert!(found.ratio.is_some() && found.p_fail.is_none());
    assert!(found.ladder.steps.iter().all(|step| step.verdict.is_none()));
}

#[test]
fn a_ratio_needs_positive_numbers() {
    let found = accuracy(0.0, 1, 10);
    assert_eq!(found.verdict, Verdict::NotComparable);
    assert_eq!(found.reason, "the declared 0 is not positive, so a ratio has no meaning; ours: 10.0 %");
    let wer = verdict(
        claim(Metric::QualityWer, Statistic::Mean, 0.05),
        row(vec![series(Metric::QualityWer, counts(0, 10))]),
    );
    assert_eq!(wer.reason, "ours is not positive, so a ratio has no meaning; ours: 0 %");
    assert_eq!((wer.verdict, wer.ratio), (Verdict::NotComparable, None));
}

#[test]
fn no_number_has_a_reason() {
    let with = |outcome| {
        let mut row = row(vec![series(LATENCY, values(vec![0.1; 9]))]);
        row.outcome = outcome;
        verdict(claim(LATENCY, Statistic::Median, 0.1), row)
    };
    let failure =
        Failure { kind: FailureKind::Timeout, reason: "no answer within 60 s".into(), stderr_tail: vec![] };
    check(&with(Outcome::Failed(failure)), Verdict::NotMeasured, "failed: no answer within 60 s");
    let skipped =
        Outcome::Skipped { reason: "no CUDA driver found".into(), absent_device: Some("cuda".into()) };
    check(&with(skipped), Verdict::NotMeasured, "the case was skipped");
    check(
        &verdict(
            claim(Metric::LatencyTtft, Statistic::Median, 0.1),
            row(vec![series(LATENCY, values(vec![0.1]))]),
        ),
        Verdict::NotMeasured,
        "the case did not measure latency.ttft; it measured latency.e2e",
    );
    check(
        &verdict(claim(LATENCY, Statistic::Median, 0.1), row(vec![])),
        Verdict::NotMeasured,
        "the case did not measure latency.e2e; it measured nothing",
    );
    check(
        &verdict(claim(ACCURACY, Statistic::Mean, 0.9), row(vec![series(ACCURACY, counts(0, 0))])),
        Verdict::NotMeasured,
        "no number: there were no trials",
    );
}

#[test]
fn contention_lowers_a_failure_but_no_success() {
    let at = |median: f64| {
        verdict(
            claim(LATENCY, Statistic::Median, 0.1),
            disturbed(row(vec![series(LATENCY, spread(median, 0.01, 300))])),
        )
    };
    check(
        &at(0.15),
        Verdict::Unclear,
        "would be fail, but other work ran where this was timed (the loop took 1.45 times as long as without waiting for it, above 1.1): \
         median 150 ms against the declared 100 ms is 66.7 % as good (66.2..67.2 %), wholly below the floor of 75 %",
    );
    assert_eq!(at(0.128).verdict, Verdict::Unclear);
    assert_eq!(at(0.1).verdict, Verdict::OnPar);
    assert_eq!(at(0.05).verdict, Verdict::Ahead);
    // A score is not timed.
    let score = verdict(
        claim(ACCURACY, Statistic::Mean, 0.9),
        disturbed(row(vec![series(ACCURACY, counts(1, 1000))])),
    );
    assert_eq!(score.verdict, Verdict::Fail);
}

#[test]
fn the_declared_number_has_its_own_uncertainty() {
    let with = |precision: f64, spread: Option<Spread>, n: Option<u64>| {
        let mut claim = claim(LATENCY, Statistic::Mean, 0.1);
        claim.precision = Precision { half_width: precision, declared: true };
        (claim.spread, claim.n) = (spread, n);
        let found = verdict(claim, row(vec![series(LATENCY, values(vec![0.1; 50]))]));
        let ratio = found.ratio.unwrap();
        ((ratio.lower.unwrap() * 1e4).round() / 1e4, (ratio.upper.unwrap() * 1e4).round() / 1e4)
    };
    let spread = |kind, lo, hi, value| Some(Spread { kind, lo, hi, value });
    assert_eq!(with(0.0, None, None), (1.0, 1.0));
    // Uniform within 5 %: standard deviation 2.89 %, times 1.96.
    assert_eq!(with(0.005, None, None), (0.945, 1.0582));
    assert_eq!(with(0.0, spread(SpreadKind::Se, None, None, Some(0.001)), None), (0.9806, 1.0198));
    assert_eq!(with(0.0, spread(SpreadKind::Ci95, Some(0.098), Some(0.102), None), None), (0.9802, 1.0202));
    assert_eq!(with(0.0, spread(SpreadKind::Sd, None, None, Some(0.01)), Some(100)), (0.9806, 1.0198));
    assert_eq!(with(0.0, spread(SpreadKind::Sd, None, None, Some(0.001)), None), (0.9806, 1.0198));
    assert_eq!(with(0.0, spread(SpreadKind::Range, Some(0.095), Some(0.103), None), None), (0.945, 1.0582));
    assert_eq!(
        with(0.0, spread(SpreadKind::P20P80, Some(0.09), Some(0.11), None), Some(400)),
        (0.9884, 1.0117)
    );
    // The printed digits count where they say less than the spread.
    assert_eq!(with(0.005, spread(SpreadKind::Se, None, None, Some(0.001)), None), (0.945, 1.0582));
}

#[test]
fn quantiles_are_widened_by_all_of_it() {
    let mut claim = claim(LATENCY, Statistic::Median, 0.1);
    claim.precision.half_width = 0.005;
    let found = verdict(claim, row(vec![series(LATENCY, values(vec![0.125; 50]))]));
    let ratio = found.ratio.unwrap();
    assert!((ratio.lower.unwrap() - 0.76).abs() < 1e-12 && (ratio.upper.unwrap() - 0.84).abs() < 1e-12);
    check(
        &found,
        Verdict::Unclear,
        "median 125 ms against the declared 100 ms is 80.0 % as good (76.0..84.0 %), which straddles the line at 80 \
         %: the declared number itself is only known to ±5.0 %, so no number of observations would decide",
    );
}

#[test]
fn p_values_agree_with_verdicts() {
    for successes in [640, 650, 655, 660, 665, 670, 680] {
        let found = accuracy(0.92, successes, 1000);
        let p = found.p_fail.unwrap();
        assert_eq!(p <= 0.05, found.verdict == Verdict::Fail, "{successes}: {p} {:?}", found.verdict);
    }
    for median in [0.131, 0.132, 0.133, 0.134, 0.135, 0.14] {
        let found = latency(median);
        assert_eq!(found.p_fail.unwrap() <= 0.05, found.verdict == Verdict::Fail, "{median}");
    }
}
