//! Every number that was measured, claimed or not.

use crate::record::{Outcome, Record, Statistic};

use super::Summary;
use super::estimate::estimate;

/// Error level of intervals that no claim's policy sets.
pub(super) const ALPHA: f64 = 0.05;

/// Each series of each measured case with its usual statistic, in the order of the record.
pub(super) fn summaries(record: &Record) -> Vec<Summary> {
    let measured = record.rows.iter().filter(|row| row.outcome == Outcome::Measured);
    measured
        .flat_map(|row| row.series.iter().map(move |series| (row, series)))
        .filter_map(|(row, series)| {
            Some(Summary {
                case: row.case.clone(),
                metric: series.metric,
                inputs: series.inputs,
                estimate: estimate(series, Statistic::Unspecified, ALPHA).ok()?,
            })
        })
        .collect()
}
