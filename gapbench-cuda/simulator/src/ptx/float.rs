//! The floating-point types, and the arithmetic that all of them have.

use half::{bf16, f16};

use super::instruction::{Compute, Mode};
use super::round::{BFLOAT, HALF, Rounding, saturate, sum_error, to_odd};
use super::types::Type;

/// A floating-point number in a slot.
///
/// The arithmetic is done in `f64`, rounded to odd, and rounded once more to the type: exact for every type but `f64`.
pub(super) trait Float: Copy {
    fn read(slot: u64) -> Self;
    /// Its bits. Every NaN of a type shorter than `f64` becomes the one that devices produce.
    fn slot(self) -> u64;
    fn wide(self) -> f64;
    /// Rounds a value that was rounded to odd.
    fn narrow(value: f64, rounding: Rounding) -> Self;
    fn is_subnormal(self) -> bool;

    fn add(self, other: Self, rounding: Rounding) -> Self {
        Self::narrow(odd_sum(self.wide(), other.wide()), rounding)
    }
    fn multiply(self, other: Self, rounding: Rounding) -> Self {
        Self::narrow(self.wide() * other.wide(), rounding)
    }
    fn multiply_add(self, b: Self, c: Self, rounding: Rounding) -> Self {
        Self::narrow(odd_sum(self.wide() * b.wide(), c.wide()), rounding)
    }
    /// A quotient or root of short numbers is never so near to a short number that `f64` confuses them.
    fn divide(self, other: Self, rounding: Rounding) -> Self {
        Self::narrow(self.wide() / other.wide(), rounding)
    }
    fn root(self, rounding: Rounding) -> Self {
        Self::narrow(self.wide().sqrt(), rounding)
    }
}

fn odd_sum(a: f64, b: f64) -> f64 {
    let sum = a + b;
    to_odd(sum, sum_error(a, b, sum))
}

impl Float for f32 {
    fn read(slot: u64) -> f32 {
        f32::from_bits(slot as u32)
    }
    fn slot(self) -> u64 {
        u64::from(if self.is_nan() { 0x7fff_ffff } else { self.to_bits() })
    }
    fn wide(self) -> f64 {
        f64::from(self)
    }
    fn narrow(value: f64, rounding: Rounding) -> f32 {
        let nearest = value as f32;
        let error = value - f64::from(nearest);
        match rounding {
            Rounding::Nearest | Rounding::Away => nearest,
            Rounding::Down if error < 0.0 => nearest.next_down(),
            Rounding::Up if error > 0.0 => nearest.next_up(),
            Rounding::Zero if nearest > 0.0 && error < 0.0 => nearest.next_down(),
            Rounding::Zero if nearest < 0.0 && error > 0.0 => nearest.next_up(),
            _ => nearest,
        }
    }
    fn is_subnormal(self) -> bool {
        f32::is_subnormal(self)
    }
    fn add(self, other: f32, rounding: Rounding) -> f32 {
        match rounding {
            Rounding::Nearest => self + other,
            _ => f32::narrow(odd_sum(self.wide(), other.wide()), rounding),
        }
    }
    fn multiply(self, other: f32, rounding: Rounding) -> f32 {
        match rounding {
            Rounding::Nearest => self * other,
            _ => f32::narrow(self.wide() * other.wide(), rounding),
        }
    }
}

impl Float for f64 {
    fn read(slot: u64) -> f64 {
        f64::from_bits(slot)
    }
    fn slot(self) -> u64 {
        self.to_bits()
    }
    fn wide(self) -> f64 {
        self
    }
    fn narrow(value: f64, _: Rounding) -> f64 {
        value
    }
    fn is_subnormal(self) -> bool {
        f64::is_subnormal(self)
    }
    fn add(self, other: f64, rounding: Rounding) -> f64 {
        let sum = self + other;
        rounding.step(sum, sum_error(self, other, sum))
    }
    fn multiply(self, other: f64, rounding: Rounding) -> f64 {
        let product = self * other;
        rounding.step(product, self.mul_add(other, -product))
    }
    fn multiply_add(self, b: f64, c: f64, rounding: Rounding) -> f64 {
        let nearest = self.mul_add(b, c);
        if rounding == Rounding::Nearest {
            return nearest;
        }
        let product = self * b;
        let sum = product + c;
        let small = self.mul_add(b, -product) + sum_error(product, c, sum);
        rounding.step(nearest, (sum - nearest) + small)
    }
    fn divide(self, other: f64, rounding: Rounding) -> f64 {
        let quotient = self / other;
        let rest = (-quotient).mul_add(other, self);
        rounding.step(quotient, if other < 0.0 { -rest } else { rest })
    }
    fn root(self, rounding: Rounding) -> f64 {
        let root = self.sqrt();
        rounding.step(root, (-root).mul_add(root, self))
    }
}

macro_rules! short_floats {
    ($($type:ident $format:ident),*) => {
        $(impl Float for $type {
            fn read(slot: u64) -> $type { $type::from_bits(slot as u16) }
            fn slot(self) -> u64 { u64::from(if self.is_nan() { 0x7fff } else { self.to_bits() }) }
            fn wide(self) -> f64 { f64::from(self.to_f32()) }
            fn narrow(value: f64, rounding: Rounding) -> $type {
                $type::from_bits($format.encode(value, rounding, false) as u16)
            }
            fn is_subnormal(self) -> bool { self.classify() == std::num::FpCategory::Subnormal }
        })*
    };
}
short_floats!(f16 HALF, bf16 BFLOAT);

/// The instance of a generic function for a floating-point type.
macro_rules! for_float {
    ($type:expr, $function:ident) => {
        match $type {
            Type::F32 => Some($function::<f32> as Compute),
            Type::F64 => Some($function::<f64> as Compute),
            Type::F16 => Some($function::<f16> as Compute),
            Type::Bf16 => Some($function::<bf16> as Compute),
            _ => None,
        }
    };
}
pub(super) use for_float;

/// An input, flushed if the mode says so.
pub(super) fn input<F: Float>(mode: Mode, slot: u64) -> F {
    let value = F::read(slot);
    if mode.ftz { flushed(value) } else { value }
}

fn flushed<F: Float>(value: F) -> F {
    if value.is_subnormal() { F::narrow(0f64.copysign(value.wide()), Rounding::Nearest) } else { value }
}

/// A result, flushed and clamped as the mode says.
pub(super) fn output<F: Float>(mode: Mode, value: F) -> u64 {
    let value = if mode.ftz { flushed(value) } else { value };
    if mode.saturate {
        return F::narrow(saturate(value.wide()), Rounding::Nearest).slot();
    }
    if mode.relu && value.wide() <= 0.0 {
        return F::narrow(0.0, Rounding::Nearest).slot();
    }
    value.slot()
}

fn sum<F: Float>(mode: Mode, a: u64, b: u64, _: u64) -> u64 {
    output(mode, input::<F>(mode, a).add(input(mode, b), mode.rounding))
}

fn difference<F: Float>(mode: Mode, a: u64, b: u64, _: u64) -> u64 {
    let negative = F::narrow(-input::<F>(mode, b).wide(), Rounding::Nearest);
    output(mode, input::<F>(mode, a).add(negative, mode.rounding))
}

fn product<F: Float>(mode: Mode, a: u64, b: u64, _: u64) -> u64 {
    output(mode, input::<F>(mode, a).multiply(input(mode, b), mode.rounding))
}

fn multiply_add<F: Float>(mode: Mode, a: u64, b: u64, c: u64) -> u64 {
    output(mode, input::<F>(mode, a).multiply_add(input(mode, b), input(mode, c), mode.rounding))
}

fn quotient<F: Float>(mode: Mode, a: u64, b: u64, _: u64) -> u64 {
    output(mode, input::<F>(mode, a).divide(input(mode, b), mode.rounding))
}

fn root<F: Float>(mode: Mode, a: u64, _: u64, _: u64) -> u64 {
    output(mode, input::<F>(mode, a).root(mode.rounding))
}

fn reciprocal<F: Float>(mode: Mode, a: u64, _: u64, _: u64) -> u64 {
    output(mode, F::narrow(1.0, Rounding::Nearest).divide(input(mode, a), mode.rounding))
}

/// The smaller of two, or of their magnitudes with the signs multiplied.
fn minimum<F: Float>(mode: Mode, a: u64, b: u64, _: u64) -> u64 {
    extreme::<F>(mode, a, b, |a, b| a < b)
}

fn maximum<F: Float>(mode: Mode, a: u64, b: u64, _: u64) -> u64 {
    extreme::<F>(mode, a, b, |a, b| a > b)
}

fn extreme<F: Float>(mode: Mode, a: u64, b: u64, first: fn(f64, f64) -> bool) -> u64 {
    let (a, b) = (input::<F>(mode, a).wide(), input::<F>(mode, b).wide());
    let (x, y) = if mode.variant { (a.abs(), b.abs()) } else { (a, b) };
    let chosen = if x.is_nan() || y.is_nan() {
        match (mode.nan, x.is_nan()) {
            (true, _) => f64::NAN,
            (false, true) => y,
            (false, false) => x,
        }
    } else if x == y {
        // -0 counts as less than +0.
        if first(x.is_sign_positive().into(), y.is_sign_positive().into()) { x } else { y }
    } else if first(x, y) {
        x
    } else {
        y
    };
    let negative = mode.variant && a.is_sign_negative() != b.is_sign_negative();
    output(mode, F::narrow(if negative { -chosen } else { chosen }, Rounding::Nearest))
}

fn absolute<F: Float>(mode: Mode, a: u64, _: u64, _: u64) -> u64 {
    output(mode, F::narrow(input::<F>(mode, a).wide().abs(), Rounding::Nearest))
}

fn negative<F: Float>(mode: Mode, a: u64, _: u64, _: u64) -> u64 {
    output(mode, F::narrow(-input::<F>(mode, a).wide(), Rounding::Nearest))
}

pub(super) fn add(t: Type, _: Mode) -> Option<Compute> {
    for_float!(t, sum)
}
pub(super) fn sub(t: Type, _: Mode) -> Option<Compute> {
    for_float!(t, difference)
}
pub(super) fn mul(t: Type, _: Mode) -> Option<Compute> {
    for_float!(t, product)
}
pub(super) fn fma(t: Type, _: Mode) -> Option<Compute> {
    for_float!(t, multiply_add)
}
pub(super) fn div(t: Type, _: Mode) -> Option<Compute> {
    for_float!(t, quotient)
}
pub(super) fn sqrt(t: Type, _: Mode) -> Option<Compute> {
    for_float!(t, root)
}
pub(super) fn rcp(t: Type, _: Mode) -> Option<Compute> {
    for_float!(t, reciprocal)
}
pub(super) fn min(t: Type, _: Mode) -> Option<Compute> {
    for_float!(t, minimum)
}
pub(super) fn max(t: Type, _: Mode) -> Option<Compute> {
    for_float!(t, maximum)
}
pub(super) fn abs(t: Type, _: Mode) -> Option<Compute> {
    for_float!(t, absolute)
}
pub(super) fn neg(t: Type, _: Mode) -> Option<Compute> {
    for_float!(t, negative)
}
