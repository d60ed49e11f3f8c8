//! y = silu(gate) · up with silu(g) = g / (1 + exp(−g)), bf16: the gate of a SwiGLU layer.

use half::bf16;

use crate::tolerance::{BF16_ROUNDOFF, F32_ROUNDOFF, Tolerance};
use crate::{Launch, blocks_over};

/// The entry point. Parameters: `gate`, `up`, `y` (addresses), `n` (u64).
pub const NAME: &str = "silu_mul_bf16";
/// The module that holds it.
pub const PTX: &str = include_str!("../kernels/silu_mul.ptx");

/// Two matrices of the same size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Tokens.
    pub rows: u32,
    /// The layer's intermediate size.
    pub hidden: u32,
}

impl Shape {
    /// Elements of each buffer, the kernel's `n`.
    pub fn elements(&self) -> u64 {
        u64::from(self.rows) * u64::from(self.hidden)
    }
}

/// A thread for eight elements.
pub fn launch(shape: &Shape) -> Launch {
    Launch { grid: [blocks_over(shape.elements(), 8), 1, 1], block: [256, 1, 1] }
}

/// Bytes: two matrices read, one written.
pub fn bytes(shape: &Shape) -> u64 {
    3 * shape.elements() * 2
}

/// Operations: exponential, sum, quotient and product, one of each per element.
pub fn flops(shape: &Shape) -> u64 {
    4 * shape.elements()
}

/// silu(gate) · up in f64.
pub fn reference(gate: &[bf16], up: &[bf16]) -> Vec<f64> {
    let silu = |g: f64| g / (1.0 + (-g).exp());
    gate.iter().zip(up).map(|(&gate, &up)| silu(gate.to_f64()) * up.to_f64()).collect()
}

/// For |gate| ≤ 88 and |up| ≤ 128. `__expf` is within 2 + 1.173 · |gate| ≤ 106 ulp, the fast division within 2 (CUDA C++
/// Programming Guide); sum and product round once each. An ulp is at most 2 roundoffs: 218 roundoffs of f32, and one of
/// bf16. The fast division gives 0 for divisors above 2¹²⁶, where the result is below 88 · 128 · 2⁻¹²⁶ < 2⁻¹¹².
pub fn tolerance() -> Tolerance {
    let computed = 218.0 * F32_ROUNDOFF;
    Tolerance { absolute: 2f64.powi(-112), relative: computed * (1.0 + BF16_ROUNDOFF) + BF16_ROUNDOFF }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let of = |values: [f32; 3]| values.map(bf16::from_f32);
        let y = reference(&of([0.0, 1.0, -1.0]), &of([5.0, 2.0, 1.0]));
        let expected = [0.0, 2.0 / (1.0 + (-1f64).exp()), -1.0 / (1.0 + 1f64.exp())];
        assert!(Tolerance { absolute: 0.0, relative: 1e-15 }.worst(y, &expected) <= 1.0);
        assert!((expected[1] - 1.462_117_157).abs() < 1e-9);
    }

    #[test]
    fn launch_and_counts() {
        let shape = Shape { rows: 1000, hidden: 11008 };
        assert_eq!(launch(&shape), Launch { grid: [5375, 1, 1], block: [256, 1, 1] });
        assert_eq!(5375 * 256 * 8, shape.elements());
        assert_eq!((bytes(&shape), flops(&shape)), (66_048_000, 44_032_000));
    }

    #[test]
    fn the_rounding_of_a_bf16_dominates() {
        assert!(tolerance().relative < 1.01 / 256.0);
    }
}
