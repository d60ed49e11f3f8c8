//! c = a + b, element by element, f32: what the memory gives.

use crate::tolerance::{F32_ROUNDOFF, Tolerance};
use crate::{Launch, blocks_over};

/// The entry point. Parameters: `a`, `b`, `c` (addresses), `n` (u64).
pub const NAME: &str = "vector_add_f32";
/// The module that holds it.
pub const PTX: &str = include_str!("../kernels/vector_add.ptx");

/// Elements of each vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// How many.
    pub n: u64,
}

/// A thread for four elements.
pub fn launch(shape: &Shape) -> Launch {
    Launch { grid: [blocks_over(shape.n, 4), 1, 1], block: [256, 1, 1] }
}

/// Bytes: two vectors read, one written.
pub fn bytes(shape: &Shape) -> u64 {
    3 * shape.n * 4
}

/// Operations: an addition per element.
pub fn flops(shape: &Shape) -> u64 {
    shape.n
}

/// a + b in f64.
pub fn reference(a: &[f32], b: &[f32]) -> Vec<f64> {
    a.iter().zip(b).map(|(&a, &b)| f64::from(a) + f64::from(b)).collect()
}

/// One rounding.
pub fn tolerance() -> Tolerance {
    Tolerance { absolute: 0.0, relative: F32_ROUNDOFF }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        assert_eq!(reference(&[1.0, -2.0, 0.1], &[0.5, 2.0, 0.0]), [1.5, 0.0, f64::from(0.1f32)]);
    }

    #[test]
    fn launch_and_counts() {
        let shape = Shape { n: 1_000_003 };
        assert_eq!(launch(&shape), Launch { grid: [977, 1, 1], block: [256, 1, 1] });
        assert!(977 * 256 * 4 >= shape.n && 976 * 256 * 4 < shape.n);
        assert_eq!((bytes(&shape), flops(&shape)), (12_000_036, 1_000_003));
    }

    #[test]
    fn an_f32_sum_is_within_the_tolerance() {
        let (a, b) = (crate::inputs::uniform_f32(1, 1000), crate::inputs::uniform_f32(2, 1000));
        let sums = a.iter().zip(&b).map(|(a, b)| a + b);
        assert!(tolerance().worst(sums, &reference(&a, &b)) <= 1.0);
    }
}
