//! Inputs for kernels: the same numbers everywhere for the same seed.

use half::bf16;

/// `count` numbers, uniform in [−1, 1), each a multiple of 2⁻²³.
///
/// # Source
/// SplitMix64: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
pub fn uniform_f32(seed: u64, count: usize) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    // 24 bits, as many as an f32 holds.
    (0..count).map(|_| (next() >> 40) as f32 / (1u32 << 23) as f32 - 1.0).collect()
}

/// The numbers of [`uniform_f32`], rounded to bf16: in [−1, 1].
pub fn uniform_bf16(seed: u64, count: usize) -> Vec<bf16> {
    uniform_f32(seed, count).into_iter().map(bf16::from_f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first outputs of SplitMix64 from 0 are e220a839…, 6e789e6a… and 06c45d18….
    #[test]
    fn known_numbers() {
        let scale = f64::from(1u32 << 23);
        let expected = [0xe220a8, 0x6e789e, 0x06c45d].map(|bits| (f64::from(bits) / scale - 1.0) as f32);
        assert_eq!(uniform_f32(0, 3), expected);
    }

    #[test]
    fn they_fill_the_range() {
        let numbers = uniform_f32(7, 10_000);
        assert!(numbers.iter().all(|x| (-1.0..1.0).contains(x)));
        assert!(numbers.iter().any(|&x| x < -0.99) && numbers.iter().any(|&x| x > 0.99));
        let mean = numbers.iter().sum::<f32>() / 10_000.0;
        assert!(mean.abs() < 0.03, "five standard errors are 0.029, got {mean}");
    }
}
