//! The closed vocabulary of what can be measured and declared.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::units::Family;

/// Which way is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// More is better: throughput, accuracy.
    Higher,
    /// Less is better: time, memory, money.
    Lower,
}

macro_rules! vocabulary {
    ($($variant:ident $name:literal $family:ident $direction:ident $doc:literal;)*) => {
        /// A metric: what was measured. The name fixes the unit's family and the direction.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Metric { $(#[doc = $doc] #[serde(rename = $name)] $variant,)* }

        impl Metric {
            /// Every metric, in the order of the documentation.
            pub const ALL: &'static [Metric] = &[$(Metric::$variant,)*];

            /// The name as written in a claims file and in a record.
            pub const fn name(self) -> &'static str { match self { $(Metric::$variant => $name,)* } }

            /// What its unit measures.
            pub const fn family(self) -> Family { match self { $(Metric::$variant => Family::$family,)* } }

            /// Which way is better.
            pub const fn direction(self) -> Direction { match self { $(Metric::$variant => Direction::$direction,)* } }
        }
    };
}

vocabulary! {
    LatencyE2e "latency.e2e" Time Lower "One call or one request, from start to end (under load: from the due time).";
    LatencyCpu "latency.cpu" Time Lower "Processor time of the calling thread for one call or one request.";
    LatencyTtft "latency.ttft" Time Lower "Time to the first token.";
    LatencyTpot "latency.tpot" Time Lower "Time per output token after the first.";
    LatencyItl "latency.itl" Time Lower "Time between two tokens, pooled over requests.";
    LatencyKernel "latency.kernel" Time Lower "One kernel launch on the device, its data in no cache.";
    LatencyKernelHot "latency.kernel_hot" Time Lower "One kernel launch on the device, among others like it and with its data where they left it.";
    LatencyLaunchFloor "latency.launch_floor" Time Lower "A launch of an empty kernel, timed as a kernel is: nothing can be timed below it.";
    ThroughputRequests "throughput.requests" Rate Higher "Requests answered per second.";
    ThroughputGoodput "throughput.goodput" Rate Higher "Requests answered inside every objective, per second.";
    ThroughputTokens "throughput.tokens" Rate Higher "Tokens produced per second.";
    ThroughputSamples "throughput.samples" Rate Higher "Elements of the input processed per second.";
    ThroughputFlops "throughput.flops" Flops Higher "Floating-point operations per second.";
    RooflineShare "roofline.share" Fraction Higher "What a kernel attained of the roofline under the device's measured peaks.";
    ThroughputBytes "throughput.bytes" ByteRate Higher "Bytes processed or moved per second.";
    QualityAccuracy "quality.accuracy" Fraction Higher "Share of items answered correctly.";
    QualityF1 "quality.f1" Fraction Higher "Harmonic mean of precision and recall.";
    QualityExactMatch "quality.exact_match" Fraction Higher "Share of answers equal to the reference.";
    QualityPassAtK "quality.pass_at_k" Fraction Higher "Share of problems solved by one of k attempts.";
    QualitySpearman "quality.spearman" Fraction Higher "Rank correlation with the reference.";
    QualityBleu "quality.bleu" Fraction Higher "BLEU as a share of one.";
    QualityRougeL "quality.rouge_l" Fraction Higher "ROUGE-L as a share of one.";
    QualityPerplexity "quality.perplexity" Number Lower "Exponential of the mean negative log-likelihood.";
    QualityWer "quality.wer" Fraction Lower "Word error rate.";
    QualityNll "quality.nll" Number Lower "Mean negative log-likelihood in nats per token.";
    MemoryDevicePeak "memory.device_peak" Bytes Lower "Highest device memory in use.";
    MemoryDeviceSteady "memory.device_steady" Bytes Lower "Device memory in use once loaded.";
    MemoryDeviceReserved "memory.device_reserved" Bytes Lower "Most device memory that the allocator held for its users.";
    MemoryDeviceDelta "memory.device_delta" Bytes Lower "By how much the device's free memory fell since before the context: context, code and libraries included.";
    MemoryDeviceRequest "memory.device_request" Bytes Lower "Highest device memory in use while one request is answered.";
    MemoryHostPeak "memory.host_peak" Bytes Lower "Highest resident memory of the process.";
    MemoryHostLoaded "memory.host_loaded" Bytes Lower "Resident memory of the process once loaded, before its first request.";
    MemoryHostRequest "memory.host_request" Bytes Lower "Highest resident memory of the process while one request is answered.";
    MemoryHostIdle "memory.host_idle" Bytes Lower "Resident memory of the process that has answered and waits.";
    MemoryModelBytes "memory.model_bytes" Bytes Lower "Size of the model's files.";
    ColdTotal "cold.total" Time Lower "From the start of a fresh process to its first answer.";
    ColdProcess "cold.process" Time Lower "From the start of a fresh process to its `main`.";
    ColdContext "cold.context" Time Lower "Creating the device context.";
    ColdModule "cold.module" Time Lower "Loading the device code.";
    ColdWeights "cold.weights" Time Lower "Reading and placing the weights.";
    ColdFirstInference "cold.first_inference" Time Lower "The first answer itself, everything loaded.";
    ColdDiskBytes "cold.disk_bytes" Bytes Lower "Bytes that a cold start fetched from storage until the first answer.";
    CostPer1kRequests "cost.per_1k_requests" Usd Lower "Dollars for a thousand requests.";
    CostPer1mOutputTokens "cost.per_1m_output_tokens" Usd Lower "Dollars for a million output tokens.";
}

impl Metric {
    /// The metric of this name.
    pub fn parse(name: &str) -> Option<Metric> {
        Metric::ALL.iter().copied().find(|metric| metric.name() == name)
    }

    /// Whether the number depends on the machine that ran it. A score or a file's size does not.
    pub fn depends_on_machine(self) -> bool {
        !self.name().starts_with("quality.") && self != Metric::MemoryModelBytes
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Which number of a distribution is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Statistic {
    /// The arithmetic mean.
    #[serde(rename = "mean")]
    Mean,
    /// The 0.5 quantile.
    #[serde(rename = "median")]
    Median,
    /// The 0.90 quantile.
    #[serde(rename = "p90")]
    P90,
    /// The 0.95 quantile.
    #[serde(rename = "p95")]
    P95,
    /// The 0.97 quantile.
    #[serde(rename = "p97")]
    P97,
    /// The 0.99 quantile.
    #[serde(rename = "p99")]
    P99,
    /// The 0.999 quantile.
    #[serde(rename = "p99_9")]
    P999,
    /// The smallest observation.
    #[serde(rename = "min")]
    Min,
    /// The largest observation.
    #[serde(rename = "max")]
    Max,
    /// The source does not say; the metric's usual statistic stands in, and the report says so.
    #[serde(rename = "unspecified")]
    Unspecified,
}

impl Statistic {
    /// Every statistic, in the order of the documentation. `p50` is accepted as another spelling of `median`.
    pub const ALL: &'static [Statistic] = &[
        Statistic::Mean,
        Statistic::Median,
        Statistic::P90,
        Statistic::P95,
        Statistic::P97,
        Statistic::P99,
        Statistic::P999,
        Statistic::Min,
        Statistic::Max,
        Statistic::Unspecified,
    ];

    /// The name as written in a claims file and in a record.
    pub const fn name(self) -> &'static str {
        match self {
            Statistic::Mean => "mean",
            Statistic::Median => "median",
            Statistic::P90 => "p90",
            Statistic::P95 => "p95",
            Statistic::P97 => "p97",
            Statistic::P99 => "p99",
            Statistic::P999 => "p99_9",
            Statistic::Min => "min",
            Statistic::Max => "max",
            Statistic::Unspecified => "unspecified",
        }
    }

    /// The statistic of this name.
    pub fn parse(name: &str) -> Option<Statistic> {
        if name == "p50" {
            return Some(Statistic::Median);
        }
        Statistic::ALL.iter().copied().find(|statistic| statistic.name() == name)
    }

    /// The quantile's level, where the statistic is a quantile.
    pub const fn quantile(self) -> Option<f64> {
        match self {
            Statistic::Median => Some(0.5),
            Statistic::P90 => Some(0.90),
            Statistic::P95 => Some(0.95),
            Statistic::P97 => Some(0.97),
            Statistic::P99 => Some(0.99),
            Statistic::P999 => Some(0.999),
            Statistic::Mean | Statistic::Min | Statistic::Max | Statistic::Unspecified => None,
        }
    }
}

impl fmt::Display for Statistic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for metric in Metric::ALL {
            assert_eq!(Metric::parse(metric.name()), Some(*metric));
            assert_eq!(serde_json::to_string(metric).unwrap(), format!("\"{}\"", metric.name()));
        }
        for statistic in Statistic::ALL {
            assert_eq!(Statistic::parse(statistic.name()), Some(*statistic));
            assert_eq!(serde_json::to_string(statistic).unwrap(), format!("\"{}\"", statistic.name()));
        }
        assert_eq!(Statistic::parse("p50"), Some(Statistic::Median));
        assert_eq!(Metric::parse("latency.E2E"), None);
    }
}
