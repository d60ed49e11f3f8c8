//! Many tests at once.

/// p values adjusted by Holm's step-down rule, in the order given: rejecting those at or below `alpha` keeps the chance
/// of any false rejection among all of them at or below `alpha`, whatever their dependence.
///
/// # Source
/// Holm 1979, "A simple sequentially rejective multiple test procedure".
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<(usize, f64)> = p_values.iter().copied().enumerate().collect();
    order.sort_by(|a, b| a.1.total_cmp(&b.1));
    let mut running = 0.0_f64;
    let mut adjusted: Vec<(usize, f64)> = order
        .iter()
        .enumerate()
        .map(|(rank, (index, p))| {
            running = running.max(((p_values.len() - rank) as f64 * p).min(1.0));
            (*index, running)
        })
        .collect();
    adjusted.sort_by_key(|(index, _)| *index);
    adjusted.into_iter().map(|(_, p)| p).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden() {
        // R: p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm") is 0.03 0.06 0.06 0.02.
        let found = holm(&[0.01, 0.04, 0.03, 0.005]);
        for (found, expected) in found.iter().zip([0.03, 0.06, 0.06, 0.02]) {
            assert!((found - expected).abs() < 1e-12);
        }
        assert_eq!(holm(&[]), Vec::<f64>::new());
        assert_eq!(holm(&[0.7, 0.9]), [1.0, 1.0]);
        assert_eq!(holm(&[0.04]), [0.04]);
    }
}
