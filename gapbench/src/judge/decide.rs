//! The verdict tree: from a goodness ratio's interval to one word.

use crate::declare::Policy;
use crate::stats::Bounds;

use super::Verdict;

/// The verdict on a goodness ratio with the ends `bounds` at level `1 - alpha` and `narrow` at level `1 - 2 alpha`.
///
/// An end that is absent is unbounded. Equality with a line is inside.
///
/// # Source
/// The equivalence test is Schuirmann 1987 (two one-sided tests, hence the level `1 - 2 alpha`).
pub(super) fn decide(bounds: Bounds, narrow: Bounds, policy: &Policy) -> Verdict {
    let below = |line: f64| bounds.upper.is_some_and(|upper| upper < line);
    let reaches = |line: f64| bounds.lower.is_some_and(|lower| lower >= line);
    if below(policy.fail_below) {
        Verdict::Fail
    } else if below(1.0 - policy.discount) {
        Verdict::Gap
    } else if bounds.lower.is_some_and(|lower| lower > 1.0 + policy.equivalence) {
        Verdict::Ahead
    } else if !reaches(line(policy)) {
        Verdict::Unclear
    } else if narrow.lower.is_some_and(|lower| lower >= 1.0 - policy.equivalence)
        && narrow.upper.is_some_and(|upper| upper <= 1.0 + policy.equivalence)
    {
        Verdict::OnPar
    } else {
        Verdict::Within
    }
}

/// The line that the interval must reach for a claim to hold.
pub(super) fn line(policy: &Policy) -> f64 {
    (1.0 - policy.discount).max(policy.fail_below)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(lower: impl Into<Option<f64>>, upper: impl Into<Option<f64>>) -> Verdict {
        let bounds = Bounds { lower: lower.into(), upper: upper.into() };
        decide(bounds, bounds, &Policy::default())
    }

    #[test]
    fn every_verdict() {
        let table = [
            (0.60, 0.70, Verdict::Fail),
            (0.60, 0.77, Verdict::Gap),
            (0.76, 0.79, Verdict::Gap),
            (0.70, 0.90, Verdict::Unclear),
            (0.70, 1.20, Verdict::Unclear),
            (0.82, 0.90, Verdict::Within),
            (0.90, 1.20, Verdict::Within),
            (0.96, 1.04, Verdict::OnPar),
            (1.10, 1.30, Verdict::Ahead),
        ];
        for (lower, upper, expected) in table {
            assert_eq!(verdict(lower, upper), expected, "{lower}..{upper}");
        }
    }

    #[test]
    fn equality_is_inside() {
        assert_eq!(verdict(0.70, 0.75), Verdict::Gap, "the floor itself is no failure");
        assert_eq!(verdict(0.75, 0.75), Verdict::Gap);
        assert_eq!(verdict(0.70, 0.749_999), Verdict::Fail);
        assert_eq!(verdict(0.79, 0.80), Verdict::Unclear, "the line is reached from below");
        assert_eq!(verdict(0.80, 0.80), Verdict::Within);
        assert_eq!(verdict(0.80, 0.81), Verdict::Within);
        assert_eq!(verdict(0.799_999, 0.81), Verdict::Unclear);
        assert_eq!(verdict(1.05, 1.05), Verdict::OnPar);
        assert_eq!(verdict(0.95, 1.05), Verdict::OnPar);
        assert_eq!(verdict(1.05, 1.06), Verdict::Within);
        assert_eq!(verdict(1.050_001, 1.06), Verdict::Ahead);
    }

    #[test]
    fn an_open_end_never_condemns_and_never_acquits() {
        assert_eq!(verdict(None, None), Verdict::Unclear);
        assert_eq!(verdict(None, 0.70), Verdict::Fail);
        assert_eq!(verdict(None, 0.78), Verdict::Gap);
        assert_eq!(verdict(None, 1.00), Verdict::Unclear);
        assert_eq!(verdict(0.70, None), Verdict::Unclear);
        assert_eq!(verdict(0.99, None), Verdict::Within);
        assert_eq!(verdict(1.10, None), Verdict::Ahead);
    }

    #[test]
    fn equivalence_uses_the_narrower_interval() {
        let policy = Policy::default();
        let narrow = Bounds::both(0.96, 1.04);
        assert_eq!(decide(Bounds::both(0.94, 1.06), narrow, &policy), Verdict::OnPar);
        assert_eq!(decide(Bounds::both(0.79, 1.06), narrow, &policy), Verdict::Unclear);
    }

    #[test]
    fn a_policy_moves_the_lines() {
        let policy = Policy { discount: 0.0, fail_below: 0.5, equivalence: 0.2, ..Policy::default() };
        let at = |lower, upper| decide(Bounds::both(lower, upper), Bounds::both(lower, upper), &policy);
        assert_eq!(at(0.90, 0.99), Verdict::Gap);
        assert_eq!(at(1.00, 1.19), Verdict::OnPar);
        // A floor above the discount's line is the line.
        let strict = Policy { fail_below: 0.9, ..Policy::default() };
        assert_eq!(decide(Bounds::both(0.85, 0.95), Bounds::both(0.85, 0.95), &strict), Verdict::Unclear);
    }
}
