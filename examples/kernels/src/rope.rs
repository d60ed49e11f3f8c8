//! Rotary position embedding, f32, in the half-split order of GPT-NeoX and Llama.

use crate::Launch;
use crate::tolerance::{F32_ROUNDOFF, Tolerance};

/// The entry point. Parameters: `x`, `positions`, `table`, `y` (addresses), `heads` (u32), `dim` (u32).
pub const NAME: &str = "rope_f32";
/// The module that holds it.
pub const PTX: &str = include_str!("../kernels/rope.ptx");

/// Threads of a block.
const THREADS: u32 = 128;

/// Vectors of `dim` elements: `x` and `y` are tokens × heads × dim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// From 1.
    pub tokens: u32,
    /// Per token, from 1.
    pub heads: u32,
    /// Elements of a head: a multiple of 8, since the kernel turns four pairs at a time.
    pub dim: u32,
}

/// A thread for four pairs of a token.
pub fn launch(shape: &Shape) -> Launch {
    let threads = shape.heads.saturating_mul(shape.dim / 8);
    Launch { grid: [shape.tokens, threads.div_ceil(THREADS).max(1), 1], block: [THREADS, 1, 1] }
}

/// Bytes: every element read once and written once, and per token its position and its row of the table.
pub fn bytes(shape: &Shape) -> u64 {
    let rows = u64::from(shape.tokens) * (4 + u64::from(shape.dim) * 4);
    2 * elements(shape) * 4 + rows
}

/// Operations: four products and two sums per pair.
pub fn flops(shape: &Shape) -> u64 {
    3 * elements(shape)
}

fn elements(shape: &Shape) -> u64 {
    u64::from(shape.tokens) * u64::from(shape.heads) * u64::from(shape.dim)
}

/// The kernel's table, `max_positions` × `dim`: of each row first the cosines, then the sines of
/// position · `theta`^(−2i/`dim`) for i below `dim`/2, computed in f64.
///
/// # Source
/// Su et al., "RoFormer", arXiv 2104.09864, section 3.2.2, with θ = 10,000.
pub fn table(max_positions: u32, dim: u32, theta: f64) -> Vec<f32> {
    let mut table = Vec::with_capacity(max_positions as usize * dim as usize);
    for position in 0..max_positions {
        let angles = angles(f64::from(position), dim, theta);
        table.extend(angles.clone().map(|angle| angle.cos() as f32));
        table.extend(angles.map(|angle| angle.sin() as f32));
    }
    table
}

fn angles(position: f64, dim: u32, theta: f64) -> impl Iterator<Item = f64> + Clone {
    (0..dim / 2).map(move |i| position * theta.powf(-2.0 * f64::from(i) / f64::from(dim)))
}

/// `x` (tokens × heads × dim) turned by the angles of its tokens' `positions`, in f64 and without a table.
pub fn reference(shape: &Shape, x: &[f32], positions: &[i32], theta: f64) -> Vec<f64> {
    let (dim, half) = (shape.dim as usize, shape.dim as usize / 2);
    let mut y = Vec::with_capacity(x.len());
    for (token, &position) in x.chunks_exact(dim * shape.heads as usize).zip(positions) {
        let turns: Vec<_> = angles(f64::from(position), shape.dim, theta).map(f64::sin_cos).collect();
        for head in token.chunks_exact(dim) {
            let (low, high) = head.split_at(half);
            let pairs = low.iter().zip(high).map(|(&low, &high)| (f64::from(low), f64::from(high)));
            let pairs = pairs.zip(&turns);
            y.extend(pairs.clone().map(|((low, high), (sin, cos))| low * cos - high * sin));
            y.extend(pairs.map(|((low, high), (sin, cos))| high * cos + low * sin));
        }
    }
    y
}

/// `largest` is the largest |x|. Two products, each off by the table's rounding and its own, and the rounding of their
/// sum, at most √2 · `largest`: 2 + 2 + 1.42 roundoffs. Absolute, because the two products can cancel.
pub fn tolerance(largest: f64) -> Tolerance {
    Tolerance { absolute: 6.0 * F32_ROUNDOFF * largest, relative: 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let shape = Shape { tokens: 2, heads: 1, dim: 4 };
        let x = [1.0, 2.0, 3.0, 4.0, 1.0, 2.0, 3.0, 4.0];
        let y = reference(&shape, &x, &[0, 1], 10_000.0);
        // Element 0 turns with element 2 by 1 rad, element 1 with element 3 by 1/100.
        let ((s0, c0), (s1, c1)) = (1f64.sin_cos(), 0.01f64.sin_cos());
        let expected =
            [1.0, 2.0, 3.0, 4.0, c0 - 3.0 * s0, 2.0 * c1 - 4.0 * s1, 3.0 * c0 + s0, 4.0 * c1 + 2.0 * s1];
        assert!(Tolerance { absolute: 1e-14, relative: 0.0 }.worst(y, &expected) <= 1.0);
    }

    #[test]
    fn the_table_holds_cosines_then_sines() {
        let rows = table(2, 4, 10_000.0);
        let (sin, cos) = 1f64.sin_cos();
        let (small_sin, small_cos) = 0.01f64.sin_cos();
        let expected = [1.0, 1.0, 0.0, 0.0, cos, small_cos, sin, small_sin];
        assert_eq!(rows, expected.map(|x| x as f32));
    }

    #[test]
    fn lengths_stay() {
        let shape = Shape { tokens: 3, heads: 2, dim: 8 };
        let x = crate::inputs::uniform_f32(1, 48);
        let y = reference(&shape, &x, &[5, 0, 131_071], 500_000.0);
        let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|v| v * v).sum::<f64>();
        let (before, after) = (norm(&mut x.iter().map(|&x| f64::from(x))), norm(&mut y.iter().copied()));
        assert!((before - after).abs() < 1e-12);
        assert_eq!(y.len(), 48);
    }

    #[test]
    fn launch_and_counts() {
        let shape = Shape { tokens: 2048, heads: 32, dim: 128 };
        assert_eq!(launch(&shape), Launch { grid: [2048, 4, 1], block: [128, 1, 1] });
        assert_eq!(4 * THREADS * 8, shape.heads * shape.dim, "eight elements per thread");
        assert_eq!(bytes(&shape), 2 * 33_554_432 + 2048 * 516);
        assert_eq!(flops(&shape), 25_165_824);
        assert_eq!(launch(&Shape { tokens: 1, heads: 3, dim: 96 }).grid, [1, 1, 1]);
        assert_eq!(launch(&Shape { tokens: 1, heads: 11, dim: 96 }).grid, [1, 2, 1]);
    }
}
