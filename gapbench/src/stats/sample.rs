//! A set of observations that is known to be finite and not empty.

use std::fmt;

use super::{Bounds, order_interval};

/// Observations, both as observed and sorted.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    observed: Vec<f64>,
    sorted: Vec<f64>,
}

/// Why numbers are no sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SampleError {
    /// There is no observation.
    Empty,
    /// An observation is infinite or not a number.
    NotFinite {
        /// Its position, from 0.
        index: usize,
    },
}

impl fmt::Display for SampleError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SampleError::Empty => formatter.write_str("there are no observations"),
            SampleError::NotFinite { index } => {
                write!(formatter, "observation {} is not a finite number", index + 1)
            }
        }
    }
}

impl std::error::Error for SampleError {}

impl Sample {
    /// Takes observations in the order observed, in any one unit.
    ///
    /// # Errors
    /// [`SampleError`] when there is none, or when one is not finite.
    pub fn new(observed: Vec<f64>) -> Result<Sample, SampleError> {
        if observed.is_empty() {
            return Err(SampleError::Empty);
        }
        if let Some(index) = observed.iter().position(|value| !value.is_finite()) {
            return Err(SampleError::NotFinite { index });
        }
        let mut sorted = observed.clone();
        sorted.sort_by(f64::total_cmp);
        Ok(Sample { observed, sorted })
    }

    /// The observations in the order observed.
    pub fn observed(&self) -> &[f64] {
        &self.observed
    }

    /// The observations from the smallest to the largest.
    pub fn sorted(&self) -> &[f64] {
        &self.sorted
    }

    /// How many observations there are; at least 1.
    pub fn n(&self) -> u64 {
        self.sorted.len() as u64
    }

    /// The smallest observation.
    pub fn min(&self) -> f64 {
        self.sorted.first().copied().unwrap_or_default()
    }

    /// The largest observation.
    pub fn max(&self) -> f64 {
        self.sorted.last().copied().unwrap_or_default()
    }

    /// The arithmetic mean.
    pub fn mean(&self) -> f64 {
        self.observed.iter().sum::<f64>() / self.observed.len() as f64
    }

    /// The `p` quantile: the smallest observation that at least a share `p` do not exceed, and the mean of the two
    /// candidates where `p n` is whole, so that the median is the usual one. `p` is clamped to `0..=1`. Unlike
    /// interpolated definitions it always lies inside [`Sample::quantile_interval`].
    ///
    /// # Source
    /// Hyndman and Fan 1996, type 2.
    pub fn quantile(&self, p: f64) -> f64 {
        let position = p.clamp(0.0, 1.0) * self.sorted.len() as f64;
        let whole = position.round();
        // The product of a decimal p with n misses whole numbers by a few units of rounding.
        if (position - whole).abs() < 1e-9 * whole.max(1.0) {
            let clamped = whole.clamp(1.0, self.sorted.len() as f64) as u64;
            let above = if whole < 1.0 { clamped } else { clamped + 1 };
            f64::midpoint(self.rank(clamped), self.rank(above))
        } else {
            self.rank(position.ceil() as u64)
        }
    }

    /// The interval of the `p` quantile at level `1 - alpha` for independent observations; see
    /// [`order_interval`].
    pub fn quantile_interval(&self, p: f64, alpha: f64) -> Bounds {
        order_interval(self.n(), p, alpha).map_or_else(Bounds::default, |ranks| Bounds {
            lower: ranks.lower.map(|rank| self.rank(rank)),
            upper: ranks.upper.map(|rank| self.rank(rank)),
        })
    }

    /// The order statistic of this rank, from 1; the largest beyond the end.
    fn rank(&self, rank: u64) -> f64 {
        let index = usize::try_from(rank.saturating_sub(1)).unwrap_or(usize::MAX);
        self.sorted.get(index).copied().unwrap_or_else(|| self.max())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_finite_numbers_are_a_sample() {
        assert_eq!(Sample::new(vec![]), Err(SampleError::Empty));
        let error = Sample::new(vec![1.0, f64::NAN]).unwrap_err();
        assert_eq!(error, SampleError::NotFinite { index: 1 });
        assert_eq!(error.to_string(), "observation 2 is not a finite number");
        assert!(Sample::new(vec![f64::INFINITY]).is_err());
    }

    #[test]
    fn order_is_kept_and_points_are_right() {
        let sample = Sample::new(vec![3.0, 1.0, 2.0, 4.0]).unwrap();
        assert_eq!(sample.observed(), [3.0, 1.0, 2.0, 4.0]);
        assert_eq!(sample.sorted(), [1.0, 2.0, 3.0, 4.0]);
        assert_eq!((sample.n(), sample.min(), sample.max(), sample.mean()), (4, 1.0, 4.0, 2.5));
        assert_eq!(sample.quantile(0.5), 2.5);
        assert_eq!((sample.quantile(0.9), sample.quantile(0.25), sample.quantile(0.2)), (4.0, 1.5, 1.0));
        let hundred = Sample::new((1..=100).map(f64::from).collect()).unwrap();
        assert_eq!(
            (hundred.quantile(0.07), hundred.quantile(0.99), hundred.quantile(0.999)),
            (7.5, 99.5, 100.0)
        );
        assert_eq!((sample.quantile(-1.0), sample.quantile(2.0)), (1.0, 4.0));
        assert_eq!(Sample::new(vec![7.0]).unwrap().quantile(0.99), 7.0);
    }

    #[test]
    fn intervals_are_order_statistics() {
        let sample = Sample::new((1..=1000).rev().map(f64::from).collect()).unwrap();
        assert_eq!(sample.quantile_interval(0.5, 0.05), Bounds::both(469.0, 532.0));
        assert_eq!(sample.quantile_interval(0.99, 0.05), Bounds::both(983.0, 997.0));
        let short = Sample::new((1..=100).map(f64::from).collect()).unwrap();
        assert_eq!(short.quantile_interval(0.99, 0.05), Bounds { lower: Some(97.0), upper: None });
        assert_eq!(short.quantile_interval(0.99, 7.0), Bounds::default());
    }

    #[test]
    fn the_point_lies_inside_its_interval() {
        for n in 1..200 {
            let sample = Sample::new((0..n).map(f64::from).collect()).unwrap();
            for p in [0.5, 0.9, 0.95, 0.97, 0.99, 0.999] {
                let bounds = sample.quantile_interval(p, 0.05);
                assert!(bounds.contains(sample.quantile(p)), "{n} {p} {bounds:?}");
            }
        }
    }
}
