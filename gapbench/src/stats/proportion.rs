//! Shares of successes and their differences.

use super::{Bounds, normal_quantile};

/// Wilson's score interval of a share at level `1 - alpha`; absent when there is no trial, when successes exceed trials
/// or when `alpha` is outside `0..1`.
///
/// # Source
/// Wilson 1927: centre `(s + z^2/2n) / (1 + z^2/n)`, half `z sqrt(s(1-s)/n + z^2/4n^2) / (1 + z^2/n)`.
pub fn wilson(successes: u64, trials: u64, alpha: f64) -> Option<Bounds> {
    if trials == 0 || successes > trials || !(alpha > 0.0 && alpha < 1.0) {
        return None;
    }
    let (n, z) = (trials as f64, normal_quantile(1.0 - alpha / 2.0));
    let share = successes as f64 / n;
    let scale = 1.0 + z * z / n;
    let centre = (share + z * z / (2.0 * n)) / scale;
    let half = z * (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt() / scale;
    // No failure at all is compatible with a share of one exactly, which rounding must not deny (nor none with zero).
    let lower = if successes == 0 { 0.0 } else { (centre - half).max(0.0) };
    let upper = if successes == trials { 1.0 } else { (centre + half).min(1.0) };
    Some(Bounds::both(lower, upper))
}

/// Interval of the difference `first - second` of two independent shares, each given as successes and trials.
///
/// # Source
/// Newcombe 1998, method 10: the two Wilson intervals combined by the square-and-add rule.
pub fn newcombe_difference(first: (u64, u64), second: (u64, u64), alpha: f64) -> Option<Bounds> {
    let share = |(successes, trials): (u64, u64)| successes as f64 / trials as f64;
    let (ours, theirs) = (wilson(first.0, first.1, alpha)?, wilson(second.0, second.1, alpha)?);
    let (p1, p2) = (share(first), share(second));
    let below = (p1 - ours.lower?).hypot(theirs.upper? - p2);
    let above = (ours.upper? - p1).hypot(p2 - theirs.lower?);
    Some(Bounds::both(p1 - p2 - below, p1 - p2 + above))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_wilson() {
        let table = [
            (119, 164, 0.652_744_173, 0.788_148_086),
            (116, 164, 0.633_574_576, 0.771_569_662),
            (112, 164, 0.608_216_911, 0.749_263_299),
            (146, 164, 0.833_186_366, 0.929_438_083),
            (71, 100, 0.614_611_087, 0.789_851_643),
            (356, 400, 0.855_549_089, 0.917_031_321),
            (890, 1000, 0.869_094_501, 0.907_920_627),
            (8900, 10000, 0.883_717_063, 0.895_983_418),
        ];
        for (successes, trials, lower, upper) in table {
            let found = wilson(successes, trials, 0.05).unwrap();
            assert!((found.lower.unwrap() - lower).abs() < 1e-7, "{successes}/{trials}");
            assert!((found.upper.unwrap() - upper).abs() < 1e-7, "{successes}/{trials}");
        }
    }

    #[test]
    fn ends_stay_inside_and_nonsense_is_absent() {
        assert_eq!(wilson(0, 10, 0.05).unwrap().lower, Some(0.0));
        assert_eq!(wilson(10, 10, 0.05).unwrap().upper, Some(1.0));
        for (successes, trials, alpha) in [(0, 0, 0.05), (2, 1, 0.05), (1, 2, 0.0), (1, 2, 1.0)] {
            assert_eq!(wilson(successes, trials, alpha), None);
        }
    }

    #[test]
    fn golden_newcombe() {
        // Newcombe 1998, table II, example (a), method 10: 56/70 - 48/80 is 0.0524 to 0.3339.
        let found = newcombe_difference((56, 70), (48, 80), 0.05).unwrap();
        assert!((found.lower.unwrap() - 0.0524).abs() < 5e-5, "{found:?}");
        assert!((found.upper.unwrap() - 0.3339).abs() < 5e-5, "{found:?}");
        assert_eq!(newcombe_difference((1, 0), (1, 2), 0.05), None);
    }
}
