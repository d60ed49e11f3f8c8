//! The element-wise parts of the network, written as plain loops that the compiler turns into SIMD.
//!
//! Two habits keep them fast on a compiler told nothing about the processor: sums run in eight lanes, because
//! a single running sum may not be reordered, and `exp` and `erf` are polynomials, because the library
//! functions work on one number at a time. Both polynomials are exact to about one f32 rounding step; the
//! difference from PyTorch that this makes in the logits is bounded by `tests/logits.rs`.

/// Layer norm of one row: mean 0, variance 1, then `gain` and `bias`.
pub(crate) fn layer_norm(x: &[f32], gain: &[f32], bias: &[f32], epsilon: f32, y: &mut [f32]) {
    let count = x.len() as f32;
    let mean = sum(x, |x| x) / count;
    let variance = sum(x, |x| (x - mean) * (x - mean)) / count;
    let scale = (variance + epsilon).sqrt().recip();
    for ((y, x), (gain, bias)) in y.iter_mut().zip(x).zip(gain.iter().zip(bias)) {
        *y = (x - mean) * scale * gain + bias;
    }
}

/// Softmax of `row * scale`, in place.
pub(crate) fn softmax(row: &mut [f32], scale: f32) {
    let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    for x in row.iter_mut() {
        *x = exp((*x - largest) * scale);
    }
    let share = sum(row, |x| x).recip();
    for x in row.iter_mut() {
        *x *= share;
    }
}

/// The exact GELU, `x / 2 * (1 + erf(x / sqrt 2))`, in place.
pub(crate) fn gelu(xs: &mut [f32]) {
    for x in xs {
        *x = 0.5 * *x * (1.0 + erf(*x * std::f32::consts::FRAC_1_SQRT_2));
    }
}

/// The mean of the rows of `x`, each `width` long.
pub(crate) fn mean_rows(x: &[f32], width: usize) -> Vec<f32> {
    let mut mean = vec![0.0; width];
    let rows = x.chunks_exact(width);
    let share = (rows.len() as f32).recip();
    for row in rows {
        mean.iter_mut().zip(row).for_each(|(mean, x)| *mean += x);
    }
    mean.iter_mut().for_each(|mean| *mean *= share);
    mean
}

/// The sum of `f(x)`, in eight lanes.
fn sum(xs: &[f32], f: impl Fn(f32) -> f32) -> f32 {
    let (chunks, rest) = xs.as_chunks::<8>();
    let mut lanes = [0.0; 8];
    for chunk in chunks {
        lanes.iter_mut().zip(chunk).for_each(|(lane, x)| *lane += f(*x));
    }
    lanes.into_iter().sum::<f32>() + rest.iter().map(|x| f(*x)).sum::<f32>()
}

/// `e^x` for `x <= 0`, which is all that softmax needs; below about -87 it is 0.
fn exp(x: f32) -> f32 {
    // e^x = 2^n * e^r, with n the nearest integer to x / ln 2 and r at most ln 2 / 2 in size.
    const ROUND: f32 = 12_582_912.0; // 1.5 * 2^23: adding it leaves n in the low bits of the sum
    const LN2_HIGH: f32 = 0.693_359_4; // ln 2 in two parts, so that n * ln 2 loses nothing
    const LN2_LOW: f32 = -2.121_944_4e-4;
    let clamped = x.max(-87.0);
    let shifted = clamped * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = clamped - n * LN2_HIGH - n * LN2_LOW;
    let series = 1.0 / 120.0 + r * (1.0 / 720.0 + r * (1.0 / 5040.0));
    let series = 1.0 + r * (1.0 + r * (0.5 + r * (1.0 / 6.0 + r * (1.0 / 24.0 + r * series))));
    // 2^n, built from its bits: n + 127 is the exponent field.
    let power = f32::from_bits(shifted.to_bits().wrapping_add(127) << 23);
    series * power
}

/// The error function, as a ratio of two polynomials in x squared; beyond 4 in size it is 1 to an f32.
fn erf(x: f32) -> f32 {
    let x = x.clamp(-4.0, 4.0);
    let s = x * x;
    let above = 0.074_765_22 + s * (0.010_876_271 + s * 3.852_147e-4);
    let above = 1.128_376_4 + s * (0.364_673_08 + s * above);
    let below = 0.029_354_451 + s * (0.002_768_801_3 + s * 2.191_974_6e-5);
    let below = 1.0 + s * (0.656_485_7 + s * (0.185_197_46 + s * below));
    x * above / below
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_exact_to_a_rounding_step() {
        for step in 0..=8_700 {
            let x = -step as f32 / 100.0;
            let exact = f64::from(x).exp();
            let error = (f64::from(exp(x)) - exact).abs() / exact;
            assert!(error < 4e-7, "exp({x}) is off by {error:e} of itself");
        }
        assert!(exp(-1e9) < 1e-37);
    }

    #[test]
    fn erf_is_exact_to_a_few_rounding_steps() {
        // Exact values from the series of the error function.
        let known = [
            (0.0, 0.0),
            (0.1, 0.112_462_916_018),
            (0.5, 0.520_499_877_814),
            (1.0, 0.842_700_792_950),
            (1.5, 0.966_105_146_475),
            (2.0, 0.995_322_265_019),
            (3.0, 0.999_977_909_503),
            (4.5, 0.999_999_999_803),
        ];
        for (x, exact) in known {
            assert!((f64::from(erf(x)) - exact).abs() < 1e-6, "erf({x}) is {}", erf(x));
            assert!((f64::from(erf(-x)) + exact).abs() < 1e-6, "erf(-{x}) is {}", erf(-x));
        }
    }

    #[test]
    fn softmax_sums_to_one_whatever_the_size_of_its_input() {
        for row in [vec![0.0], vec![1e6, -1e6, 3.0], vec![-50.0; 128]] {
            let mut soft = row.clone();
            softmax(&mut soft, 0.125);
            assert!((soft.iter().sum::<f32>() - 1.0).abs() < 1e-5, "{row:?} gave {soft:?}");
        }
    }
}
