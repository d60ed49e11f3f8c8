//! Whether other work ran where we were timing.

use crate::record::{CaseRow, Metric, Timing};

/// How much longer a case took than without waiting for a processor, where it shows that the measurement of `metric` was disturbed.
pub(super) fn disturbed(row: &CaseRow, metric: Metric) -> Option<f64> {
    let timed = metric.name().starts_with("latency.") || metric.name().starts_with("throughput.");
    let timing = row.timing.as_ref().filter(|timing| timed && timing.contended())?;
    timing.pressure()
}

/// The finding in words.
pub(super) fn words(pressure: f64) -> String {
    format!(
        "other work ran where this was timed (the loop took {pressure:.2} times as long as without waiting for it, above {})",
        Timing::CONTENDED_ABOVE
    )
}
