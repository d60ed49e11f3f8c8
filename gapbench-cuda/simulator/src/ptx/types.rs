//! The types of PTX and the formats of its floating-point numbers.

/// A type as an instruction's suffix names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Pred,
    B8,
    B16,
    B32,
    B64,
    U8,
    U16,
    U32,
    U64,
    S8,
    S16,
    S32,
    S64,
    F16,
    F16x2,
    Bf16,
    Bf16x2,
    U16x2,
    S16x2,
    F32,
    F64,
    Tf32,
    E4m3x2,
    E5m2x2,
}

use Type::*;

/// Every type by its suffix, with its width in bits.
const TYPES: &[(&str, Type, u32)] = &[
    ("pred", Pred, 1),
    ("b8", B8, 8),
    ("b16", B16, 16),
    ("b32", B32, 32),
    ("b64", B64, 64),
    ("u8", U8, 8),
    ("u16", U16, 16),
    ("u32", U32, 32),
    ("u64", U64, 64),
    ("s8", S8, 8),
    ("s16", S16, 16),
    ("s32", S32, 32),
    ("s64", S64, 64),
    ("f16", F16, 16),
    ("f16x2", F16x2, 32),
    ("bf16", Bf16, 16),
    ("bf16x2", Bf16x2, 32),
    ("u16x2", U16x2, 32),
    ("s16x2", S16x2, 32),
    ("f32", F32, 32),
    ("f64", F64, 64),
    ("tf32", Tf32, 32),
    ("e4m3x2", E4m3x2, 16),
    ("e5m2x2", E5m2x2, 16),
];

impl Type {
    /// The type of a suffix without its dot.
    pub(super) fn parse(suffix: &str) -> Option<Type> {
        TYPES.iter().find(|row| row.0 == suffix).map(|row| row.1)
    }

    /// Its suffix without the dot.
    pub(super) fn name(self) -> &'static str {
        TYPES.iter().find(|row| row.1 == self).map_or("", |row| row.0)
    }

    /// Its width.
    pub(super) fn bits(self) -> u32 {
        TYPES.iter().find(|row| row.1 == self).map_or(0, |row| row.2)
    }

    /// Its width in memory.
    pub(super) fn bytes(self) -> usize {
        self.bits().div_ceil(8) as usize
    }

    /// An integer with a sign.
    pub(super) fn is_signed(self) -> bool {
        matches!(self, S8 | S16 | S32 | S64)
    }

    /// A single floating-point number.
    pub(super) fn is_float(self) -> bool {
        matches!(self, F16 | Bf16 | F32 | F64)
    }

    /// The integer of twice the width, which a wide product has.
    pub(super) fn doubled(self) -> Type {
        match self {
            S16 => S32,
            S32 => S64,
            U16 => U32,
            U32 => U64,
            other => other,
        }
    }

    /// What each half of a packed pair holds.
    pub(super) fn half(self) -> Option<Type> {
        match self {
            F16x2 => Some(F16),
            Bf16x2 => Some(Bf16),
            U16x2 => Some(U16),
            S16x2 => Some(S16),
            _ => None,
        }
    }
}

/// Keeps the low `bits`.
pub(super) fn low_bits(value: u64, bits: u32) -> u64 {
    if bits >= 64 { value } else { value & ((1 << bits) - 1) }
}

/// Reads the low `bits` as a two's complement number.
pub(super) fn sign_extend(value: u64, bits: u32) -> i64 {
    let unused = 64 - bits.clamp(1, 64);
    ((value << unused) as i64) >> unused
}
