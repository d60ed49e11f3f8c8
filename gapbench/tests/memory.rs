//! Memory of models that hold and take known amounts.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that cannot go on fails"
)]

mod bench;

use bench::bench;
use gapbench::record::{CaseRow, Data, Metric, Outcome};

const MIB: f64 = (1 << 20) as f64;

/// The middle one of the values of a metric; the kernel's counters are batched per processor, and one process in some is
/// further off.
fn median(row: &CaseRow, metric: Metric) -> f64 {
    let series = row.series.iter().find(|series| series.metric == metric);
    let series = series.unwrap_or_else(|| panic!("no {metric}: {:?}", row.notes));
    let Data::Values { values, .. } = &series.data else { panic!("{series:?}") };
    let mut values = values.clone();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn near(what: &str, found: f64, expected_mib: f64) {
    let found = found / MIB;
    assert!((found - expected_mib).abs() <= 1.0, "{what}: {found} MiB instead of {expected_mib}");
}

/// What is held, what a request takes besides, and what is left when it has given that back: exact to 1 MiB.
#[test]
fn a_model_has_what_it_holds_and_a_request_what_it_takes() {
    let run = bench("cold", &["--bench", "--profile", "quick", "--only", "memory", "held"]);
    let record = gapbench::record::read(&run.only_record()).unwrap();
    let [without, with] = &record.rows[..] else { panic!("{record:?}") };
    let (host_loaded, host_idle) = (Metric::MemoryHostLoaded, Metric::MemoryHostIdle);
    let (host_request, host_peak) = (Metric::MemoryHostRequest, Metric::MemoryHostPeak);
    for row in [without, with] {
        near("one request", median(row, host_request) - median(row, host_idle), 32.0);
        near("the peak", median(row, host_peak) - median(row, host_loaded), 32.0);
        near("idle", median(row, host_idle) - median(row, host_loaded), 0.0);
    }
    for metric in [host_loaded, host_request, host_idle, host_peak] {
        near(metric.name(), median(with, metric) - median(without, metric), 64.0);
    }
}

#[test]
fn a_device_is_read_loaded_at_its_peak_and_for_one_request() {
    let run = bench("cold", &["--bench", "--profile", "smoke", "--only", "memory", "on_a_device"]);
    let record = gapbench::record::read(&run.only_record()).unwrap();
    let row = &record.rows[0];
    let expected = [
        (Metric::MemoryDeviceSteady, 1_000.0),
        (Metric::MemoryDevicePeak, 3_000.0),
        (Metric::MemoryDeviceReserved, 3_072.0),
        (Metric::MemoryDeviceDelta, 4_096.0),
        (Metric::MemoryDeviceRequest, 1_500.0),
    ];
    for (metric, bytes) in expected {
        assert_eq!(median(row, metric), bytes, "{metric}");
    }
}

#[test]
fn a_second_device_is_refused() {
    let run = bench("cold", &["--bench", "--profile", "smoke", "--only", "memory", "on_two_devices"]);
    let record = gapbench::record::read(&run.only_record()).unwrap();
    let Outcome::Failed(failure) = &record.rows[0].outcome else { panic!("{:?}", record.rows[0]) };
    assert!(failure.reason.contains("a case has one device"), "{}", failure.reason);
}
