//! What a buffer may hold.

use half::{bf16, f16};

use crate::float8::F8E4M3;

/// A number that host and device store alike.
///
/// # Safety
/// Every pattern of bits is a value, there is no padding, and the device's code reads the same layout.
pub unsafe trait Element: Copy + Send + Sync + 'static {
    /// What the type is called in reports, as `f16`.
    const NAME: &'static str;
}

macro_rules! elements {
    ($($type:ty = $name:literal),* $(,)?) => {
        $(
            // SAFETY: a plain number, or a transparent wrapper of one.
            unsafe impl Element for $type {
                const NAME: &'static str = $name;
            }
        )*
    };
}

elements! {
    u8 = "u8", i8 = "i8", u16 = "u16", i16 = "i16", u32 = "u32", i32 = "i32", u64 = "u64", i64 = "i64",
    f32 = "f32", f64 = "f64", f16 = "f16", bf16 = "bf16", F8E4M3 = "f8e4m3",
}

/// A number that can be drawn from the standard normal distribution.
///
/// Element `i` of seed `s` is a function of `i` and `s` alone, computed in double precision from operations that IEEE 754
/// defines exactly, then rounded to the type: all machines have the same values, and all types have the same values as
/// far as they can hold them.
pub trait Random {
    /// The nearest value of the type.
    fn nearest(value: f64) -> Self;
}

impl Random for f64 {
    fn nearest(value: f64) -> f64 {
        value
    }
}

impl Random for f32 {
    fn nearest(value: f64) -> f32 {
        value as f32
    }
}

// The small types are rounded from `f32`, as a program that prepares its inputs would do.
impl Random for f16 {
    fn nearest(value: f64) -> f16 {
        f16::from_f32(value as f32)
    }
}

impl Random for bf16 {
    fn nearest(value: f64) -> bf16 {
        bf16::from_f32(value as f32)
    }
}

impl Random for F8E4M3 {
    fn nearest(value: f64) -> F8E4M3 {
        F8E4M3::from_f32(value as f32)
    }
}
