//! Quantiles and tails of the distributions behind the intervals.

use statrs::distribution::{Binomial, ContinuousCDF, DiscreteCDF, StudentsT};
use statrs::function::erf::erfc_inv;

/// From this many degrees of freedom on the t quantile is the normal one to four digits, and the numerical inverse
/// of the incomplete beta function loses digits instead of gaining them.
const NORMAL_FROM_DF: f64 = 10_000.0;

/// The `p` quantile of the standard normal distribution; infinite at and beyond 0 and 1.
pub fn normal_quantile(p: f64) -> f64 {
    -std::f64::consts::SQRT_2 * erfc_inv(2.0 * p)
}

/// The `p` quantile of Student's t with `df` degrees of freedom; absent unless `0 < p < 1` and `df > 0`.
pub fn student_t_quantile(p: f64, df: f64) -> Option<f64> {
    if !(p > 0.0 && p < 1.0) {
        return None;
    }
    if df >= NORMAL_FROM_DF {
        return Some(normal_quantile(p));
    }
    StudentsT::new(0.0, 1.0, df).ok().map(|distribution| distribution.inverse_cdf(p))
}

/// `P(X <= k)` and `P(X > k)` of `Binomial(n, p)`; absent unless `0 <= p <= 1`.
pub(super) fn binomial_tails(k: u64, n: u64, p: f64) -> Option<(f64, f64)> {
    let distribution = Binomial::new(p, n).ok()?;
    Some((distribution.cdf(k), distribution.sf(k)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_agree_with_tables() {
        for (p, expected) in [(0.975, 1.959_963_984_540_054), (0.95, 1.644_853_626_951_472), (0.5, 0.0)] {
            assert!((normal_quantile(p) - expected).abs() < 1e-9, "{p}");
        }
        // Table of the t distribution, 0.975 quantiles.
        for (df, expected) in [(1.0, 12.7062), (4.0, 2.7764), (19.0, 2.0930), (99.0, 1.9842), (1e6, 1.9600)] {
            assert!((student_t_quantile(0.975, df).unwrap() - expected).abs() < 1e-4, "{df}");
        }
        assert_eq!(student_t_quantile(1.0, 3.0), None);
        assert_eq!(student_t_quantile(0.9, 0.0), None);
        assert_eq!(student_t_quantile(f64::NAN, 3.0), None);
    }

    #[test]
    fn t_inverse_is_the_inverse_over_every_level_the_inversion_uses() {
        for df in [1.0, 2.0, 3.0, 7.0, 19.0, 99.0, 999.0] {
            let distribution = StudentsT::new(0.0, 1.0, df).unwrap();
            for alpha in [1e-6, 1e-4, 0.01, 0.05, 0.5, 0.999_999] {
                let quantile = student_t_quantile(alpha / 2.0, df).unwrap();
                assert!((distribution.cdf(quantile) / (alpha / 2.0) - 1.0).abs() < 1e-6, "{df} {alpha}");
            }
        }
    }

    #[test]
    fn binomial_tails_sum_to_one() {
        let (below, above) = binomial_tails(3, 10, 0.5).unwrap();
        assert!((below - 176.0 / 1024.0).abs() < 1e-12);
        assert!((below + above - 1.0).abs() < 1e-12);
        assert_eq!(binomial_tails(3, 10, 1.5), None);
    }
}
