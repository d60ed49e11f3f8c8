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

    /// Writes the numbers in `bytes`, little-endian, as far as there is room; i8 without its scale.
    pub(super) fn decode(self, bytes: &[u8], to: &mut [f32]) {
        fn each<const N: usize>(bytes: &[u8], to: &mut [f32], number: impl Fn([u8; N]) -> f32) {
            to.iter_mut().zip(bytes.as_chunks().0).for_each(|(to, bytes)| *to = number(*bytes));
        }
        match self {
            Self::F32 => each(bytes, to, f32::from_le_bytes),
            Self::F16 => each(bytes, to, |number| f16::from_le_bytes(number).to_f32()),
            // The lower half is zero.
            Self::Bf16 => each(bytes, to, |[low, high]| f32::from_le_bytes([0, 0, low, high])),
            Self::I8 => each(bytes, to, |[number]| f32::from(number.cast_signed())),
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
