//! Rank correlation.

use super::{Bounds, normal_quantile};

/// Spearman's rank correlation of pairs, ties sharing the mean of their ranks; absent for fewer than two pairs, and where
/// one side does not vary.
///
/// # Source
/// Spearman 1904; with ties, Pearson's correlation of the mid-ranks.
pub fn spearman(first: &[f64], second: &[f64]) -> Option<f64> {
    let (a, b) = (mid_ranks(first), mid_ranks(second));
    if a.len() != b.len() || a.len() < 2 {
        return None;
    }
    // Mid-ranks of both sides have the same mean.
    let mean = (a.len() as f64 + 1.0) / 2.0;
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().zip(&b) {
        ab += (x - mean) * (y - mean);
        aa += (x - mean) * (x - mean);
        bb += (y - mean) * (y - mean);
    }
    let rho = ab / (aa * bb).sqrt();
    rho.is_finite().then(|| rho.clamp(-1.0, 1.0))
}

/// The interval of a rank correlation of `n` pairs at level `1 - alpha`; absent for fewer than four.
///
/// # Source
/// Bonett and Wright 2000: `z = atanh(rho)` has the standard error `sqrt((1 + rho^2 / 2) / (n - 3))`.
pub fn spearman_interval(rho: f64, n: u64, alpha: f64) -> Option<Bounds> {
    if n < 4 || !(alpha > 0.0 && alpha < 1.0) || rho.is_nan() {
        return None;
    }
    let error = ((1.0 + rho * rho / 2.0) / (n - 3) as f64).sqrt();
    let (z, half) = (rho.atanh(), normal_quantile(1.0 - alpha / 2.0) * error);
    Some(Bounds::both((z - half).tanh(), (z + half).tanh()))
}

fn mid_ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<(usize, f64)> = values.iter().copied().enumerate().collect();
    order.sort_by(|a, b| a.1.total_cmp(&b.1));
    let mut ranks = vec![0.0; values.len()];
    let mut before = 0.0;
    for tied in order.chunk_by(|a, b| a.1 == b.1) {
        let rank = before + (tied.len() as f64 + 1.0) / 2.0;
        for (index, _) in tied {
            if let Some(place) = ranks.get_mut(*index) {
                *place = rank;
            }
        }
        before += tied.len() as f64;
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_rank_correlations() {
        // R: cor(c(1,2,3,4,5), c(5,6,7,8,7), method = "spearman") is 0.8207827.
        let rho = spearman(&[1.0, 2.0, 3.0, 4.0, 5.0], &[5.0, 6.0, 7.0, 8.0, 7.0]).unwrap();
        assert!((rho - 0.820_782_7).abs() < 1e-7, "{rho}");
        assert_eq!(spearman(&[1.0, 2.0, 3.0], &[9.0, 8.0, 1.0]), Some(-1.0));
        assert_eq!(spearman(&[1.0, 1.0], &[1.0, 2.0]), None, "one side does not vary");
        assert_eq!(spearman(&[1.0], &[1.0]), None);
    }

    #[test]
    fn golden_interval() {
        // rho = 0.8203, n = 1,379: z = 1.15769, error 0.0311564; tanh of z -+ 0.0610655.
        let found = spearman_interval(0.8203, 1_379, 0.05).unwrap();
        let by_hand =
            |sign: f64| (0.8203_f64.atanh() + sign * 1.959_964 * (1.336_446_f64 / 1_376.0).sqrt()).tanh();
        assert!((found.lower.unwrap() - by_hand(-1.0)).abs() < 1e-6, "{found:?}");
        assert!((found.upper.unwrap() - by_hand(1.0)).abs() < 1e-6, "{found:?}");
        assert_eq!(spearman_interval(0.5, 3, 0.05), None);
        assert_eq!(spearman_interval(1.0, 10, 0.05), Some(Bounds::both(1.0, 1.0)));
    }
}
