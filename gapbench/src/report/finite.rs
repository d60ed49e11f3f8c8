//! Keeps numbers that are no numbers out of what is written: JSON has no NaN, and `null` would be read as a value.

use crate::judge::{Estimate, Interval, Judgement};

/// The same judgement without estimates, ends and ratios that are infinite or NaN: they become absent.
pub(super) fn judgement(mut judgement: Judgement) -> Judgement {
    for claim in &mut judgement.claims {
        claim.ours = claim.ours.and_then(estimate);
        claim.ratio = claim.ratio.and_then(interval);
        claim.p_fail = claim.p_fail.and_then(number);
        claim.p_fail_holm = claim.p_fail_holm.and_then(number);
        claim.ladder.gap = claim.ladder.gap.and_then(number);
        for step in &mut claim.ladder.steps {
            step.estimate = step.estimate.and_then(estimate);
            step.loss = step.loss.and_then(interval);
        }
    }
    for change in &mut judgement.changes {
        change.ours = change.ours.and_then(estimate);
        change.before = change.before.and_then(estimate);
        change.ratio = change.ratio.and_then(interval);
    }
    judgement.measured.retain_mut(|summary| match estimate(summary.estimate) {
        Some(finite) => {
            summary.estimate = finite;
            true
        }
        None => false,
    });
    judgement
}

/// `value` if it is a number.
pub(super) fn number(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

fn interval(interval: Interval) -> Option<Interval> {
    number(interval.value)?;
    Some(Interval {
        lower: interval.lower.and_then(number),
        upper: interval.upper.and_then(number),
        ..interval
    })
}

fn estimate(estimate: Estimate) -> Option<Estimate> {
    Some(Estimate { interval: interval(estimate.interval)?, ..estimate })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_is_absent() {
        let odd = Interval { value: 1.0, lower: Some(f64::NEG_INFINITY), upper: Some(2.0) };
        assert_eq!(interval(odd), Some(Interval { value: 1.0, lower: None, upper: Some(2.0) }));
        assert_eq!(interval(Interval { value: f64::NAN, lower: None, upper: None }), None);
    }
}
