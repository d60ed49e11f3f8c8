//! Statistics of measured numbers: intervals that hold their level, and the smallest sample that carries them.
//!
//! Knows nothing of metrics, claims or records. No function panics; what a sample cannot say is absent.

mod distribution;
mod holm;
mod inversion;
mod mean;
mod order;
mod paired;
mod proportion;
mod rng;
mod sample;
mod spearman;
mod stopping;

pub use distribution::{normal_quantile, student_t_quantile};
pub use holm::holm;
pub use inversion::{SMALLEST_P, p_value_by_inversion};
pub use mean::{BATCHES, batch_means_interval, item_ratio_interval, ratio_interval, student_t_interval};
pub use order::{
    OrderInterval, early_stopping_n, order_interval, smallest_n_one_sided, smallest_n_two_sided,
};
pub use paired::Pairs;
pub use proportion::{newcombe_difference, wilson};
pub use rng::{SplitMix64, fnv1a64};
pub use sample::{Sample, SampleError};
pub use spearman::{spearman, spearman_interval};
pub use stopping::relative_width_of_median;

/// The two ends of an interval; an end that the sample cannot bound is absent.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bounds {
    /// Lower end.
    pub lower: Option<f64>,
    /// Upper end.
    pub upper: Option<f64>,
}

impl Bounds {
    /// Both ends known.
    pub const fn both(lower: f64, upper: f64) -> Bounds {
        Bounds { lower: Some(lower), upper: Some(upper) }
    }

    /// Both ends at `value`: a number without sampling error.
    pub const fn point(value: f64) -> Bounds {
        Bounds::both(value, value)
    }

    /// Whether `value` lies inside; an absent end excludes nothing.
    pub fn contains(&self, value: f64) -> bool {
        self.lower.is_none_or(|lower| lower <= value) && self.upper.is_none_or(|upper| value <= upper)
    }
}
