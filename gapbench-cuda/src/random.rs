//! Values of the standard normal distribution, the same on every machine.
//!
//! Only operations that IEEE 754 defines to the last bit are used (no `ln` or `cos` of a mathematical library, whose last
//! bits differ from version to version).

use crate::element::Random;

/// SplitMix64's increment and mixing function (Steele, Lea and Flood: Fast Splittable Pseudorandom Number Generators).
const INCREMENT: u64 = 0x9e37_79b9_7f4a_7c15;

fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ bits >> 31
}

/// The values of a seed.
pub(crate) fn normal<T: Random>(len: usize, seed: u64) -> Vec<T> {
    // Mixed, so that neighbouring seeds have nothing in common.
    let start = mix(seed.wrapping_add(INCREMENT));
    (1..=len as u64)
        .map(|index| {
            let bits = mix(start.wrapping_add(index.wrapping_mul(INCREMENT)));
            // The middles of 2^52 parts of the interval from 0 to 1, so never one of its ends.
            T::nearest(quantile(((bits >> 12) as f64 + 0.5) * (1.0 / (1_u64 << 52) as f64)))
        })
        .collect()
}

/// A polynomial, the coefficient of the highest power first.
fn polynomial(coefficients: [f64; 8], x: f64) -> f64 {
    coefficients.into_iter().fold(0.0, |sum, coefficient| sum * x + coefficient)
}

/// The quantile function of the standard normal distribution, to about 16 digits.
///
/// # Source
/// Wichura, M. J. (1988): Algorithm AS 241. Applied Statistics 37 (3), 477-484.
#[allow(clippy::excessive_precision, reason = "as printed")]
fn quantile(p: f64) -> f64 {
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.180625 - q * q;
        let above = polynomial(
            [
                2.5090809287301226727e3,
                3.3430575583588128105e4,
                6.7265770927008700853e4,
                4.5921953931549871457e4,
                1.3731693765509461125e4,
                1.9715909503065514427e3,
                1.3314166789178437745e2,
                3.3871328727963666080e0,
            ],
            r,
        );
        let below = polynomial(
            [
                5.2264952788528545610e3,
                2.8729085735721942674e4,
                3.9307895800092710610e4,
                2.1213794301586595867e4,
                5.3941960214247511077e3,
                6.8718700749205790830e2,
                4.2313330701600911252e1,
                1.0,
            ],
            r,
        );
        return above * q / below;
    }
    let r = (-logarithm(if q <= 0.0 { p } else { 1.0 - p })).sqrt();
    let (above, below) = if r <= 5.0 {
        let r = r - 1.6;
        let above = [
            7.74545014278341407640e-4,
            2.27238449892691845833e-2,
            2.41780725177450611770e-1,
            1.27045825245236838258e0,
            3.64784832476320460504e0,
            5.76949722146069140550e0,
            4.63033784615654529590e0,
            1.42343711074968357734e0,
        ];
        let below = [
            1.05075007164441684324e-9,
            5.47593808499534494600e-4,
            1.51986665636164571966e-2,
            1.48103976427480074590e-1,
            6.89767334985100004550e-1,
            1.67638483018380384940e0,
            2.05319162663775882187e0,
            1.0,
        ];
        (polynomial(above, r), polynomial(below, r))
    } else {
        let r = r - 5.0;
        let above = [
            2.01033439929228813265e-7,
            2.71155556874348757815e-5,
            1.24266094738807843860e-3,
            2.65321895265761230930e-2,
            2.96560571828504891230e-1,
            1.78482653991729133580e0,
            5.46378491116411436990e0,
            6.65790464350110377720e0,
        ];
        let below = [
            2.04426310338993978564e-15,
            1.42151175831644588870e-7,
            1.84631831751005468180e-5,
            7.86869131145613259100e-4,
            1.48753612908506148525e-2,
            1.36929880922735805310e-1,
            5.99832206555887937690e-1,
            1.0,
        ];
        (polynomial(above, r), polynomial(below, r))
    };
    if q < 0.0 { -(above / below) } else { above / below }
}

/// The natural logarithm of a positive normal number: the exponent times ln 2, and the series of the inverse hyperbolic
/// tangent for what remains, which is below 0.172 after halving around the square root of 2, so that 12 terms suffice.
fn logarithm(x: f64) -> f64 {
    let bits = x.to_bits();
    let mut exponent = (bits >> 52) as i64 - 1023;
    let mut fraction = f64::from_bits(bits & ((1 << 52) - 1) | 1023 << 52);
    if fraction > std::f64::consts::SQRT_2 {
        fraction *= 0.5;
        exponent += 1;
    }
    let s = (fraction - 1.0) / (fraction + 1.0);
    let square = s * s;
    let series = (0..12).rev().fold(0.0, |sum, term| sum * square + 1.0 / (2 * term + 1) as f64);
    exponent as f64 * std::f64::consts::LN_2 + 2.0 * s * series
}

#[cfg(test)]
mod tests {
    use half::{bf16, f16};

    use super::*;
    use crate::float8::F8E4M3;

    #[test]
    fn quantiles_are_those_of_a_reference() {
        // Python 3.11, statistics.NormalDist().inv_cdf
        let reference = [
            (1e-16, -8.222082216130435),
            (1e-5, -4.264890793922825),
            (0.05, -1.6448536269514726),
            (0.2, -0.8416212335729142),
            (0.5, 0.0),
            (0.975, 1.9599639845400536),
        ];
        for (p, expected) in reference {
            assert!((quantile(p) - expected).abs() <= 4e-15 * expected.abs(), "{p}: {}", quantile(p));
        }
    }

    #[test]
    fn moments_are_those_of_the_distribution() {
        let count = 200_000;
        let values = normal::<f64>(count, 7);
        let mean = values.iter().sum::<f64>() / count as f64;
        let moment =
            |power| values.iter().map(|value| (value - mean).powi(power)).sum::<f64>() / count as f64;
        // Five standard errors of each.
        assert!(mean.abs() < 0.0112, "{mean}");
        assert!((moment(2) - 1.0).abs() < 0.0158, "{}", moment(2));
        assert!((moment(4) - 3.0).abs() < 0.11, "{}", moment(4));
    }

    #[test]
    fn a_longer_vector_begins_with_a_shorter_one_and_seeds_differ() {
        assert_eq!(normal::<f32>(5, 1), normal::<f32>(9, 1)[..5]);
        assert!(normal::<f32>(64, 1).iter().zip(normal::<f32>(64, 2)).all(|(a, b)| *a != b));
    }

    #[test]
    fn small_types_are_rounded_from_single_precision() {
        let single = normal::<f32>(1000, 3);
        assert!(normal::<f16>(1000, 3).iter().zip(&single).all(|(a, b)| *a == f16::from_f32(*b)));
        assert!(normal::<bf16>(1000, 3).iter().zip(&single).all(|(a, b)| *a == bf16::from_f32(*b)));
        assert!(normal::<F8E4M3>(1000, 3).iter().zip(&single).all(|(a, b)| *a == F8E4M3::from_f32(*b)));
    }
}
