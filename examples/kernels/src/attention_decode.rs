//! Attention of one new token per sequence over its cache of keys and values, bf16, with grouped query heads.

use half::bf16;

use crate::Launch;
use crate::tolerance::{BF16_ROUNDOFF, F32_ROUNDOFF, Tolerance};

/// The entry point. Parameters: `q`, `keys`, `values`, `lengths`, `out` (addresses), `key_heads`, `dim`, `max_length`
/// (u32), `scale` (f32).
pub const NAME: &str = "attention_decode_bf16";
/// The module that holds it.
pub const PTX: &str = include_str!("../kernels/attention_decode.ptx");

/// `q` and `out` are sequences × `query_heads` × dim, `keys` and `values` sequences × `max_length` × `key_heads` × dim,
/// `lengths` (i32) says how many positions of each sequence are filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// From 1, at most 65,535.
    pub sequences: u32,
    /// A multiple of `key_heads`.
    pub query_heads: u32,
    /// From 1.
    pub key_heads: u32,
    /// Elements of a head: a multiple of 8, at most 256.
    pub dim: u32,
    /// Positions for which the cache has room.
    pub max_length: u32,
}

impl Shape {
    /// 1/√dim, the usual factor of the scores.
    pub fn scale(&self) -> f32 {
        f64::from(self.dim).sqrt().recip() as f32
    }

    /// Positions that a block takes at a time: 8 warps × 4 × the teams of a warp.
    fn stride(&self) -> u32 {
        let lanes = (self.dim / 8).next_power_of_two();
        8 * 4 * 32u32.checked_div(lanes).unwrap_or(1).max(1)
    }
}

/// A block per query head of a sequence. Heads of one sequence are neighbours, and so are those that share keys.
pub fn launch(shape: &Shape) -> Launch {
    Launch { grid: [shape.query_heads, shape.sequences, 1], block: [256, 1, 1] }
}

/// Bytes: the filled keys and values read once, however many query heads share them, `q` and `lengths` read, `out`
/// written.
pub fn bytes(shape: &Shape, lengths: &[i32]) -> u64 {
    let position = 2 * u64::from(shape.key_heads) * u64::from(shape.dim) * 2;
    let token = 2 * u64::from(shape.query_heads) * u64::from(shape.dim) * 2 + 4;
    positions(lengths) * position + u64::from(shape.sequences) * token
}

/// Operations: the two products with keys and values, 4 · length · dim · query heads.
///
/// # Source
/// Dao, "FlashAttention-2", arXiv 2307.08691, section 4.1: 4 · seqlen² · head dimension · number of heads, here for one
/// query instead of seqlen. The softmax does not count.
pub fn flops(shape: &Shape, lengths: &[i32]) -> u64 {
    4 * positions(lengths) * u64::from(shape.dim) * u64::from(shape.query_heads)
}

fn positions(lengths: &[i32]) -> u64 {
    lengths.iter().map(|&length| u64::try_from(length).unwrap_or(0)).sum()
}

/// The attention in f64. A sequence of length 0 gives zeros.
pub fn reference(
    shape: &Shape,
    q: &[bf16],
    keys: &[bf16],
    values: &[bf16],
    lengths: &[i32],
    scale: f32,
) -> Vec<f64> {
    let dim = shape.dim as usize;
    let cache = shape.max_length as usize * shape.key_heads as usize * dim;
    let group = (shape.query_heads / shape.key_heads.max(1)).max(1) as usize;
    let mut out = Vec::with_capacity(q.len());
    let sequences = q.chunks_exact(dim * shape.query_heads as usize);
    let caches = keys.chunks_exact(cache).zip(values.chunks_exact(cache));
    for ((q, (keys, values)), &length) in sequences.zip(caches).zip(lengths) {
        for (head, q) in q.chunks_exact(dim).enumerate() {
            // The vectors of this head's group, one per filled position.
            let of_group = |cache: &'_ [bf16]| -> Vec<Vec<f64>> {
                let vectors = cache.chunks_exact(dim).skip(head / group).step_by(shape.key_heads as usize);
                let filled = vectors.take(usize::try_from(length).unwrap_or(0));
                filled.map(|vector| vector.iter().map(|x| x.to_f64()).collect()).collect()
            };
            let score = |key: &Vec<f64>| {
                f64::from(scale) * q.iter().zip(key).map(|(q, k)| q.to_f64() * k).sum::<f64>()
            };
            let scores: Vec<f64> = of_group(keys).iter().map(score).collect();
            let max = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let sum: f64 = scores.iter().map(|score| (score - max).exp()).sum();
            let mut result = vec![0.0; dim];
            for (score, value) in scores.iter().zip(of_group(values)) {
                let weight = (score - max).exp() / sum;
                result.iter_mut().zip(value).for_each(|(r, v)| *r += weight * v);
            }
            out.extend(result);
        }
    }
    out
}

/// The arguments are the largest |q|, |key| and |value|. In units of the roundoff u of f32, with S = `scale` · `dim` ·
/// |q| · |key|, the largest score:
///
/// - A score is off by 16 · S: three roundings of q, 13 of a chain of 8 products and 5 sums of a team. Its distance from
///   the maximum, at most 2 · S, is rounded: 18 · S in a weight's exponent.
/// - A turn rescales (exp2f is within 2 ulp, so 4, and a product) and adds four terms: 9. The merging of teams and
///   warps is at most 64.
/// - Numerator and sum of weights both have these errors: twice, of a mean of values. The result is rounded to bf16.
pub fn tolerance(shape: &Shape, scale: f64, q: f64, key: f64, value: f64) -> Tolerance {
    let largest_score = scale * f64::from(shape.dim) * q * key;
    let turns = f64::from(shape.max_length.div_ceil(shape.stride()));
    let roundoffs = 18.0 * largest_score + 9.0 * turns + 64.0;
    Tolerance { absolute: 2.0 * roundoffs * F32_ROUNDOFF * value, relative: BF16_ROUNDOFF }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: Shape = Shape { sequences: 2, query_heads: 2, key_heads: 1, dim: 2, max_length: 3 };

    fn bf16s(values: &[f32]) -> Vec<bf16> {
        values.iter().copied().map(bf16::from_f32).collect()
    }

    #[test]
    fn by_hand() {
        // Scores of the first head: 0 and 1 (weights 1 : e); of the second: equal. The third position is not filled.
        let q = bf16s(&[0.0, 1.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0]);
        let keys = bf16s(&[1.0, 0.0, 0.0, 1.0, 9.0, 9.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        let values = bf16s(&[1.0, 0.0, 0.0, 1.0, 9.0, 9.0, 7.0, 7.0, 7.0, 7.0, 7.0, 7.0]);
        let out = reference(&SHAPE, &q, &keys, &values, &[2, 0], 1.0);
        let e = 1f64.exp();
        let expected = [1.0 / (1.0 + e), e / (1.0 + e), 0.5, 0.5, 0.0, 0.0, 0.0, 0.0];
        assert!(Tolerance { absolute: 1e-15, relative: 0.0 }.worst(out, &expected) <= 1.0);
    }

    #[test]
    fn query_heads_share_keys_in_groups() {
        let shape = Shape { sequences: 1, query_heads: 4, key_heads: 2, dim: 1, max_length: 1 };
        let one = bf16s(&[1.0; 4]);
        let out = reference(&shape, &one, &one[..2], &bf16s(&[3.0, 5.0]), &[1], 1.0);
        assert_eq!(out, [3.0, 3.0, 5.0, 5.0]);
    }

    /// Llama 3 8B with 16 sequences of 4,096 tokens: 16 · 4096 · 8 · 128 · 2 · 2 bytes of cache.
    #[test]
    fn launch_and_counts() {
        let shape = Shape { sequences: 16, query_heads: 32, key_heads: 8, dim: 128, max_length: 8192 };
        let lengths = [4096; 16];
        assert_eq!(launch(&shape), Launch { grid: [32, 16, 1], block: [256, 1, 1] });
        assert_eq!(bytes(&shape, &lengths), 268_435_456 + 16 * (2 * 32 * 128 * 2 + 4));
        assert_eq!(flops(&shape, &lengths), 1_073_741_824);
        assert_eq!((shape.stride(), Shape { dim: 96, ..shape }.stride()), (64, 64));
        assert_eq!((Shape { dim: 256, ..shape }.stride(), Shape { dim: 8, ..shape }.stride()), (32, 1024));
    }

    #[test]
    fn the_tolerance_is_far_below_a_value() {
        let shape = Shape { sequences: 1, query_heads: 1, key_heads: 1, dim: 128, max_length: 8192 };
        assert!(tolerance(&shape, f64::from(shape.scale()), 1.0, 1.0, 1.0).absolute < 2e-4);
    }
}
