//! From the observations of a series to one number with its interval, or to the reason why there is none.

use crate::record::{Data, Metric, Series, Statistic};
use crate::stats::{
    Bounds, Sample, batch_means_interval, item_ratio_interval, ratio_interval, smallest_n_two_sided,
    spearman, spearman_interval, wilson,
};
use crate::units::Family;

use super::{Estimate, Interval};

/// The statistic that stands in where a source does not say: the median of times and of memory, otherwise the mean.
pub fn usual_statistic(metric: Metric) -> Statistic {
    match metric.family() {
        Family::Time | Family::Bytes => Statistic::Median,
        Family::Rate | Family::Flops | Family::ByteRate | Family::Fraction | Family::Number | Family::Usd => {
            Statistic::Mean
        }
    }
}

/// The number that `statistic` names in `series`, with its interval at level `1 - alpha`, in the metric's canonical
/// unit. [`Statistic::Unspecified`] becomes the [`usual_statistic`].
///
/// # Errors
/// A sentence fragment that says why these observations do not carry this statistic.
pub fn estimate(series: &Series, statistic: Statistic, alpha: f64) -> Result<Estimate, String> {
    Ok(Measured::prepare(series, statistic)?.estimate(alpha))
}

/// Observations prepared for one statistic, so that intervals of many levels are cheap.
pub(super) struct Measured {
    /// The statistic, never `Unspecified`.
    pub statistic: Statistic,
    /// The point.
    pub value: f64,
    /// How many observations.
    pub n: u64,
    shape: Shape,
}

enum Shape {
    Quantile(Sample, f64),
    Mean(Sample),
    Rate(Vec<(f64, f64)>),
    Share(u64, u64),
    /// A score summed over items, which are independent of each other.
    Items(Vec<(f64, f64)>),
    /// The exponential of one: a perplexity.
    Exponential(Vec<(f64, f64)>),
    /// A rank correlation.
    Correlation,
    Exact,
    Smallest,
    Largest,
}

impl Measured {
    /// Checks that the observations carry the statistic.
    pub(super) fn prepare(series: &Series, statistic: Statistic) -> Result<Measured, String> {
        let statistic =
            if statistic == Statistic::Unspecified { usual_statistic(series.metric) } else { statistic };
        match &series.data {
            Data::Values { values, calls_per_value } => {
                Ok(of_items(series.metric, of_values(values, *calls_per_value, statistic)?))
            }
            Data::Rates { batches } => {
                let pairs: Vec<_> = batches.iter().map(|batch| (batch.work, batch.seconds)).collect();
                Ok(of_items(series.metric, of_rates(pairs, statistic)?))
            }
            Data::Pairs { ours, theirs } => of_pairs(ours, theirs, statistic),
            Data::Counts { successes, trials } => of_counts(*successes, *trials, statistic),
            Data::Exact { value } => of_exact(*value, statistic),
        }
    }

    /// The interval at level `1 - alpha`.
    pub(super) fn bounds(&self, alpha: f64) -> Bounds {
        match &self.shape {
            Shape::Quantile(sample, p) => sample.quantile_interval(*p, alpha),
            Shape::Mean(sample) => batch_means_interval(sample.observed(), alpha),
            Shape::Rate(pairs) => ratio_interval(pairs, alpha),
            Shape::Items(pairs) => item_ratio_interval(pairs, alpha),
            Shape::Exponential(pairs) => {
                let Bounds { lower, upper } = item_ratio_interval(pairs, alpha);
                Bounds { lower: lower.map(f64::exp), upper: upper.map(f64::exp) }
            }
            Shape::Correlation => spearman_interval(self.value, self.n, alpha).unwrap_or_default(),
            Shape::Share(successes, trials) => wilson(*successes, *trials, alpha).unwrap_or_default(),
            Shape::Exact => Bounds::point(self.value),
            // More observations can only lower a minimum and raise a maximum: the far side is open.
            Shape::Smallest => Bounds { lower: None, upper: Some(self.value) },
            Shape::Largest => Bounds { lower: Some(self.value), upper: None },
        }
    }

    /// The number with its interval.
    pub(super) fn estimate(&self, alpha: f64) -> Estimate {
        let Bounds { lower, upper } = self.bounds(alpha);
        Estimate {
            statistic: self.statistic,
            interval: Interval { value: self.value, lower, upper },
            n: self.n,
        }
    }

    /// Whether its error is one of averaging, which combines with other errors in quadrature.
    pub(super) const fn is_average(&self) -> bool {
        matches!(self.shape, Shape::Mean(_) | Shape::Rate(_) | Shape::Items(_) | Shape::Share(..))
    }

    /// Why an end of the interval is missing and what it would take; absent when both are there.
    pub(super) fn open_end(&self, alpha: f64) -> Option<String> {
        let Bounds { lower, upper } = self.bounds(alpha);
        if lower.is_some() && upper.is_some() {
            return None;
        }
        let end = if upper.is_none() { "upper" } else { "lower" };
        Some(match &self.shape {
            Shape::Smallest => "more observations can only lower a minimum".to_owned(),
            Shape::Largest => "more observations can only raise a maximum".to_owned(),
            Shape::Quantile(_, p) => {
                match smallest_n_two_sided(if upper.is_none() { *p } else { 1.0 - p }, alpha) {
                    Some(n) => format!(
                        "the {end} end of the {} needs at least {n} observations, and there are {}",
                        self.statistic, self.n
                    ),
                    None => format!("the {} has no {end} end", self.statistic),
                }
            }
            Shape::Rate(_) => "an interval of a rate needs at least 2 stretches of time".to_owned(),
            Shape::Correlation => "an interval of a rank correlation needs at least 4 pairs".to_owned(),
            Shape::Mean(_) | Shape::Items(_) | Shape::Exponential(_) | Shape::Share(..) | Shape::Exact => {
                "an interval needs at least 2 observations".to_owned()
            }
        })
    }

    /// What one of the `n` is called.
    pub(super) const fn noun(&self) -> &'static str {
        match self.shape {
            Shape::Rate(_) => "stretches of this length",
            Shape::Share(..) => "trials",
            _ => "observations",
        }
    }
}

fn of_values(values: &[f64], calls_per_value: u64, statistic: Statistic) -> Result<Measured, String> {
    let sample = Sample::new(values.to_vec()).map_err(|error| error.to_string())?;
    let tail =
        statistic.quantile().is_some_and(|p| p > 0.5) || matches!(statistic, Statistic::Min | Statistic::Max);
    if calls_per_value > 1 && tail {
        return Err(format!(
            "each observation is the mean of {calls_per_value} calls, which hides the {statistic} of single calls"
        ));
    }
    let n = sample.n();
    let (value, shape) = match (statistic, statistic.quantile()) {
        (_, Some(p)) => (sample.quantile(p), Shape::Quantile(sample, p)),
        (Statistic::Min, _) => (sample.min(), Shape::Smallest),
        (Statistic::Max, _) => (sample.max(), Shape::Largest),
        _ => (sample.mean(), Shape::Mean(sample)),
    };
    Ok(Measured { statistic, value, n, shape })
}

fn of_rates(pairs: Vec<(f64, f64)>, statistic: Statistic) -> Result<Measured, String> {
    if statistic != Statistic::Mean {
        return Err(format!("a rate is total work over total time, which has a mean but no {statistic}"));
    }
    let sum = |pick: fn(&(f64, f64)) -> f64| pairs.iter().map(pick).sum::<f64>();
    let (work, seconds) = (sum(|pair| pair.0), sum(|pair| pair.1));
    let value = work / seconds;
    if !(seconds > 0.0 && value.is_finite()) {
        return Err("no time passed in which work was counted".to_owned());
    }
    Ok(Measured { statistic, value, n: pairs.len() as u64, shape: Shape::Rate(pairs) })
}

/// A score is over items, whose order says nothing; times and rates come one after the other.
fn of_items(metric: Metric, measured: Measured) -> Measured {
    if !metric.name().starts_with("quality.") {
        return measured;
    }
    let shape = match measured.shape {
        Shape::Mean(sample) => Shape::Items(sample.observed().iter().map(|value| (*value, 1.0)).collect()),
        Shape::Rate(pairs) if metric == Metric::QualityPerplexity => {
            let value = measured.value.exp();
            return Measured { value, shape: Shape::Exponential(pairs), ..measured };
        }
        Shape::Rate(pairs) => Shape::Items(pairs),
        shape => shape,
    };
    Measured { shape, ..measured }
}

fn of_pairs(ours: &[f64], theirs: &[f64], statistic: Statistic) -> Result<Measured, String> {
    if statistic != Statistic::Mean {
        return Err(format!("a rank correlation is one number and has no {statistic}"));
    }
    let value = spearman(ours, theirs)
        .ok_or("a rank correlation needs at least 2 pairs, and both sides must vary")?;
    Ok(Measured { statistic, value, n: ours.len() as u64, shape: Shape::Correlation })
}

fn of_counts(successes: u64, trials: u64, statistic: Statistic) -> Result<Measured, String> {
    if statistic != Statistic::Mean {
        return Err(format!("a share of successes has a mean but no {statistic}"));
    }
    if trials == 0 {
        return Err("there were no trials".to_owned());
    }
    if successes > trials {
        return Err(format!("{successes} successes among {trials} trials"));
    }
    let value = successes as f64 / trials as f64;
    Ok(Measured { statistic, value, n: trials, shape: Shape::Share(successes, trials) })
}

fn of_exact(value: f64, statistic: Statistic) -> Result<Measured, String> {
    if statistic.quantile().is_some_and(|p| p > 0.5) {
        return Err(format!("one exact number has no {statistic}"));
    }
    if !value.is_finite() {
        return Err("the number is not finite".to_owned());
    }
    Ok(Measured { statistic, value, n: 1, shape: Shape::Exact })
}
