//! Whether other work ran where we were timing.

use crate::record::{CaseRow, Metric, Timing};

/// Wall over processor time of a case, where it shows that the measurement of `metric` was disturbed.
pub(super) fn disturbed(row: &CaseRow, metric: Metric) -> Option<f64> {
    let timed = metric.name().starts_with("latency.") || metric.name().starts_with("throughput.");
    let ratio = row.timing.as_ref().and_then(Timing::wall_over_cpu)?;
    (timed && ratio > Timing::CONTENDED_ABOVE).then_some(ratio)
}

/// The finding in words.
pub(super) fn words(ratio: f64) -> String {
    format!(
        "other work ran where this was timed (wall time {ratio:.2} times processor time, above {})",
        Timing::CONTENDED_ABOVE
    )
}
