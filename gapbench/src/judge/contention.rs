//! Whether other work ran where we were timing.

use crate::record::{CaseRow, Metric, Timing};

/// Wanted over received processor time of a case, where it shows that the measurement of `metric` was disturbed.
pub(super) fn disturbed(row: &CaseRow, metric: Metric) -> Option<f64> {
    let timed = metric.name().starts_with("latency.") || metric.name().starts_with("throughput.");
    let timing = row.timing.as_ref().filter(|timing| timed && timing.contended())?;
    timing.pressure()
}

/// The finding in words.
pub(super) fn words(pressure: f64) -> String {
    format!(
        "other work ran where this was timed (the thread wanted {pressure:.2} times the processor time it got, above {})",
        Timing::CONTENDED_ABOVE
    )
}
