//! Quantile intervals from order statistics: no distribution is assumed, and too small a sample says so.

use super::distribution::binomial_tails;

/// Ranks of the order statistics that bound a quantile.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OrderInterval {
    /// Rank of the lower end, from 1; absent when even the smallest observation may lie above the quantile.
    pub lower: Option<u64>,
    /// Rank of the upper end, from 1; absent when even the largest observation may lie below the quantile.
    pub upper: Option<u64>,
    /// Probability that the interval (unbounded where an end is absent) covers the quantile.
    pub coverage: f64,
}

/// Equal-tailed interval of the `p` quantile from `n` independent observations at level `1 - alpha`.
///
/// `l = max{k: BinCDF(k-1; n, p) <= alpha/2}`, `u = min{k: 1 - BinCDF(k-1; n, p) <= alpha/2}`. Absent unless
/// `0 < p < 1`, `0 < alpha < 1` and `n >= 1`.
///
/// # Source
/// David and Nagaraja, *Order Statistics*, 3rd ed., section 7.1. Golden ranks were computed with scipy.
pub fn order_interval(n: u64, p: f64, alpha: f64) -> Option<OrderInterval> {
    let valid = |share: f64| share > 0.0 && share < 1.0;
    if n == 0 || !valid(p) || !valid(alpha) {
        return None;
    }
    let tail = alpha / 2.0;
    // The largest k with CDF(k-1) <= tail is the smallest k with CDF(k) > tail.
    let lower = smallest(n, |k| binomial_tails(k, n, p).is_some_and(|(below, _)| below > tail));
    let upper = smallest(n, |k| binomial_tails(k, n, p).is_some_and(|(_, above)| above <= tail)) + 1;
    let lower = (lower >= 1).then_some(lower);
    let upper = (upper <= n).then_some(upper);
    let mass_to = |rank: u64| binomial_tails(rank.saturating_sub(1), n, p).map_or(1.0, |(below, _)| below);
    let coverage = upper.map_or(1.0, mass_to) - lower.map_or(0.0, mass_to);
    Some(OrderInterval { lower, upper, coverage })
}

/// The smallest `k` in `0..=end` for which the monotone `holds` is true; `end` when none is.
fn smallest(end: u64, holds: impl Fn(u64) -> bool) -> u64 {
    let (mut low, mut high) = (0, end);
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

/// The smallest sample whose largest observation bounds the `p` quantile from above at level `1 - alpha`, one-sided:
/// `ceil(ln alpha / ln p)`. Absent unless `0 < p < 1` and `0 < alpha < 1`.
pub fn smallest_n_one_sided(p: f64, alpha: f64) -> Option<u64> {
    let valid = |share: f64| share > 0.0 && share < 1.0;
    // The cast saturates, which no sane level reaches.
    (valid(p) && valid(alpha)).then(|| (alpha.ln() / p.ln()).ceil().max(1.0) as u64)
}

/// The same for the upper end of an equal-tailed two-sided interval: `ceil(ln(alpha/2) / ln p)`.
pub fn smallest_n_two_sided(p: f64, alpha: f64) -> Option<u64> {
    smallest_n_one_sided(p, alpha / 2.0)
}

/// How many queries allow `t` of them over the limit while the `p` quantile is still below it with confidence `c`:
/// `h + t` for the smallest `h` with `BinCDF(t; h + t, 1 - p) <= 1 - c`. Absent unless `0 < p < 1` and `0 < c < 1`.
///
/// # Source
/// MLPerf LoadGen's early stopping with zero tolerance; `min_query_count = 662` of its configuration is
/// `early_stopping_n(0.99, 0.99, 1)`.
pub fn early_stopping_n(p: f64, c: f64, t: u64) -> Option<u64> {
    let valid = |share: f64| share > 0.0 && share < 1.0;
    if !valid(p) || !valid(c) {
        return None;
    }
    let passes =
        |h: u64| binomial_tails(t, h.saturating_add(t), 1.0 - p).is_some_and(|(below, _)| below <= 1.0 - c);
    let mut high = 16_u64;
    while !passes(high) {
        high = high.checked_mul(2)?;
    }
    Some(smallest(high, passes) + t)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_ranks() {
        let table = [
            (100, 0.50, 40, 61, 0.964_799_799_782_295_2),
            (100, 0.95, 90, 100, 0.982_607_060_712_181_2),
            (300, 0.50, 133, 168, 0.956_871_500_722_777_4),
            (300, 0.95, 277, 293, 0.967_187_924_785_906_4),
            (368, 0.99, 360, 368, 0.962_415_820_410_858_7),
            (500, 0.99, 490, 500, 0.980_185_949_857_805_8),
            (662, 0.50, 306, 357, 0.952_621_771_708_881_2),
            (662, 0.95, 618, 640, 0.950_826_230_916_933_7),
            (662, 0.99, 650, 661, 0.972_335_342_655_790_8),
            (1000, 0.50, 469, 532, 0.953_708_802_639_501_8),
            (1000, 0.95, 936, 964, 0.958_095_268_222_654_1),
            (1000, 0.99, 983, 997, 0.976_094_763_497_977),
            (5000, 0.99, 4936, 4964, 0.953_740_317_922_733_2),
        ];
        for (n, p, lower, upper, coverage) in table {
            let found = order_interval(n, p, 0.05).unwrap();
            assert_eq!((found.lower, found.upper), (Some(lower), Some(upper)), "n={n} p={p}");
            assert!((found.coverage - coverage).abs() < 1e-9, "n={n} p={p}: {}", found.coverage);
        }
    }

    #[test]
    fn a_small_sample_has_an_open_end() {
        for (n, lower) in [(100, Some(97)), (300, Some(293)), (367, Some(359))] {
            let found = order_interval(n, 0.99, 0.05).unwrap();
            assert_eq!((found.lower, found.upper), (lower, None), "{n}");
            assert!(found.coverage >= 0.975, "{n}");
        }
        let five = order_interval(5, 0.5, 0.05).unwrap();
        assert_eq!((five.lower, five.upper, five.coverage), (None, None, 1.0));
        let low = order_interval(100, 0.01, 0.05).unwrap();
        assert_eq!((low.lower, low.upper), (None, Some(4)));
    }

    #[test]
    fn the_level_always_holds_and_the_ends_are_tight() {
        for n in (1..=60).chain([120, 999]) {
            for p in [0.05, 0.5, 0.9, 0.99] {
                for alpha in [0.01, 0.05, 0.1, 0.5] {
                    let found = order_interval(n, p, alpha).unwrap();
                    assert!(found.coverage >= 1.0 - alpha - 1e-12, "{n} {p} {alpha}: {found:?}");
                    if let Some(lower) = found.lower {
                        assert!(binomial_tails(lower - 1, n, p).unwrap().0 <= alpha / 2.0);
                        assert!(binomial_tails(lower, n, p).unwrap().0 > alpha / 2.0);
                    }
                    if let Some(upper) = found.upper {
                        assert!(binomial_tails(upper - 1, n, p).unwrap().1 <= alpha / 2.0);
                        assert!(upper < 2 || binomial_tails(upper - 2, n, p).unwrap().1 > alpha / 2.0);
                    }
                }
            }
        }
    }

    #[test]
    fn nonsense_has_no_interval() {
        for (n, p, alpha) in
            [(0, 0.5, 0.05), (9, 0.0, 0.05), (9, 1.0, 0.05), (9, 0.5, 0.0), (9, f64::NAN, 0.05)]
        {
            assert_eq!(order_interval(n, p, alpha), None);
        }
        assert_eq!(smallest_n_one_sided(1.0, 0.05), None);
        assert_eq!(early_stopping_n(0.99, 1.0, 1), None);
    }

    #[test]
    fn golden_smallest_samples() {
        let table = [
            (0.5, 5, 6, 7),
            (0.9, 29, 36, 44),
            (0.95, 59, 72, 90),
            (0.99, 299, 368, 459),
            (0.999, 2995, 3688, 4603),
        ];
        for (p, one_sided, two_sided, strict) in table {
            assert_eq!(smallest_n_one_sided(p, 0.05), Some(one_sided), "{p}");
            assert_eq!(smallest_n_two_sided(p, 0.05), Some(two_sided), "{p}");
            assert_eq!(smallest_n_one_sided(p, 0.01), Some(strict), "{p}");
            // The rule and the interval agree on where the upper end appears.
            assert!(order_interval(two_sided, p, 0.05).unwrap().upper.is_some());
            assert!(order_interval(two_sided - 1, p, 0.05).unwrap().upper.is_none());
        }
    }

    #[test]
    fn golden_early_stopping() {
        let allowed = [0, 1, 2, 3, 5, 10];
        let table: &[(f64, f64, [u64; 6])] = &[
            (0.50, 0.99, [7, 11, 14, 17, 22, 35]),
            (0.90, 0.99, [44, 64, 81, 97, 127, 197]),
            (0.95, 0.99, [90, 130, 165, 198, 259, 398]),
            (0.97, 0.99, [152, 219, 277, 332, 433, 667]),
            (0.99, 0.99, [459, 662, 838, 1001, 1307, 2010]),
            (0.999, 0.99, [4603, 6636, 8403, 10042, 13105, 20140]),
            (0.90, 0.95, [29, 46, 61, 76, 103, 167]),
            (0.99, 0.95, [299, 473, 628, 773, 1049, 1693]),
        ];
        for (p, c, expected) in table {
            let found = allowed.map(|t| early_stopping_n(*p, *c, t).unwrap());
            assert_eq!(found, *expected, "p={p} c={c}");
        }
    }
}
