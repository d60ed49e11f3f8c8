//! The accelerator that a kernel ran on, as far as its driver tells.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Metric;

/// A device.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Device {
    /// How it is driven: `cuda`.
    pub kind: String,
    /// The driver's name for it, such as `NVIDIA H200`.
    pub name: String,
    /// The driver's version.
    pub driver: String,
    /// No real device: its times come from a model, and nothing may be held against them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub simulated: bool,
    /// What else a reader may want to know, as `compute capability` or `power limit`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: BTreeMap<String, String>,
    /// What it can do at most, measured here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub peaks: Vec<Peak>,
    /// Peaks that could not be measured, each a sentence.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unmeasured: Vec<String>,
}

/// The most that a device did of one thing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Peak {
    /// `throughput.bytes` or `throughput.flops`.
    pub metric: Metric,
    /// The number format of the operands, for operations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dtype: Option<String>,
    /// In the metric's canonical unit.
    pub value: f64,
}

impl Device {
    /// The measured peak of `metric`; for operations that of operands in `dtype`.
    pub fn peak(&self, metric: Metric, dtype: Option<&str>) -> Option<f64> {
        let same =
            |peak: &&Peak| peak.metric == metric && (peak.dtype.is_none() || peak.dtype.as_deref() == dtype);
        self.peaks.iter().find(same).map(|peak| peak.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peak_of_operations_is_one_of_a_number_format() {
        let peak =
            |metric, dtype: Option<&str>, value| Peak { metric, dtype: dtype.map(str::to_owned), value };
        let device = Device {
            peaks: vec![
                peak(Metric::ThroughputBytes, None, 4e12),
                peak(Metric::ThroughputFlops, Some("bf16"), 7e14),
            ],
            ..Device::default()
        };
        assert_eq!(device.peak(Metric::ThroughputBytes, Some("bf16")), Some(4e12));
        assert_eq!(device.peak(Metric::ThroughputFlops, Some("bf16")), Some(7e14));
        assert_eq!(device.peak(Metric::ThroughputFlops, Some("fp32")), None);
        assert_eq!(device.peak(Metric::ThroughputFlops, None), None);
    }
}
