//! Numbers from observations.

use super::fixtures::{counts, rates, series, values};
use crate::judge::{Estimate, estimate, usual_statistic};
use crate::record::{Data, Metric, Statistic};

fn of(metric: Metric, data: Data, statistic: Statistic) -> Result<(f64, Option<f64>, Option<f64>), String> {
    let found = estimate(&series(metric, data), statistic, 0.05)?;
    Ok((found.interval.value, found.interval.lower, found.interval.upper))
}

fn ramp(n: u32) -> Data {
    values((1..=n).map(f64::from).collect())
}

#[test]
fn quantiles_are_order_statistics() {
    let latency = Metric::LatencyE2e;
    assert_eq!(of(latency, ramp(1000), Statistic::Median), Ok((500.5, Some(469.0), Some(532.0))));
    assert_eq!(of(latency, ramp(1000), Statistic::P99), Ok((990.5, Some(983.0), Some(997.0))));
    assert_eq!(of(latency, ramp(100), Statistic::P99), Ok((99.5, Some(97.0), None)));
    assert_eq!(of(latency, ramp(3), Statistic::Median), Ok((2.0, None, None)));
}

#[test]
fn extremes_are_open_on_the_far_side() {
    assert_eq!(of(Metric::LatencyE2e, ramp(9), Statistic::Min), Ok((1.0, None, Some(1.0))));
    assert_eq!(of(Metric::LatencyE2e, ramp(9), Statistic::Max), Ok((9.0, Some(9.0), None)));
}

#[test]
fn means_have_an_interval_from_two_observations_on() {
    let (value, lower, upper) = of(Metric::LatencyE2e, ramp(5), Statistic::Mean).unwrap();
    assert_eq!(value, 3.0);
    assert!((lower.unwrap() - 1.036_757).abs() < 1e-5 && (upper.unwrap() - 4.963_243).abs() < 1e-5);
    assert_eq!(of(Metric::LatencyE2e, ramp(1), Statistic::Mean), Ok((1.0, None, None)));
}

#[test]
fn the_usual_statistic_stands_in() {
    for (metric, expected) in [
        (Metric::LatencyE2e, Statistic::Median),
        (Metric::MemoryHostPeak, Statistic::Median),
        (Metric::ThroughputRequests, Statistic::Mean),
        (Metric::ThroughputFlops, Statistic::Mean),
        (Metric::QualityAccuracy, Statistic::Mean),
        (Metric::QualityPerplexity, Statistic::Mean),
        (Metric::CostPer1kRequests, Statistic::Mean),
    ] {
        assert_eq!(usual_statistic(metric), expected, "{metric}");
    }
    let Estimate { statistic, n, .. } =
        estimate(&series(Metric::LatencyE2e, ramp(9)), Statistic::Unspecified, 0.05).unwrap();
    assert_eq!((statistic, n), (Statistic::Median, 9));
}

#[test]
fn rates_shares_and_exact_numbers() {
    let rate = Metric::ThroughputRequests;
    assert_eq!(of(rate, rates(&[10.0, 10.0]), Statistic::Unspecified), Ok((10.0, Some(10.0), Some(10.0))));
    assert_eq!(of(rate, rates(&[10.0]), Statistic::Mean), Ok((10.0, None, None)));
    let (value, lower, upper) = of(Metric::QualityAccuracy, counts(890, 1000), Statistic::Mean).unwrap();
    assert_eq!(value, 0.89);
    assert!((lower.unwrap() - 0.869_094_5).abs() < 1e-6 && (upper.unwrap() - 0.907_920_6).abs() < 1e-6);
    let size = || Data::Exact { value: 80.0 };
    for statistic in
        [Statistic::Mean, Statistic::Median, Statistic::Min, Statistic::Max, Statistic::Unspecified]
    {
        assert_eq!(of(Metric::MemoryModelBytes, size(), statistic), Ok((80.0, Some(80.0), Some(80.0))));
    }
}

#[test]
fn what_cannot_be_said_is_refused_with_a_reason() {
    let batched = || Data::Values { values: vec![1.0; 100], calls_per_value: 50 };
    assert!(of(Metric::LatencyE2e, batched(), Statistic::Median).is_ok());
    assert!(of(Metric::LatencyE2e, batched(), Statistic::Mean).is_ok());
    let latency = Metric::LatencyE2e;
    let table = [
        (
            of(latency, batched(), Statistic::P99),
            "each observation is the mean of 50 calls, which hides the p99 of single calls",
        ),
        (
            of(latency, batched(), Statistic::Max),
            "each observation is the mean of 50 calls, which hides the max of single calls",
        ),
        (of(latency, values(vec![]), Statistic::Mean), "there are no observations"),
        (of(latency, values(vec![f64::NAN]), Statistic::Mean), "observation 1 is not a finite number"),
        (
            of(Metric::ThroughputRequests, rates(&[1.0]), Statistic::P99),
            "a rate is total work over total time, which has a mean but no p99",
        ),
        (
            of(Metric::ThroughputRequests, rates(&[]), Statistic::Mean),
            "no time passed in which work was counted",
        ),
        (
            of(Metric::QualityAccuracy, counts(1, 2), Statistic::Median),
            "a share of successes has a mean but no median",
        ),
        (of(Metric::QualityAccuracy, counts(0, 0), Statistic::Mean), "there were no trials"),
        (of(Metric::QualityAccuracy, counts(3, 2), Statistic::Mean), "3 successes among 2 trials"),
        (
            of(Metric::MemoryModelBytes, Data::Exact { value: 1.0 }, Statistic::P99),
            "one exact number has no p99",
        ),
        (
            of(Metric::MemoryModelBytes, Data::Exact { value: f64::INFINITY }, Statistic::Mean),
            "the number is not finite",
        ),
    ];
    for (found, expected) in table {
        assert_eq!(found, Err(expected.to_owned()));
    }
}
