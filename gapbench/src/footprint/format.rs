//! Number formats that a cache or an intermediate result is kept in.
//!
//! Knows nothing of the formats in which weights are stored: those are the file's own words.

use std::fmt;

use serde::{Serialize, Serializer};

/// A number format by its width. Scales that a quantised cache keeps beside its numbers are not in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NumberFormat {
    /// IEEE single precision, 32 bit.
    F32,
    /// IEEE half precision, 16 bit.
    F16,
    /// The upper half of an f32, 16 bit.
    Bf16,
    /// One of the 8-bit floating-point formats.
    Fp8,
    /// Whole numbers of 8 bit.
    Int8,
    /// One of the 4-bit formats.
    Int4,
}

/// Every spelling, ours first, then those of PyTorch, safetensors and vLLM. They are read without regard to case.
const WORDS: &[(&str, NumberFormat)] = &[
    ("f32", NumberFormat::F32),
    ("f16", NumberFormat::F16),
    ("bf16", NumberFormat::Bf16),
    ("fp8", NumberFormat::Fp8),
    ("int8", NumberFormat::Int8),
    ("int4", NumberFormat::Int4),
    ("float32", NumberFormat::F32),
    ("fp32", NumberFormat::F32),
    ("float16", NumberFormat::F16),
    ("half", NumberFormat::F16),
    ("fp16", NumberFormat::F16),
    ("bfloat16", NumberFormat::Bf16),
    ("fp8_e4m3", NumberFormat::Fp8),
    ("fp8_e5m2", NumberFormat::Fp8),
    ("float8_e4m3fn", NumberFormat::Fp8),
    ("float8_e5m2", NumberFormat::Fp8),
    ("i8", NumberFormat::Int8),
    ("i4", NumberFormat::Int4),
];

impl NumberFormat {
    /// Every format's own word.
    pub const NAMES: [&'static str; 6] = ["f32", "f16", "bf16", "fp8", "int8", "int4"];

    /// The format that `word` names, or `None`; a typo never becomes a default. PyTorch's prefix `torch.` may stand in
    /// front.
    pub fn parse(word: &str) -> Option<NumberFormat> {
        let lower = word.to_ascii_lowercase();
        let plain = lower.strip_prefix("torch.").unwrap_or(&lower);
        WORDS.iter().find(|(known, _)| *known == plain).map(|(_, format)| *format)
    }

    /// Bits of one number.
    pub const fn bits(self) -> u64 {
        match self {
            NumberFormat::F32 => 32,
            NumberFormat::F16 | NumberFormat::Bf16 => 16,
            NumberFormat::Fp8 | NumberFormat::Int8 => 8,
            NumberFormat::Int4 => 4,
        }
    }
}

impl fmt::Display for NumberFormat {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            NumberFormat::F32 => "f32",
            NumberFormat::F16 => "f16",
            NumberFormat::Bf16 => "bf16",
            NumberFormat::Fp8 => "fp8",
            NumberFormat::Int8 => "int8",
            NumberFormat::Int4 => "int4",
        })
    }
}

impl Serialize for NumberFormat {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_others_mean_the_same_and_typos_nothing() {
        assert_eq!(NumberFormat::parse("torch.bfloat16"), Some(NumberFormat::Bf16));
        assert_eq!(NumberFormat::parse("BF16"), Some(NumberFormat::Bf16));
        assert_eq!(NumberFormat::parse("fp8_e4m3").map(NumberFormat::bits), Some(8));
        for typo in ["", "auto", "bf-16", "16", "float"] {
            assert_eq!(NumberFormat::parse(typo), None, "{typo}");
        }
        for name in NumberFormat::NAMES {
            assert_eq!(NumberFormat::parse(name).map(|format| format.to_string()).as_deref(), Some(name));
        }
    }
}
