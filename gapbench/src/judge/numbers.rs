//! Every number that was measured, claimed or not.

use crate::record::{CaseRow, Condition, Outcome, Series, Statistic};

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
                also: also(series),
                estimate: estimate(series, Statistic::Unspecified, ALPHA).ok()?,
            })
        })
        .collect()
}

/// What sets a number apart besides its inputs and its load.
pub(super) fn also(series: &Series) -> Option<String> {
    let told = [(Condition::Noise, "noise"), (Condition::Cold, "cold")];
    let parts: Vec<String> = told
        .iter()
        .filter_map(|(condition, word)| Some(format!("{word} {}", series.conditions.get(*condition)?)))
        // A cold start is one of a fresh process unless it says more.
        .filter(|part| part != "cold process")
        .collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}
