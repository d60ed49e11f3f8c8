//! y = x / sqrt(mean(x²) + ε) · weight for each row, in f32 and bf16.

use crate::tolerance::{BF16_ROUNDOFF, F32_ROUNDOFF, Tolerance};
use crate::{Launch, threads_per_row};

/// The entry point for f32. Parameters: `x`, `weight`, `y` (addresses), `hidden` (u32), `epsilon` (f32).
pub const NAME_F32: &str = "rms_norm_f32";
/// The entry point for bf16, with the same parameters.
pub const NAME_BF16: &str = "rms_norm_bf16";
/// The module that holds both.
pub const PTX: &str = include_str!("../kernels/rms_norm.ptx");

/// Of what `x`, `weight` and `y` consist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Element {
    /// 4 bytes.
    F32,
    /// 2 bytes.
    Bf16,
}

impl Element {
    /// Bytes of one.
    pub const fn size(self) -> u32 {
        match self {
            Self::F32 => 4,
            Self::Bf16 => 2,
        }
    }

    /// The entry point that takes it.
    pub const fn kernel(self) -> &'static str {
        match self {
            Self::F32 => NAME_F32,
            Self::Bf16 => NAME_BF16,
        }
    }
}

/// A row-major matrix, and of what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Tokens, from 1.
    pub rows: u32,
    /// Elements of a row and of the weight, from 1.
    pub hidden: u32,
    /// Of all three buffers.
    pub element: Element,
}

/// A block per row.
pub fn launch(shape: &Shape) -> Launch {
    let vectors = shape.hidden.div_ceil(16 / shape.element.size());
    Launch { grid: [shape.rows, 1, 1], block: [threads_per_row(vectors), 1, 1] }
}

/// Bytes: every element read once and written once. The weight (1/`rows` of a matrix) and the second reading of a row
/// come from the cache and do not count. It is the rule behind the GB/s of `papers/liger.toml`.
pub fn bytes(shape: &Shape) -> u64 {
    2 * elements(shape) * u64::from(shape.element.size())
}

/// Operations: square, sum, and the products with the scale and the weight, one of each per element.
pub fn flops(shape: &Shape) -> u64 {
    4 * elements(shape)
}

fn elements(shape: &Shape) -> u64 {
    u64::from(shape.rows) * u64::from(shape.hidden)
}

/// The norm of each row of `x` (`rows` × `hidden`), times `weight` (`hidden`), in f64.
pub fn reference<T: Copy + Into<f64>>(shape: &Shape, x: &[T], weight: &[T], epsilon: f32) -> Vec<f64> {
    let mut y = Vec::with_capacity(x.len());
    for row in x.chunks_exact(shape.hidden as usize) {
        let squares: f64 = row.iter().map(|&x| x.into() * x.into()).sum();
        let root = (squares / f64::from(shape.hidden) + f64::from(epsilon)).sqrt();
        y.extend(row.iter().zip(weight).map(|(&x, &w)| x.into() / root * w.into()));
    }
    y
}

/// In units of the roundoff u of f32: the sum of squares, all of one sign, is off by an addition per element of a
/// thread and ten of the block; quotient and ε add 2, and the square root halves the total. rsqrtf adds 4 (2 ulp, CUDA
/// C++ Programming Guide), the two products 2. A bf16 result is rounded once more.
pub fn tolerance(shape: &Shape) -> Tolerance {
    let [threads, ..] = launch(shape).block;
    let additions = f64::from(shape.hidden.div_ceil(threads)) + 13.0;
    let computed = (additions / 2.0 + 8.0) * F32_ROUNDOFF;
    let stored = match shape.element {
        Element::F32 => 0.0, // the last product's rounding
        Element::Bf16 => BF16_ROUNDOFF,
    };
    // Below the normal numbers, which both types share, there is no relative accuracy.
    Tolerance { absolute: f64::from(f32::MIN_POSITIVE), relative: computed * (1.0 + stored) + stored }
}

#[cfg(test)]
mod tests {
    use half::bf16;

    use super::*;

    #[test]
    fn by_hand() {
        let shape = Shape { rows: 2, hidden: 2, element: Element::F32 };
        // The mean squares are (9 + 16) / 2 + 0 and 1: roots 5/√2 and 1.
        let y = reference(&shape, &[3.0f32, 4.0, 1.0, -1.0], &[1.0, 10.0], 0.0);
        let root = 5.0 / 2.0f64.sqrt();
        let close = Tolerance { absolute: 0.0, relative: 1e-15 };
        assert!(close.worst(y, &[3.0 / root, 40.0 / root, 1.0, -10.0]) <= 1.0);
    }

    #[test]
    fn epsilon_stands_under_the_root() {
        let shape = Shape { rows: 1, hidden: 1, element: Element::Bf16 };
        let one = [bf16::ONE];
        assert_eq!(reference(&shape, &one, &one, 3.0), [0.5]);
    }

    /// 1,409 GB/s in 95.264 µs.
    #[test]
    fn launch_and_counts() {
        let shape = Shape { rows: 2048, hidden: 16384, element: Element::Bf16 };
        assert_eq!(launch(&shape), Launch { grid: [2048, 1, 1], block: [512, 1, 1] });
        assert_eq!((bytes(&shape), flops(&shape)), (134_217_728, 134_217_728));
        assert_eq!((bytes(&shape) as f64 / 95.264e-6 / 1e9).round(), 1409.0);
        assert_eq!(launch(&Shape { rows: 1, hidden: 9, element: Element::Bf16 }).block, [32, 1, 1]);
        assert_eq!(bytes(&Shape { rows: 3, hidden: 5, element: Element::F32 }), 120);
    }

    #[test]
    fn the_rounding_of_a_bf16_dominates() {
        let shape = Shape { rows: 1, hidden: 16384, element: Element::Bf16 };
        assert!(tolerance(&shape).relative < 1.01 / 256.0);
        assert!(tolerance(&Shape { element: Element::F32, ..shape }).relative < 2e-6);
    }
}
