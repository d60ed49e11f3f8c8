//! Memory counted before it is allocated. Knows sizes only, neither weights nor devices.

use std::{fmt, fs};

use crate::{Config, Dtype};

/// What a model takes in memory, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Bytes of the weights as they are held, which need not be how they are stored.
    pub weights: u64,
    /// Decoder layers.
    pub layers: u64,
    /// Key and value heads per layer.
    pub kv_heads: u64,
    /// Numbers per head.
    pub head_dim: u64,
    /// Number format of keys and values.
    pub cache_dtype: Dtype,
    /// Tokens of all sequences together that the cache has room for.
    pub tokens: u64,
    /// Bytes of everything that is computed on the way, for the largest step.
    pub activations: u64,
}

impl Plan {
    /// The plan for a model whose weights are held in `weights` bytes, with a cache for `tokens` tokens and
    /// `activations` bytes of intermediate results.
    #[must_use]
    pub fn new(config: &Config, weights: u64, cache_dtype: Dtype, tokens: usize, activations: u64) -> Self {
        Self {
            weights,
            layers: config.num_hidden_layers as u64,
            kv_heads: config.num_key_value_heads as u64,
            head_dim: config.head_dim as u64,
            cache_dtype,
            tokens: tokens as u64,
            activations,
        }
    }

    /// Bytes of keys and values of one token: 2 x layers x heads x numbers per head x bytes of a number.
    #[must_use]
    pub fn bytes_per_token(&self) -> u64 {
        let numbers = self.layers.saturating_mul(self.kv_heads).saturating_mul(self.head_dim);
        numbers.saturating_mul(2 * self.cache_dtype.bytes() as u64)
    }

    /// Bytes of the cache.
    #[must_use]
    pub fn cache(&self) -> u64 {
        self.tokens.saturating_mul(self.bytes_per_token())
    }

    /// Bytes in all.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.weights.saturating_add(self.cache()).saturating_add(self.activations)
    }

    /// Whether all of it fits into `available` bytes.
    #[must_use]
    pub fn fits(&self, available: u64) -> bool {
        self.total() <= available
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (dtype, bytes) = (self.cache_dtype, self.cache_dtype.bytes());
        writeln!(formatter, "weights      {:>18} B  {}", grouped(self.weights), size(self.weights))?;
        writeln!(formatter, "cache        {:>18} B  {}", grouped(self.cache()), size(self.cache()))?;
        writeln!(
            formatter,
            "             = {} tokens x {} B",
            grouped(self.tokens),
            grouped(self.bytes_per_token())
        )?;
        writeln!(
            formatter,
            "             = {} tokens x (2 x {} layers x {} heads x {} x {bytes} B of {dtype})",
            grouped(self.tokens),
            self.layers,
            self.kv_heads,
            self.head_dim
        )?;
        writeln!(formatter, "activations  {:>18} B  {}", grouped(self.activations), size(self.activations))?;
        write!(formatter, "total        {:>18} B  {}", grouped(self.total()), size(self.total()))
    }
}

/// Digits in groups of three.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Bytes in a unit that a person reads.
fn size(bytes: u64) -> String {
    let mut scaled = (bytes as f64, "B");
    for unit in ["KiB", "MiB", "GiB", "TiB"] {
        if scaled.0 >= 1024.0 {
            scaled = (scaled.0 / 1024.0, unit);
        }
    }
    format!("{:.2} {}", scaled.0, scaled.1)
}

/// Bytes of host memory that can be had without swapping (`MemAvailable` of `/proc/meminfo`); `None` where the
/// system does not say.
#[must_use]
pub fn host_available() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    kibibytes.checked_mul(1024)
}
