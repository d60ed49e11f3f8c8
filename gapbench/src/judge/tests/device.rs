//! Numbers of a device: simulated ones, and kernels that are too short to time.

use super::fixtures::{claim, row, series, spread, values, verdict};
use crate::judge::Verdict;
use crate::record::{Condition, Device, Metric, Statistic};

const KERNEL: Metric = Metric::LatencyKernel;

#[test]
fn a_simulated_number_is_held_against_nothing() {
    let mut row = row(vec![series(KERNEL, spread(1e-4, 1e-6, 50))]);
    let claim = || claim(KERNEL, Statistic::Median, 1e-4);
    row.device = Some(Device { name: "NVIDIA H200".into(), simulated: false, ..Device::default() });
    assert_eq!(verdict(claim(), row.clone()).verdict, Verdict::OnPar);
    row.device =
        Some(Device { name: "NVIDIA H200 (simulated)".into(), simulated: true, ..Device::default() });
    let found = verdict(claim(), row);
    assert_eq!(found.verdict, Verdict::NotComparable);
    assert_eq!(
        found.differing,
        ["device: paper a real one, here NVIDIA H200 (simulated), whose times come from a model"]
    );
    assert!(found.p_fail.is_none() && !found.gated);
}

#[test]
fn a_score_is_a_score_on_any_device() {
    let mut row = row(vec![series(Metric::QualityAccuracy, super::fixtures::counts(920, 1000))]);
    row.device = Some(Device { simulated: true, ..Device::default() });
    let claim = claim(Metric::QualityAccuracy, Statistic::Unspecified, 0.92);
    assert_eq!(verdict(claim, row).verdict, Verdict::OnPar);
}

#[test]
fn under_three_empty_launches_there_is_no_verdict() {
    let held = |kernel: f64, metric: Metric| {
        let timed = series(KERNEL, spread(kernel, kernel / 100.0, 50));
        let floor = series(Metric::LatencyLaunchFloor, values(vec![2e-6; 20]));
        let moved = series(Metric::ThroughputBytes, super::fixtures::rates(&[1e12; 30]));
        let declared = if metric == KERNEL { kernel } else { 1e12 };
        verdict(claim(metric, Statistic::Unspecified, declared), row(vec![timed, floor, moved]))
    };
    assert_eq!(held(6.2e-6, KERNEL).verdict, Verdict::OnPar);
    for metric in [KERNEL, Metric::ThroughputBytes] {
        let short = held(5.8e-6, metric);
        assert_eq!(short.verdict, Verdict::NotComparable);
        assert!(
            short
                .reason
                .contains("less than 3 empty launches of 2.00 µs each, so it is the launch that is timed"),
            "{}",
            short.reason
        );
    }
}

#[test]
fn a_number_format_has_many_names() {
    let held = |paper: &str, here: &str| {
        let series = series(KERNEL, values(vec![1e-4; 20])).under(Condition::Dtype, here);
        let claim = claim(KERNEL, Statistic::Median, 1e-4).under(Condition::Dtype, paper);
        verdict(claim, row(vec![series])).verdict
    };
    for (paper, here) in
        [("fp16", "f16"), ("float32", "f32"), ("bfloat16", "BF16"), ("fp8", "f8e4m3"), ("half", "f16")]
    {
        assert_eq!(held(paper, here), Verdict::OnPar, "{paper} {here}");
    }
    assert_eq!(held("fp16", "bf16"), Verdict::NotComparable);
    assert_eq!(held("fp8_e5m2", "f8e4m3"), Verdict::NotComparable);
    assert_eq!(held("int8", "f8e4m3"), Verdict::NotComparable);
}
