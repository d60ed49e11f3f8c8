//! Rounding a value to a floating-point format in any direction.
//!
//! An `f64` rounded to odd keeps on which side of every shorter number the exact value lies, so that rounding it a
//! second time, in any direction, to a format of at most 51 bits gives the correctly rounded result.

/// How an inexact result is rounded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Rounding {
    /// To nearest, ties to even: `.rn`, `.rni`.
    #[default]
    Nearest,
    /// To nearest, ties away from zero: `.rna`.
    Away,
    /// `.rz`, `.rzi`
    Zero,
    /// `.rm`, `.rmi`
    Down,
    /// `.rp`, `.rpi`
    Up,
}

impl Rounding {
    /// The integer that a value becomes.
    pub(super) fn integral(self, value: f64) -> f64 {
        match self {
            Rounding::Nearest => value.round_ties_even(),
            Rounding::Away => value.round(),
            Rounding::Zero => value.trunc(),
            Rounding::Down => value.floor(),
            Rounding::Up => value.ceil(),
        }
    }

    /// Moves a nearest result by one step if the exact value lies on the other side: `error` is exact minus nearest.
    pub(super) fn step(self, nearest: f64, error: f64) -> f64 {
        let down = match self {
            Rounding::Nearest | Rounding::Away => return nearest,
            Rounding::Down => true,
            Rounding::Up => false,
            Rounding::Zero => nearest > 0.0,
        };
        if down && error < 0.0 {
            nearest.next_down()
        } else if !down && error > 0.0 {
            nearest.next_up()
        } else {
            nearest
        }
    }
}

/// Rounds to odd a value whose nearest `f64` and error are known.
pub(super) fn to_odd(nearest: f64, error: f64) -> f64 {
    if error == 0.0 || !nearest.is_finite() || error.is_nan() || nearest.to_bits() & 1 == 1 {
        nearest
    } else if error > 0.0 {
        nearest.next_up()
    } else {
        nearest.next_down()
    }
}

/// The error of `sum = a + b` (Knuth).
pub(super) fn sum_error(a: f64, b: f64, sum: f64) -> f64 {
    let b_part = sum - a;
    (a - (sum - b_part)) + (b - b_part)
}

/// Clamps to [0, 1]; NaN and -0 become 0.
pub(super) fn saturate(value: f64) -> f64 {
    if value.is_nan() { 0.0 } else { value.clamp(0.0, 1.0) + 0.0 }
}

/// An integer as an `f64`, rounded to odd.
pub(super) fn integer_to_odd(value: i128) -> f64 {
    let nearest = value as f64;
    to_odd(nearest, (value - nearest as i128) as f64)
}

/// A binary format of at most 32 bits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Format {
    exponent_bits: u32,
    mantissa_bits: u32,
    /// `e4m3` has no infinity, and its largest exponent holds numbers.
    finite: bool,
}

pub(super) const HALF: Format = Format { exponent_bits: 5, mantissa_bits: 10, finite: false };
pub(super) const BFLOAT: Format = Format { exponent_bits: 8, mantissa_bits: 7, finite: false };
pub(super) const TF32: Format = Format { exponent_bits: 8, mantissa_bits: 10, finite: false };
pub(super) const E4M3: Format = Format { exponent_bits: 4, mantissa_bits: 3, finite: true };
pub(super) const E5M2: Format = Format { exponent_bits: 5, mantissa_bits: 2, finite: false };

impl Format {
    fn bias(self) -> i32 {
        (1 << (self.exponent_bits - 1)) - 1
    }

    /// The largest finite value.
    pub(super) fn largest(self) -> f64 {
        let steps = f64::from(1 << self.mantissa_bits);
        let (exponent, mantissa) =
            if self.finite { (self.bias() + 1, 2.0 - 2.0 / steps) } else { (self.bias(), 2.0 - 1.0 / steps) };
        mantissa * power_of_two(exponent)
    }

    /// The bits of NaN.
    fn nan(self) -> u32 {
        (1 << (self.exponent_bits + self.mantissa_bits)) - 1
    }

    fn infinity(self) -> u32 {
        if self.finite { self.nan() } else { ((1 << self.exponent_bits) - 1) << self.mantissa_bits }
    }

    /// The bits of a value in this format. With `saturate`, what is too large becomes the largest finite value.
    pub(super) fn encode(self, value: f64, rounding: Rounding, saturate: bool) -> u32 {
        let sign = u32::from(value.is_sign_negative()) << (self.exponent_bits + self.mantissa_bits);
        if value.is_nan() {
            return self.nan();
        }
        let smallest = 1 - self.bias();
        let exponent = exponent_of(value).max(smallest);
        // In units of the last place, so that rounding to an integer rounds the value.
        let unit = power_of_two(exponent - self.mantissa_bits as i32);
        let rounded = if value.is_finite() { rounding.integral(value / unit) * unit } else { value };
        if rounded.abs() > self.largest() {
            let inward = match rounding {
                Rounding::Nearest | Rounding::Away => false,
                Rounding::Zero => true,
                Rounding::Down => value > 0.0,
                Rounding::Up => value < 0.0,
            };
            let clamp = saturate || (inward && value.is_finite());
            return sign
                | if clamp {
                    self.encode(self.largest(), Rounding::Nearest, false)
                } else {
                    self.infinity()
                };
        }
        let exponent = exponent_of(rounded).max(smallest);
        let steps = (rounded.abs() / power_of_two(exponent - self.mantissa_bits as i32)) as u32;
        // A normal number's leading one carries into the exponent field.
        sign | (((exponent - smallest) as u32) << self.mantissa_bits).wrapping_add(steps)
    }

    /// The value of bits in this format.
    pub(super) fn decode(self, bits: u32) -> f64 {
        let sign = if bits >> (self.exponent_bits + self.mantissa_bits) & 1 == 1 { -1.0 } else { 1.0 };
        let field = bits >> self.mantissa_bits & ((1 << self.exponent_bits) - 1);
        let mantissa = f64::from(bits & ((1 << self.mantissa_bits) - 1));
        let steps = f64::from(1 << self.mantissa_bits);
        let top = (1 << self.exponent_bits) - 1;
        let magnitude = bits & ((1 << (self.exponent_bits + self.mantissa_bits)) - 1);
        if self.finite && magnitude == self.nan() {
            return f64::NAN;
        }
        if !self.finite && field == top {
            return if mantissa == 0.0 { sign * f64::INFINITY } else { f64::NAN };
        }
        let exponent = field.max(1) as i32 - self.bias();
        let leading = if field == 0 { 0.0 } else { 1.0 };
        sign * (leading + mantissa / steps) * power_of_two(exponent)
    }
}

/// The exponent of a finite value's leading bit; far below every format's for zero and `f64`'s subnormals.
fn exponent_of(value: f64) -> i32 {
    (value.to_bits() >> 52 & 0x7ff) as i32 - 1023
}

fn power_of_two(exponent: i32) -> f64 {
    f64::from_bits(((exponent + 1023).clamp(1, 2046) as u64) << 52)
}
