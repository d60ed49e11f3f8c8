//! C = A · B, f32, on the CUDA cores.

use crate::Launch;
use crate::tolerance::{F32_ROUNDOFF, Tolerance};

/// The entry point. Parameters: `a`, `b`, `c` (addresses), `m`, `n`, `k` (u32).
pub const NAME: &str = "gemm_tiled_f32";
/// The module that holds it.
pub const PTX: &str = include_str!("../kernels/gemm_tiled.ptx");

/// Rows and columns of C that a block computes.
const TILE: u32 = 128;

/// Row-major matrices: A is m × k, B is k × n, C is m × n.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Rows of A and C, from 1.
    pub m: u32,
    /// Columns of B and C, from 1.
    pub n: u32,
    /// Columns of A, rows of B.
    pub k: u32,
}

/// A block per 128 × 128 tile of C.
pub fn launch(shape: &Shape) -> Launch {
    Launch { grid: [shape.n.div_ceil(TILE), shape.m.div_ceil(TILE), 1], block: [256, 1, 1] }
}

/// Bytes: A and B read once, C written once. What a block reads again should come from the cache.
pub fn bytes(shape: &Shape) -> u64 {
    let [m, n, k] = [shape.m, shape.n, shape.k].map(u64::from);
    4 * (m * k + k * n + m * n)
}

/// Operations: a product and a sum per element of C and step of k, 2·m·n·k. It is the rule behind the TFLOP/s of
/// `papers/mamf.toml`.
pub fn flops(shape: &Shape) -> u64 {
    2 * u64::from(shape.m) * u64::from(shape.n) * u64::from(shape.k)
}

/// A · B in f64.
pub fn reference(shape: &Shape, a: &[f32], b: &[f32]) -> Vec<f64> {
    let (m, n, k) = (shape.m as usize, shape.n as usize, shape.k as usize);
    let mut c = vec![0.0; m * n];
    if n == 0 || k == 0 {
        return c;
    }
    for (c, a) in c.chunks_exact_mut(n).zip(a.chunks_exact(k)) {
        for (&a, b) in a.iter().zip(b.chunks_exact(n)) {
            for (c, &b) in c.iter_mut().zip(b) {
                *c += f64::from(a) * f64::from(b);
            }
        }
    }
    c
}

/// `largest_a` and `largest_b` are the largest |a| and |b|. An element of C is a chain of k fused operations. Its error
/// stays below λ·√k·u·Σ|a||b| but for a probability of 2k·exp(−λ²/2) if the roundings are independent; λ = 8 makes that
/// 10⁻¹⁰ for k = 4,096, where the bound that always holds, k·u·Σ|a||b|, would not notice a missing term.
///
/// # Source
/// Higham and Mary, "A new approach to probabilistic rounding error analysis", SIAM J. Sci. Comput. 41(5), 2019,
/// theorem 3.1.
pub fn tolerance(shape: &Shape, largest_a: f64, largest_b: f64) -> Tolerance {
    let k = f64::from(shape.k);
    Tolerance { absolute: 8.0 * k.sqrt() * F32_ROUNDOFF * k * largest_a * largest_b, relative: 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let shape = Shape { m: 2, n: 3, k: 2 };
        let c = reference(&shape, &[1.0, 2.0, 3.0, 4.0], &[1.0, 0.0, -1.0, 10.0, 5.0, 2.0]);
        assert_eq!(c, [21.0, 10.0, 3.0, 43.0, 20.0, 5.0]);
        assert_eq!(reference(&Shape { m: 1, n: 2, k: 0 }, &[], &[]), [0.0, 0.0]);
    }

    #[test]
    fn launch_and_counts() {
        let shape = Shape { m: 2048, n: 2048, k: 13312 };
        assert_eq!(launch(&shape), Launch { grid: [16, 16, 1], block: [256, 1, 1] });
        assert_eq!(flops(&shape), 111_669_149_696);
        assert_eq!(bytes(&shape), 234_881_024);
        assert_eq!(launch(&Shape { m: 1, n: 129, k: 7 }).grid, [2, 1, 1]);
    }

    #[test]
    fn a_missing_term_is_noticed() {
        // The root mean square of a product of two numbers that are uniform in [−1, 1] is 1/3.
        assert!(tolerance(&Shape { m: 1, n: 1, k: 4096 }, 1.0, 1.0).absolute < 1.0 / 3.0);
    }

    #[test]
    fn an_f32_product_is_within_the_tolerance() {
        let shape = Shape { m: 3, n: 2, k: 1000 };
        let (a, b) = (crate::inputs::uniform_f32(1, 3000), crate::inputs::uniform_f32(2, 2000));
        let c = (0..6)
            .map(|i| (0..1000).fold(0.0f32, |sum, s| a[i / 2 * 1000 + s].mul_add(b[s * 2 + i % 2], sum)));
        assert!(tolerance(&shape, 1.0, 1.0).worst(c, &reference(&shape, &a, &b)) <= 1.0);
    }
}
