//! Every verdict with its sentence.

use super::fixtures::{claim, counts, disturbed, rates, row, series, spread, values, verdict};
use crate::declare::{Precision, Spread, SpreadKind, Wording};
use crate::judge::{ClaimVerdict, Verdict};
use crate::record::{CaseRow, Condition, Data, Failure, FailureKind, Metric, Outcome, Statistic};

const LATENCY: Metric = Metric::LatencyE2e;

/// A claim of 100 ms against a median of `median` seconds, known to 1 % (n = 1000).
fn latency(median: f64) -> ClaimVerdict {
    verdict(
        claim(LATENCY, Statistic::Median, 0.1),
        row(vec![series(LATENCY, spread(median, median / 6.3, 1000))]),
    )
}

fn check(found: &ClaimVerdict, verdict: Verdict, reason: &str) {
    assert_eq!((found.verdict, found.reason.as_str()), (verdict, reason));
}

#[test]
fn latency_through_all_verdicts() {
    check(&latency(0.150), Verdict::Fail, "");
    check(&latency(0.130), Verdict::Gap, "");
    check(&latency(0.126), Verdict::Unclear, "");
    check(&latency(0.110), Verdict::Within, "");
    check(&latency(0.101), Verdict::OnPar, "");
    check(&latency(0.080), Verdict::Ahead, "");
}
#[test]
fn p() {
    for x in [
        verdict(
            claim(Metric::QualityAccuracy, Statistic::Unspecified, 0.922),
            row(vec![series(Metric::QualityAccuracy, counts(805, 1000))]),
        ),
        verdict(
            claim(Metric::QualityAccuracy, Statistic::Unspecified, 0.89),
            row(vec![series(Metric::QualityAccuracy, counts(116, 164))]),
        ),
        verdict(
            claim(Metric::ThroughputRequests, Statistic::Mean, 100.0),
            row(vec![series(Metric::ThroughputRequests, rates(&[60., 100., 90., 70.]))]),
        ),
        verdict(claim(LATENCY, Statistic::P99, 0.1), row(vec![series(LATENCY, spread(0.08, 0.01, 300))])),
        verdict(
            claim(LATENCY, Statistic::P99, 0.1),
            row(vec![series(LATENCY, Data::Values { values: vec![0.1; 100], calls_per_value: 7 })]),
        ),
        verdict(claim(LATENCY, Statistic::Mean, 0.1), row(vec![series(LATENCY, values(vec![0.1]))])),
        verdict(
            claim(Metric::ThroughputFlops, Statistic::Max, 740e12).worded(Wording::UpTo),
            row(vec![series(Metric::ThroughputFlops, spread(5e14, 1e13, 100))]),
        ),
        verdict(
            claim(Metric::ThroughputFlops, Statistic::Max, 740e12).worded(Wording::UpTo),
            row(vec![series(Metric::ThroughputFlops, rates(&[7e14, 7e14]))]),
        ),
        verdict(
            claim(Metric::ThroughputFlops, Statistic::Unspecified, 740e12).worded(Wording::UpTo),
            row(vec![series(Metric::ThroughputFlops, spread(7e14, 1e13, 100))]),
        ),
        verdict(
            claim(LATENCY, Statistic::Median, 0.1).worded(Wording::UpTo),
            row(vec![series(LATENCY, spread(0.1, 0.01, 300))]),
        ),
        verdict(
            claim(Metric::MemoryModelBytes, Statistic::Unspecified, 80e6),
            row(vec![series(Metric::MemoryModelBytes, Data::Exact { value: 90.85e6 })]),
        ),
        verdict(
            claim(Metric::QualityAccuracy, Statistic::Mean, 0.0),
            row(vec![series(Metric::QualityAccuracy, counts(1, 10))]),
        ),
        verdict(
            claim(LATENCY, Statistic::Median, 0.1),
            disturbed(row(vec![series(LATENCY, spread(0.15, 0.01, 300))])),
        ),
        verdict(
            claim(LATENCY, Statistic::Median, 0.1),
            disturbed(row(vec![series(LATENCY, spread(0.1, 0.01, 300))])),
        ),
        verdict(
            claim(Metric::LatencyTtft, Statistic::Median, 0.1),
            disturbed(row(vec![series(LATENCY, spread(0.1, 0.01, 300))])),
        ),
        verdict(
            claim(LATENCY, Statistic::Median, 0.1)
                .under(Condition::Hardware, "AMD EPYC 7B13")
                .under(Condition::Dtype, "fp16"),
            row(vec![series(LATENCY, spread(0.12, 0.01, 300)).under(Condition::Hardware, "Intel Xeon")]),
        ),
    ] {
        println!("{:?}: {}  {:?}", x.verdict, x.reason, (x.p_fail, x.unknown, x.differing));
    }
}
