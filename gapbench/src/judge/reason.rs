//! The sentence behind a verdict.

use crate::declare::{PaperClaim, Policy, Wording};
use crate::record::{Direction, Metric};
use crate::units::{Family, show, show_integer, show_percent};

use super::decide::line;
use super::estimate::Measured;
use super::goodness::Goodness;
use super::{Estimate, Interval, Verdict};

/// More observations than this are no plan.
const MOST_OBSERVATIONS: f64 = 1e7;

/// Our number in words: `median 4.20 ms`; a score needs no statistic.
pub(super) fn number(estimate: &Estimate, metric: Metric) -> String {
    let shown = show(estimate.interval.value, metric.family());
    match metric.family() {
        Family::Fraction | Family::Number => shown,
        _ => format!("{} {shown}", estimate.statistic),
    }
}

/// The declared number in words.
pub(super) fn declared(claim: &PaperClaim) -> String {
    show(claim.declared.value, claim.metric.family())
}

/// Our number against the declared one: `80.5 % is 87.3 % of the declared 92.2 % (85.1..89.2 %)`.
pub(super) fn comparison(claim: &PaperClaim, ours: &Estimate, ratio: &Interval) -> String {
    let (number, declared) = (number(ours, claim.metric), declared(claim));
    let (share, ends) = (show_percent(ratio.value), percent_ends(ratio));
    match claim.metric.direction() {
        Direction::Higher => format!("{number} is {share} of the declared {declared} ({ends})"),
        Direction::Lower => format!("{number} against the declared {declared} is {share} as good ({ends})"),
    }
}

/// `85.1..89.2 %`, with `?` for an end that the sample cannot bound.
pub(super) fn percent_ends(ratio: &Interval) -> String {
    let end = |end: Option<f64>| end.map_or_else(|| "?".to_owned(), |end| format!("{:.1}", end * 100.0));
    format!("{}..{} %", end(ratio.lower), end(ratio.upper))
}

/// What the verdict says about the interval.
pub(super) fn finding(
    verdict: Verdict,
    claim: &PaperClaim,
    ours: &Measured,
    goodness: &Goodness<'_>,
) -> String {
    let policy = &claim.policy;
    match verdict {
        Verdict::Fail => format!("wholly below the floor of {}", percent(policy.fail_below)),
        Verdict::Gap => format!("wholly outside the discount of {}", percent(policy.discount)),
        Verdict::Unclear => format!(
            "which straddles the line at {}: {}",
            percent(line(policy)),
            what_would_decide(policy, ours, goodness)
        ),
        Verdict::Within => format!("inside the discount of {}", percent(policy.discount)),
        Verdict::OnPar => format!("on par within {}", percent(policy.equivalence)),
        Verdict::Ahead if claim.wording == Wording::AtLeast => "better than the declared floor".to_owned(),
        Verdict::Ahead => format!(
            "more than {} better than declared: a paper is a ceiling, so check the conditions",
            percent(policy.equivalence)
        ),
        Verdict::NotComparable | Verdict::NotMeasured => "without a verdict".to_owned(),
    }
}

/// A share that a person chose, with no more digits than it has: `20 %`, `2.5 %`.
fn percent(share: f64) -> String {
    let shown = format!("{:.2}", share * 100.0);
    format!("{} %", shown.trim_end_matches('0').trim_end_matches('.'))
}

/// How many observations would bring the interval to one side of the line, or why none would.
///
/// # Source
/// An interval's half-width falls with the square root of the sample: `n (half / distance)^2`, where the declared
/// number's own share of the half-width stays.
fn what_would_decide(policy: &Policy, ours: &Measured, goodness: &Goodness<'_>) -> String {
    if let Some(open) = ours.open_end(policy.alpha) {
        return open;
    }
    let ratio = goodness.interval(policy.alpha);
    let distance = (ratio.value - line(policy)).abs();
    let fixed = goodness.irreducible_half(policy.alpha);
    if fixed > 0.0 && distance <= fixed {
        return format!(
            "the declared number itself is only known to ±{}, so no number of {} would decide",
            show_percent(fixed / ratio.value),
            ours.noun()
        );
    }
    let end = if ratio.value >= line(policy) { ratio.lower } else { ratio.upper };
    let half = end.map_or(f64::INFINITY, |end| (ratio.value - end).abs());
    let needed = ours.n as f64 * ((half - fixed) / (distance - fixed)).powi(2);
    if needed.is_finite() && needed <= MOST_OBSERVATIONS {
        let needed = needed.max(ours.n as f64 + 1.0);
        format!("about {} {} would decide, and there are {}", rounded_up(needed), ours.noun(), ours.n)
    } else {
        format!("undecidable, since the ratio lies on the line: there are {} {}", ours.n, ours.noun())
    }
}

/// Two significant digits are all such a forecast has.
pub(super) fn rounded_up(count: f64) -> String {
    let magnitude = 10.0_f64.powf((count.log10().floor() - 1.0).max(0.0));
    // Three digits keep rounding noise from lifting a count that is already round.
    let rounded = (count / magnitude - 1e-9).ceil() * magnitude;
    show_integer(rounded)
}

/// The smallest loss that one decimal of a percentage shows.
const SEEN: f64 = 0.001;

/// A loss in words: `the inputs cost 4.8 %` or `the inputs gained 1.0 %`.
pub(super) fn loss(what: &str, loss: &Interval) -> String {
    if loss.value.abs() < SEEN {
        return format!("{what} changed less than {}", show_percent(SEEN));
    }
    let verb = if loss.value < 0.0 { "gained" } else { "cost" };
    format!("{what} {verb} {}", show_percent(loss.value.abs()))
}
