//! When to stop sampling.

use super::order_interval;

/// Width of the order-statistic interval of the median at level `1 - alpha` over the median: what a sampler compares
/// with the precision it was asked for. Outliers move neither.
///
/// Absent when the sample bounds the median on one side only (fewer than 6 values at 95 %), when a value is not finite,
/// or when the median is not positive. Takes time linear in the number of values.
pub fn relative_width_of_median(values: &[f64], alpha: f64) -> Option<f64> {
    let ranks = order_interval(values.len() as u64, 0.5, alpha)?;
    let (lower, upper) = (usize::try_from(ranks.lower?).ok()?, usize::try_from(ranks.upper?).ok()?);
    if values.iter().any(|value| !value.is_finite()) {
        return None;
    }
    let mut scratch = values.to_vec();
    let mut rank =
        |rank: usize| Some(*scratch.select_nth_unstable_by(rank.checked_sub(1)?, f64::total_cmp).1);
    let (low, median, high) = (rank(lower)?, rank(values.len().div_ceil(2))?, rank(upper)?);
    (median > 0.0).then(|| (high - low) / median)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn width_over_median() {
        let values: Vec<f64> = (1..=1000).rev().map(f64::from).collect();
        assert_eq!(relative_width_of_median(&values, 0.05), Some((532.0 - 469.0) / 500.0));
        assert_eq!(relative_width_of_median(&[2.0; 6], 0.05), Some(0.0));
    }

    #[test]
    fn says_when_it_cannot_say() {
        assert_eq!(relative_width_of_median(&[1.0; 5], 0.05), None);
        assert_eq!(relative_width_of_median(&[], 0.05), None);
        assert_eq!(relative_width_of_median(&[0.0; 10], 0.05), None);
        assert_eq!(relative_width_of_median(&[1.0, 1.0, 1.0, 1.0, 1.0, 1.0, f64::NAN], 0.05), None);
    }

    #[test]
    fn one_outlier_changes_nothing() {
        let mut values: Vec<f64> = (1..=100).map(f64::from).collect();
        let before = relative_width_of_median(&values, 0.05);
        values[99] = 1e12;
        assert_eq!(relative_width_of_median(&values, 0.05), before);
    }
}
