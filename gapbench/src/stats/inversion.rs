//! p values from intervals: how far the level must be lowered until the interval lets a value in.

use super::Bounds;

/// No p value below this is told apart: numerical inverses lose their digits there, and no verdict needs more.
pub const SMALLEST_P: f64 = 1e-6;

/// Halvings of the logarithm of alpha: `ln(1e6) / 2^40` is far below any digit that is shown.
const HALVINGS: u32 = 40;

/// The smallest `alpha` at which the interval of level `1 - alpha` still `excludes` what it is tested for; 1 when even
/// the narrowest does not, [`SMALLEST_P`] when the widest does.
///
/// `interval` must widen as `alpha` falls. A two-sided interval gives a two-sided p value: it lies below `alpha`
/// exactly when the interval of that level excludes.
pub fn p_value_by_inversion(interval: impl Fn(f64) -> Bounds, excludes: impl Fn(Bounds) -> bool) -> f64 {
    let excluded = |log_alpha: f64| excludes(interval(log_alpha.exp()));
    let (mut no, mut yes) = (SMALLEST_P.ln(), (1.0 - SMALLEST_P).ln());
    if excluded(no) {
        return SMALLEST_P;
    }
    if !excluded(yes) {
        return 1.0;
    }
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(no, yes);
        if excluded(middle) {
            yes = middle;
        } else {
            no = middle;
        }
    }
    // The end that excludes: rounding errs towards the larger p.
    yes.exp()
}

#[cfg(test)]
mod tests {
    use super::super::{Sample, normal_quantile, wilson};
    use super::*;

    fn z_interval(alpha: f64) -> Bounds {
        let z = normal_quantile(1.0 - alpha / 2.0);
        Bounds::both(-z, z)
    }

    #[test]
    fn agrees_with_the_normal_tail() {
        // P(|Z| > 1.959964) = 0.05 and P(|Z| > 3) = 0.0026998.
        for (value, expected) in [(1.959_964, 0.05), (3.0, 0.002_699_8), (1.0, 0.317_310_5)] {
            let p = p_value_by_inversion(z_interval, |bounds| bounds.upper.is_some_and(|end| end < value));
            assert!((p / expected - 1.0).abs() < 1e-5, "{value}: {p}");
        }
    }

    #[test]
    fn the_ends_are_named() {
        assert_eq!(p_value_by_inversion(z_interval, |_| true), SMALLEST_P);
        assert_eq!(p_value_by_inversion(z_interval, |_| false), 1.0);
        let open = |_| Bounds::default();
        assert_eq!(p_value_by_inversion(open, |bounds| bounds.upper.is_some_and(|end| end < 1e9)), 1.0);
    }

    #[test]
    fn p_is_below_alpha_exactly_when_the_interval_excludes() {
        let sample = Sample::new((1..=200).map(f64::from).collect()).unwrap();
        for value in [100.0, 108.0, 112.0, 114.0, 115.0, 116.0, 120.0, 140.0] {
            let excludes = |bounds: Bounds| bounds.upper.is_some_and(|end| end < value);
            let p = p_value_by_inversion(|alpha| sample.quantile_interval(0.5, alpha), excludes);
            for alpha in [0.01, 0.05, 0.2] {
                assert_eq!(p <= alpha, excludes(sample.quantile_interval(0.5, alpha)), "{value} {alpha} {p}");
            }
        }
        let counts = |alpha| wilson(70, 100, alpha).unwrap_or_default();
        let p = p_value_by_inversion(counts, |bounds| bounds.upper.is_some_and(|end| end < 0.8));
        // The score test of 0.8: z = -0.1 / sqrt(0.16/100) = -2.5.
        assert!((p - 0.012_419).abs() < 1e-5, "{p}");
    }
}
