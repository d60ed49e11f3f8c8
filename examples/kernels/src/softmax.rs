//! Softmax of each row, f32, stable for any finite inputs.

use crate::tolerance::{F32_ROUNDOFF, Tolerance};
use crate::{Launch, threads_per_row};

/// The entry point. Parameters: `x`, `y` (addresses), `cols` (u32).
pub const NAME: &str = "softmax_f32";
/// The module that holds it.
pub const PTX: &str = include_str!("../kernels/softmax.ptx");

/// A row-major matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// From 1.
    pub rows: u32,
    /// Elements of a row, from 1.
    pub cols: u32,
}

/// A block per row.
pub fn launch(shape: &Shape) -> Launch {
    Launch { grid: [shape.rows, 1, 1], block: [threads_per_row(shape.cols.div_ceil(4)), 1, 1] }
}

/// Bytes: every element read once and written once. That the kernel reads a row again does not count, since the row is
/// in the cache. It is the rule behind the GB/s of `papers/liger.toml`.
pub fn bytes(shape: &Shape) -> u64 {
    2 * elements(shape) * 4
}

/// Operations: maximum, difference, exponential, sum and quotient, one of each per element.
pub fn flops(shape: &Shape) -> u64 {
    5 * elements(shape)
}

fn elements(shape: &Shape) -> u64 {
    u64::from(shape.rows) * u64::from(shape.cols)
}

/// The softmax of each row of `x` (`rows` × `cols`) in f64.
pub fn reference(shape: &Shape, x: &[f32]) -> Vec<f64> {
    let mut y = Vec::with_capacity(x.len());
    for row in x.chunks_exact(shape.cols as usize) {
        let max = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let exponentials = row.iter().map(|&x| (f64::from(x) - f64::from(max)).exp());
        let sum: f64 = exponentials.clone().sum();
        y.extend(exponentials.map(|e| e / sum));
    }
    y
}

/// `range` is the largest difference of two elements of a row. In units of the roundoff u:
///
/// - An exponential is off by 4 (expf is within 2 ulp, CUDA C++ Programming Guide) and by the rounding of its argument.
///   The arguments by which an element's share of the sum is scaled, one after the other, add up to at most `range`.
/// - A turn of a thread adds up to four values and rescales the sum: 4 + 1 + 4 = 9.
/// - The block's maximum rescales once more (5), its sum has ten additions, the result a reciprocal and a product.
pub fn tolerance(shape: &Shape, range: f64) -> Tolerance {
    let [threads, ..] = launch(shape).block;
    // Without 16-byte alignment a turn takes one element.
    let turns = f64::from(shape.cols.div_ceil(threads));
    // An exponential below the normal numbers has no relative accuracy.
    let absolute = f64::from(f32::MIN_POSITIVE);
    Tolerance { absolute, relative: (2.0 * range + 9.0 * turns + 32.0) * F32_ROUNDOFF }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let ln3 = 3.0f64.ln() as f32;
        let shape = Shape { rows: 2, cols: 2 };
        let y = reference(&shape, &[0.0, ln3, 1000.0, 1000.0]);
        let close = Tolerance { absolute: 0.0, relative: 1e-7 };
        assert!(close.worst(y, &[0.25, 0.75, 0.5, 0.5]) <= 1.0);
    }

    #[test]
    fn masked_elements_get_nothing() {
        let shape = Shape { rows: 1, cols: 3 };
        assert_eq!(reference(&shape, &[1.0, f32::NEG_INFINITY, 1.0]), [0.5, 0.0, 0.5]);
    }

    #[test]
    fn launch_and_counts() {
        let shape = Shape { rows: 2048, cols: 4096 };
        assert_eq!(launch(&shape), Launch { grid: [2048, 1, 1], block: [512, 1, 1] });
        assert_eq!((bytes(&shape), flops(&shape)), (67_108_864, 41_943_040));
        assert_eq!(launch(&Shape { rows: 3, cols: 5 }).block, [32, 1, 1]);
    }

    #[test]
    fn the_tolerance_of_a_usual_row_is_tight() {
        assert!(tolerance(&Shape { rows: 1, cols: 4096 }, 20.0).relative < 1e-5);
    }
}
