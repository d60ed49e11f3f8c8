//! The numbers of a preset's tensors. Any part of a tensor can be made without the parts before it, so that many threads
//! can make one model.

use half::bf16;

use super::planned::{Fill, Planned};
use crate::{
    Dtype,
    sample::{GAMMA, next_random},
};

/// Parts of a tensor begin at multiples of this.
pub(super) const WORD: usize = 8;
/// Words that are made before they are converted: few enough to stay in the nearest cache, in one loop each, which the
/// compiler turns into vector code.
const BLOCK: usize = 256;

/// Makes the bytes of a tensor from byte `start` on, a multiple of [`WORD`].
pub(super) fn fill(tensor: &Planned, seed: u64, start: u64, bytes: &mut [u8]) {
    match (tensor.fill, tensor.dtype) {
        (Fill::Constant(value), Dtype::F32) => repeat(bytes, value.to_le_bytes()),
        (Fill::Constant(value), _) => repeat(bytes, bf16::from_f32(value).to_le_bytes()),
        (Fill::Random(deviation), dtype) => {
            // A tensor's numbers begin anywhere in the period of 2^64, by its own number and the model's seed.
            let mut first = seed ^ tensor.number.rotate_left(32);
            let first = next_random(&mut first);
            let mut state = first.wrapping_add((start / WORD as u64).wrapping_mul(GAMMA));
            for block in bytes.chunks_mut(WORD * BLOCK) {
                let mut words = [[0; WORD]; BLOCK];
                words.iter_mut().for_each(|word| *word = next_random(&mut state).to_le_bytes());
                let words = words.as_flattened();
                match dtype {
                    Dtype::I8 => signed_bytes(words, block),
                    Dtype::F32 | Dtype::F16 | Dtype::Bf16 => uniform(words, deviation, block),
                }
            }
        }
    }
}

fn repeat<const N: usize>(bytes: &mut [u8], value: [u8; N]) {
    bytes.chunks_mut(N).for_each(|place| place.iter_mut().zip(value).for_each(|(to, from)| *to = from));
}

/// Uniform over -127..=127: -128 has no counterpart and would shift the mean.
fn signed_bytes(random: &[u8], to: &mut [u8]) {
    for (to, byte) in to.iter_mut().zip(random) {
        *to = if *byte == 128 { 0 } else { *byte };
    }
}

/// Uniform with this standard deviation, in bf16.
fn uniform(random: &[u8], deviation: f32, to: &mut [u8]) {
    // A uniform number in -1..1 has the deviation 1 / sqrt(3).
    let scale = deviation * 3.0_f32.sqrt() / 32_768.0;
    for (to, pair) in to.as_chunks_mut().0.iter_mut().zip(random.as_chunks().0) {
        let number = (f32::from(i16::from_le_bytes(*pair)) + 0.5) * scale;
        // To the nearest, of two equally near the even one: as `bf16::from_f32` without its case for NaN, which would
        // keep the loop from becoming vector code.
        let bits = number.to_bits();
        *to = (((bits + 0x7fff + (bits >> 16 & 1)) >> 16) as u16).to_le_bytes();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn tensor(dtype: Dtype, fill: Fill, number: u64) -> Planned {
        Planned { name: "a".into(), dtype, shape: vec![5000], fill, number }
    }

    fn all(tensor: &Planned, seed: u64) -> Vec<u8> {
        let mut bytes = vec![0; tensor.bytes() as usize];
        fill(tensor, seed, 0, &mut bytes);
        bytes
    }

    #[test]
    fn a_part_is_the_same_as_within_the_whole() {
        for dtype in [Dtype::Bf16, Dtype::I8] {
            let tensor = tensor(dtype, Fill::Random(0.5), 3);
            let whole = all(&tensor, 7);
            for (start, length) in [(0, 16), (8, 6), (2048, 2048), (1992, 3000), (4992, 8)] {
                let mut part = vec![0; length];
                fill(&tensor, 7, start as u64, &mut part);
                assert_eq!(part, whole[start..start + length], "{dtype} from {start}");
            }
        }
    }

    #[test]
    fn tensors_and_seeds_differ_and_have_the_deviation() {
        let first = all(&tensor(Dtype::Bf16, Fill::Random(0.25), 0), 1);
        assert_ne!(first, all(&tensor(Dtype::Bf16, Fill::Random(0.25), 1), 1));
        assert_ne!(first, all(&tensor(Dtype::Bf16, Fill::Random(0.25), 0), 2));
        let numbers: Vec<f32> =
            first.as_chunks().0.iter().map(|pair| bf16::from_le_bytes(*pair).to_f32()).collect();
        let square = numbers.iter().map(|x| x * x).sum::<f32>() / numbers.len() as f32;
        assert!((square.sqrt() / 0.25 - 1.0).abs() < 0.02, "{}", square.sqrt());
        let mean = numbers.iter().sum::<f32>() / numbers.len() as f32;
        assert!(mean.abs() < 0.02, "{mean}");
        assert!(all(&tensor(Dtype::I8, Fill::Random(1.0), 0), 1).iter().all(|byte| *byte != 128));
    }

    #[test]
    fn rounding_is_that_of_bf16() {
        let random: Vec<u8> = (i16::MIN..=i16::MAX).flat_map(i16::to_le_bytes).collect();
        let mut got = vec![0; random.len()];
        uniform(&random, 0.3, &mut got);
        let scale = 0.3 * 3.0_f32.sqrt() / 32_768.0;
        let want = (i16::MIN..=i16::MAX).map(|number| bf16::from_f32((f32::from(number) + 0.5) * scale));
        assert_eq!(got, want.flat_map(bf16::to_le_bytes).collect::<Vec<u8>>());
    }

    #[test]
    fn constants_fill_all() {
        assert_eq!(all(&tensor(Dtype::F32, Fill::Constant(2.0), 0), 1), 2.0_f32.to_le_bytes().repeat(5000));
        assert_eq!(
            all(&tensor(Dtype::Bf16, Fill::Constant(1.0), 0), 1),
            bf16::ONE.to_le_bytes().repeat(5000)
        );
    }
}
