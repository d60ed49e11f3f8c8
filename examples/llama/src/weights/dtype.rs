//! The number formats that weights are stored in.

use std::fmt;

use half::{bf16, f16};

/// A number format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dtype {
    /// IEEE single precision.
    F32,
    /// IEEE half precision.
    F16,
    /// The upper half of an f32.
    Bf16,
    /// Signed bytes; row r stands for `byte * scale[r]`, with the f32 scales in the tensor `<name>.scale`.
    I8,
}

impl Dtype {
    /// Bytes of one number.
    #[must_use]
    pub const fn bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 | Self::Bf16 => 2,
            Self::I8 => 1,
        }
    }

    /// Whether a finite number stays finite in this format. Bytes have a scale that makes them hold any.
    pub(super) fn holds(self, number: f32) -> bool {
        match self {
            Self::F32 | Self::I8 => number.is_finite(),
            Self::F16 => f16::from_f32(number).is_finite(),
            Self::Bf16 => bf16::from_f32(number).is_finite(),
        }
    }

    pub(super) fn of(stored: safetensors::Dtype) -> Option<Self> {
        match stored {
            safetensors::Dtype::F32 => Some(Self::F32),
            safetensors::Dtype::F16 => Some(Self::F16),
            safetensors::Dtype::BF16 => Some(Self::Bf16),
            safetensors::Dtype::I8 => Some(Self::I8),
            _ => None,
        }
    }

    /// The numbers in `bytes`, little-endian; i8 without its scale.
    pub(super) fn decode(self, bytes: &[u8]) -> Vec<f32> {
        match self {
            Self::F32 => bytes.as_chunks().0.iter().map(|number| f32::from_le_bytes(*number)).collect(),
            Self::F16 => {
                bytes.as_chunks().0.iter().map(|number| f16::from_le_bytes(*number).to_f32()).collect()
            }
            Self::Bf16 => {
                bytes.as_chunks().0.iter().map(|number| bf16::from_le_bytes(*number).to_f32()).collect()
            }
            Self::I8 => bytes.iter().map(|number| f32::from(number.cast_signed())).collect(),
        }
    }
}

impl fmt::Display for Dtype {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::Bf16 => "bf16",
            Self::I8 => "i8",
        })
    }
}
