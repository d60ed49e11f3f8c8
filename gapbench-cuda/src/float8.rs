//! The eight-bit floating-point type of inference.

use std::fmt;

/// Four bits of exponent, three of fraction, no infinity (OCP 8-bit Floating Point Specification, E4M3). The bias is 7,
/// the largest value 448, the smallest positive one 2^-9.
#[derive(Clone, Copy, Default)]
#[repr(transparent)]
pub struct F8E4M3(u8);

const SIGN: u8 = 0x80;
const NAN: u8 = 0x7f;
/// 448, to which larger values are saturated.
const LARGEST: u8 = 0x7e;

impl F8E4M3 {
    /// The largest value, 448.
    pub const MAX: F8E4M3 = F8E4M3(LARGEST);

    /// The value of these bits.
    pub const fn from_bits(bits: u8) -> F8E4M3 {
        F8E4M3(bits)
    }

    /// The bits.
    pub const fn to_bits(self) -> u8 {
        self.0
    }

    /// The nearest value, of two equally near ones that with an even last bit; too large ones and infinity become 448 of
    /// their sign, as CUDA's conversions with `satfinite` do.
    pub fn from_f32(value: f32) -> F8E4M3 {
        let sign = if value.is_sign_negative() { SIGN } else { 0 };
        if value.is_nan() {
            return F8E4M3(sign | NAN);
        }
        let magnitude = value.abs();
        if magnitude >= 448.0 {
            return F8E4M3(sign | LARGEST);
        }
        // The exponent of the value, but at least that of the subnormal numbers; a step is an eighth of it.
        let exponent = ((magnitude.to_bits() >> 23) as i32 - 127).max(-6);
        let steps = f64::from(magnitude) * f64::from(3 - exponent).exp2();
        let steps = steps.round_ties_even() as i32;
        // A full 16 steps carry into the exponent by themselves.
        F8E4M3(sign | ((exponent + 6) * 8 + steps) as u8)
    }

    /// The value, exactly.
    pub fn to_f32(self) -> f32 {
        let sign = if self.0 & SIGN == 0 { 1.0 } else { -1.0 };
        let (exponent, fraction) = (i32::from(self.0 >> 3 & 15), f32::from(self.0 & 7));
        if self.0 & NAN == NAN {
            return f32::NAN.copysign(sign);
        }
        let power = |exponent: i32| f32::from_bits(((exponent + 127) as u32) << 23);
        sign * if exponent == 0 { fraction * power(-9) } else { (8.0 + fraction) * power(exponent - 10) }
    }

    /// No number.
    pub fn is_nan(self) -> bool {
        self.0 & NAN == NAN
    }
}

/// As numbers: 0 equals -0, and NaN nothing.
impl PartialEq for F8E4M3 {
    fn eq(&self, other: &F8E4M3) -> bool {
        self.to_f32() == other.to_f32()
    }
}

impl PartialOrd for F8E4M3 {
    fn partial_cmp(&self, other: &F8E4M3) -> Option<std::cmp::Ordering> {
        self.to_f32().partial_cmp(&other.to_f32())
    }
}

impl From<F8E4M3> for f32 {
    fn from(value: F8E4M3) -> f32 {
        value.to_f32()
    }
}

impl fmt::Debug for F8E4M3 {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.to_f32(), formatter)
    }
}

impl fmt::Display for F8E4M3 {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.to_f32(), formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_survives_the_way_there_and_back() {
        for bits in 0..=255_u8 {
            let value = F8E4M3::from_bits(bits);
            assert_eq!(F8E4M3::from_f32(value.to_f32()).to_bits(), bits, "{value}");
        }
    }

    #[test]
    fn the_nearest_value_is_taken_and_ties_go_to_even() {
        let values: Vec<f32> = (0..=0x7e).map(|bits| F8E4M3::from_bits(bits).to_f32()).collect();
        for (bits, pair) in values.windows(2).enumerate() {
            let middle = (pair[0] + pair[1]) / 2.0;
            let even = if bits % 2 == 0 { pair[0] } else { pair[1] };
            assert_eq!(F8E4M3::from_f32(middle).to_f32(), even);
            assert_eq!(F8E4M3::from_f32(middle.next_down()).to_f32(), pair[0]);
            assert_eq!(F8E4M3::from_f32(middle.next_up()).to_f32(), pair[1]);
            assert_eq!(F8E4M3::from_f32(-middle).to_f32(), -even);
        }
    }

    #[test]
    fn the_ends_of_the_range() {
        assert_eq!(F8E4M3::from_f32(1e9), F8E4M3::MAX);
        assert_eq!(F8E4M3::from_f32(f32::NEG_INFINITY).to_f32(), -448.0);
        assert_eq!(F8E4M3::from_f32(2.0_f32.powi(-9)).to_bits(), 1);
        assert_eq!(F8E4M3::from_f32(-0.0).to_bits(), 0x80);
        assert!(F8E4M3::from_f32(f32::NAN).is_nan() && F8E4M3::from_bits(0xff).to_f32().is_nan());
    }
}
