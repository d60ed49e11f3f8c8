//! Every number that was measured, claimed or not.

use crate::record::{CaseRow, Outcome, Statistic};

use super::estimate::estimate;
use super::{Summary, load};

/// Error level of intervals that no claim's policy sets.
pub(super) const ALPHA: f64 = 0.05;

/// Each series of a measured case with its usual statistic.
pub(super) fn summaries(row: &CaseRow) -> Vec<Summary> {
    let series = row.series.iter().filter(|_| row.outcome == Outcome::Measured);
    series
        .filter_map(|series| {
            Some(Summary {
                case: row.case.clone(),
                metric: series.metric,
                inputs: series.inputs,
                load: load::point(row, series),
                estimate: estimate(series, Statistic::Unspecified, ALPHA).ok()?,
            })
        })
        .collect()
}
