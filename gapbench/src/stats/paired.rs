//! Differences of shares on the same items, each counted before and after.

use super::distribution::binomial_tails;
use super::{Bounds, normal_quantile};

/// Items that were right or wrong twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pairs {
    /// Items.
    pub n: u64,
    /// Right before and wrong after.
    pub lost: u64,
    /// Wrong before and right after.
    pub gained: u64,
}

impl Pairs {
    /// The share lost: `(lost - gained) / n`; absent without items.
    pub fn difference(&self) -> Option<f64> {
        (self.n > 0).then(|| (self.lost as f64 - self.gained as f64) / self.n as f64)
    }

    /// The interval of the share lost at level `1 - alpha`; absent without items or outside `0 < alpha < 1`.
    ///
    /// # Source
    /// The variance of a paired difference of proportions, `(lost + gained - (lost - gained)^2 / n) / n^2` (Agresti,
    /// *Categorical Data Analysis*, 10.1.2).
    pub fn interval(&self, alpha: f64) -> Option<Bounds> {
        let difference = self.difference().filter(|_| alpha > 0.0 && alpha < 1.0)?;
        let n = self.n as f64;
        let (lost, gained) = (self.lost as f64, self.gained as f64);
        let error = (lost + gained - (lost - gained).powi(2) / n).max(0.0).sqrt() / n;
        // Without a single discordant pair the formula has no width: up to about z^2 / 2n of them may have been missed.
        let z = normal_quantile(1.0 - alpha / 2.0);
        let half = if self.lost + self.gained == 0 { z * z / (2.0 * n) } else { z * error };
        Some(Bounds::both((difference - half).max(-1.0), (difference + half).min(1.0)))
    }

    /// How likely so uneven a split of the changed items is if losing and gaining are equally likely; 1 where none changed.
    ///
    /// # Source
    /// McNemar 1947, the exact form: `min(1, 2 P(X <= min(lost, gained)))` with `X ~ Binomial(lost + gained, 1/2)`.
    pub fn mcnemar(&self) -> f64 {
        let (fewer, changed) = (self.lost.min(self.gained), self.lost + self.gained);
        binomial_tails(fewer, changed, 0.5).map_or(1.0, |(below, _)| (2.0 * below).min(1.0))
    }

    /// Whether the two shares differ by less than `margin`, as far as the items can say: the interval at level `1 - 2 alpha`
    /// lies inside it. That an interval contains 0 would only say that there are few items.
    ///
    /// # Source
    /// Schuirmann 1987, two one-sided tests.
    pub fn equivalent(&self, margin: f64, alpha: f64) -> Option<bool> {
        let Bounds { lower, upper } = self.interval(2.0 * alpha)?;
        Some(lower? > -margin && upper? < margin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_pairs() {
        // 63 lost and 23 gained of 1,578: 2.53 points (1.39 to 3.68), p = 1.9e-5 (R: binom.test, and the Wald interval).
        let pairs = Pairs { n: 1578, lost: 63, gained: 23 };
        let interval = pairs.interval(0.05).unwrap();
        assert!((pairs.difference().unwrap() - 0.025_348).abs() < 1e-6);
        assert!((interval.lower.unwrap() - 0.0139).abs() < 5e-5, "{interval:?}");
        assert!((interval.upper.unwrap() - 0.0368).abs() < 5e-5, "{interval:?}");
        assert!((pairs.mcnemar() / 1.9e-5 - 1.0).abs() < 0.03, "{}", pairs.mcnemar());
        // Ten of ten: 2 / 2^10.
        assert!((Pairs { n: 20, lost: 10, gained: 0 }.mcnemar() - 2.0 / 1024.0).abs() < 1e-12);
        assert!((Pairs { n: 20, lost: 3, gained: 3 }.mcnemar() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn no_change_is_an_answer_only_with_enough_items() {
        let same = |n| Pairs { n, lost: 0, gained: 0 };
        assert_eq!(same(1000).equivalent(0.02, 0.05), Some(true));
        assert_eq!(same(20).equivalent(0.02, 0.05), Some(false), "twenty items cannot say so");
        assert_eq!(Pairs { n: 1000, lost: 60, gained: 20 }.equivalent(0.02, 0.05), Some(false));
        assert_eq!((same(0).difference(), same(0).interval(0.05)), (None, None));
        assert!((same(5).mcnemar() - 1.0).abs() < 1e-12);
    }
}
