//! The goodness ratio of a number of ours to a declared one: above 1 is better, whichever way the metric points.

use crate::declare::{PaperClaim, SpreadKind};
use crate::record::Direction;
use crate::stats::{Bounds, normal_quantile};

use super::Interval;
use super::estimate::Measured;

/// How uncertain the declared number itself is, in the metric's canonical unit.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Uncertainty {
    /// Anywhere within this distance: printed digits, or a range.
    Uniform(f64),
    /// A standard deviation of the number.
    Normal(f64),
}

impl Uncertainty {
    /// The spread that a source prints, or its printed digits where they say less.
    fn of(claim: &PaperClaim) -> Uncertainty {
        let printed = Uncertainty::Uniform(claim.precision.half_width.abs());
        let stated = spread(claim).unwrap_or(printed);
        if stated.deviation() > printed.deviation() { stated } else { printed }
    }

    /// Standard deviation; that of a uniform distribution is its half-width over the square root of 3.
    fn deviation(self) -> f64 {
        match self {
            Uncertainty::Uniform(half) => half / 3.0_f64.sqrt(),
            Uncertainty::Normal(deviation) => deviation,
        }
    }

    /// How far the ends of an interval at level `1 - alpha` lie from the number.
    fn half(self, alpha: f64) -> f64 {
        match self {
            Uncertainty::Uniform(half) => half,
            Uncertainty::Normal(deviation) => normal_quantile(1.0 - alpha / 2.0) * deviation,
        }
    }
}

fn spread(claim: &PaperClaim) -> Option<Uncertainty> {
    let spread = claim.spread?;
    let width = || Some((spread.hi? - spread.lo?).abs());
    // A deviation of observations shrinks with their number; where that is unknown it is taken for the number's own.
    let of_observations =
        |deviation: f64| Uncertainty::Normal(deviation / (claim.n.unwrap_or(1).max(1) as f64).sqrt());
    match spread.kind {
        SpreadKind::Se => Some(Uncertainty::Normal(spread.value?.abs())),
        SpreadKind::Sd => Some(of_observations(spread.value?.abs())),
        SpreadKind::Ci95 => Some(Uncertainty::Normal(width()? / 2.0 / normal_quantile(0.975))),
        SpreadKind::P20P80 => Some(of_observations(width()? / 2.0 / normal_quantile(0.8))),
        SpreadKind::Range => {
            let (lo, hi) = (spread.lo?, spread.hi?);
            Some(Uncertainty::Uniform(
                (hi - claim.declared.value).abs().max((claim.declared.value - lo).abs()),
            ))
        }
    }
}

/// The declared number with the ends that its own uncertainty gives it at level `1 - alpha`.
pub(super) fn declared_interval(claim: &PaperClaim, alpha: f64) -> Interval {
    let (value, half) = (claim.declared.value, Uncertainty::of(claim).half(alpha));
    Interval { value, lower: Some(value - half), upper: Some(value + half) }
}

/// A number of ours held against a declared one.
pub(super) struct Goodness<'a> {
    ours: &'a Measured,
    declared: f64,
    uncertainty: Uncertainty,
    direction: Direction,
}

impl<'a> Goodness<'a> {
    /// Pairs the two.
    ///
    /// # Errors
    /// A sentence fragment when a ratio has no meaning: a declared number that is not positive, or a number of ours that
    /// is not where lower is better.
    pub(super) fn new(ours: &'a Measured, claim: &PaperClaim) -> Result<Goodness<'a>, String> {
        let direction = claim.metric.direction();
        let declared = claim.declared.value;
        if !(declared > 0.0 && declared.is_finite()) {
            return Err(format!(
                "the declared {} is not positive, so a ratio has no meaning",
                claim.declared.written
            ));
        }
        if direction == Direction::Lower && ours.value <= 0.0 {
            return Err("ours is not positive, so a ratio has no meaning".to_owned());
        }
        Ok(Goodness { ours, declared, uncertainty: Uncertainty::of(claim), direction })
    }

    /// The ratio itself.
    pub(super) fn value(&self) -> f64 {
        match self.direction {
            Direction::Higher => self.ours.value / self.declared,
            Direction::Lower => self.declared / self.ours.value,
        }
    }

    /// The ratio with its interval at level `1 - alpha`, the declared number's own uncertainty included: averages
    /// combine with it in quadrature on the log scale; ends that are single observations are widened by all of it.
    ///
    /// # Source
    /// Zou and Donner 2008, "Construction of confidence limits about effect measures" (the square-and-add rule).
    pub(super) fn interval(&self, alpha: f64) -> Interval {
        let Bounds { lower, upper } = self.bounds(alpha);
        Interval { value: self.value(), lower, upper }
    }

    /// The ends of [`Goodness::interval`].
    pub(super) fn bounds(&self, alpha: f64) -> Bounds {
        let ours = self.ours.bounds(alpha);
        let positive = self.ours.value > 0.0 && ours.lower.is_none_or(|lower| lower > 0.0);
        if self.ours.is_average() && positive && self.uncertainty.deviation() > 0.0 {
            self.quadrature(ours, alpha)
        } else {
            self.widened(ours, alpha)
        }
    }

    /// Half-width of the ratio that stays however many observations we make.
    pub(super) fn irreducible_half(&self, alpha: f64) -> f64 {
        self.value() * self.uncertainty.half(alpha) / self.declared
    }

    fn quadrature(&self, ours: Bounds, alpha: f64) -> Bounds {
        let declared = normal_quantile(1.0 - alpha / 2.0) * self.uncertainty.deviation() / self.declared;
        let below = ours.lower.map(|lower| (self.ours.value / lower).ln().hypot(declared));
        let above = ours.upper.map(|upper| (upper / self.ours.value).ln().hypot(declared));
        let (down, up) = match self.direction {
            Direction::Higher => (below, above),
            Direction::Lower => (above, below),
        };
        Bounds {
            lower: down.map(|distance| self.value() * (-distance).exp()),
            upper: up.map(|distance| self.value() * distance.exp()),
        }
    }

    fn widened(&self, ours: Bounds, alpha: f64) -> Bounds {
        let half = self.uncertainty.half(alpha);
        let (low, high) = (self.declared - half, self.declared + half);
        // Nothing divides by an end at or below zero: that side of the ratio is open.
        let over = |number: f64, divisor: f64| (divisor > 0.0).then(|| number / divisor);
        match self.direction {
            Direction::Higher => Bounds {
                lower: ours.lower.and_then(|end| over(end, if end < 0.0 { low } else { high })),
                upper: ours.upper.and_then(|end| over(end, if end < 0.0 { high } else { low })),
            },
            Direction::Lower => Bounds {
                lower: ours.upper.and_then(|end| over(low.max(0.0), end)),
                upper: ours.lower.and_then(|end| over(high, end)),
            },
        }
    }
}
