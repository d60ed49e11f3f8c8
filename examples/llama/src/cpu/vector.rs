//! Loops over slices of f32, in the widest vectors that the processor has: `pulp` compiles each once per instruction set
//! and picks at run time. So `mul_add` below is one instruction where there is one, and a product and a sum where there
//! is none; `f32::mul_add` would call the C library there, which is several times slower.
//!
//! Everything on the way to a vector instruction must be `#[inline(always)]`, closures too: what is compiled by itself
//! is compiled for the oldest processor and called once per vector, which made decoding nine times slower.

use pulp::{Arch, Simd, WithSimd};

/// Lanes of a sum: enough for two vectors of the widest kind.
const LANES: usize = 32;

/// What a product does with the numbers already in its target.
pub(super) use super::matmul::Mode;

/// `out = x weight^T` or `out += x weight^T` for a few rows of `x`: `[count, columns]` times `[outputs, columns]` gives
/// `[count, outputs]`. The matrix is read once, and each part of it used for all rows of `x` while it is at hand.
pub(super) struct FewRows<'a> {
    pub(super) weight: &'a [f32],
    pub(super) columns: usize,
    pub(super) x: &'a [f32],
    pub(super) out: &'a mut [f32],
    pub(super) mode: Mode,
    pub(super) reading: Reading,
}

/// In which order a matrix is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// Four rows side by side: least work, best where the matrix is still in a cache.
    FourRows,
    /// From its first number to its last: what memory delivers fastest.
    Onwards,
}

impl FewRows<'_> {
    pub(super) fn run(self) {
        Arch::new().dispatch(self);
    }
}

impl WithSimd for FewRows<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { weight, columns, x, out, mode, reading } = self;
        let outputs = weight.len() / columns.max(1);
        if outputs == 0 {
            return;
        }
        let four = if reading == Reading::FourRows { outputs / 4 } else { 0 };
        let (blocks, rest) = weight.split_at(four * 4 * columns);
        for (number, block) in blocks.chunks_exact(4 * columns).enumerate() {
            let (low, high) = block.split_at(2 * columns);
            let ((a, b), (c, d)) = (low.split_at(columns), high.split_at(columns));
            for (x, out) in x.chunks_exact(columns).zip(out.chunks_exact_mut(outputs)) {
                let sums = dot4(simd, x, [a, b, c, d]);
                if let Some(out) = out.as_chunks_mut::<4>().0.get_mut(number) {
                    match mode {
                        Mode::Replace => *out = sums,
                        Mode::Add => out.iter_mut().zip(sums).for_each(|(out, sum)| *out += sum),
                    }
                }
            }
        }
        for (number, row) in (4 * four..).zip(rest.chunks_exact(columns)) {
            for (x, out) in x.chunks_exact(columns).zip(out.chunks_exact_mut(outputs)) {
                let sum = dot(simd, x, row);
                if let Some(out) = out.get_mut(number) {
                    *out = if mode == Mode::Add { *out + sum } else { sum };
                }
            }
        }
    }
}

/// Four dot products with `x` at once: each number of `x` is loaded once for four rows, and eight sums grow side by
/// side, which hides the time that one multiplication takes.
#[inline(always)]
fn dot4<S: Simd>(simd: S, x: &[f32], rows: [&[f32]; 4]) -> [f32; 4] {
    let (x, x_tail) = S::as_simd_f32s(x);
    let [a, b, c, d] = rows;
    let ((a, a_tail), (b, b_tail)) = (S::as_simd_f32s(a), S::as_simd_f32s(b));
    let ((c, c_tail), (d, d_tail)) = (S::as_simd_f32s(c), S::as_simd_f32s(d));
    let zero = simd.splat_f32s(0.0);
    let (mut even, mut odd) = ([zero; 4], [zero; 4]);
    let ((x2, x1), (a2, a1), (b2, b1)) = (x.as_chunks::<2>(), a.as_chunks::<2>(), b.as_chunks::<2>());
    let ((c2, c1), (d2, d1)) = (c.as_chunks::<2>(), d.as_chunks::<2>());
    for ((((x, a), b), c), d) in x2.iter().zip(a2).zip(b2).zip(c2).zip(d2) {
        even = step(simd, even, x[0], [a[0], b[0], c[0], d[0]]);
        odd = step(simd, odd, x[1], [a[1], b[1], c[1], d[1]]);
    }
    for ((((x, a), b), c), d) in x1.iter().zip(a1).zip(b1).zip(c1).zip(d1) {
        even = step(simd, even, *x, [*a, *b, *c, *d]);
    }
    if !x_tail.is_empty() {
        let (a, b) = (simd.partial_load_f32s(a_tail), simd.partial_load_f32s(b_tail));
        let (c, d) = (simd.partial_load_f32s(c_tail), simd.partial_load_f32s(d_tail));
        odd = step(simd, odd, simd.partial_load_f32s(x_tail), [a, b, c, d]);
    }
    let [a, b, c, d] = even;
    let [a1, b1, c1, d1] = odd;
    [
        simd.reduce_sum_f32s(simd.add_f32s(a, a1)),
        simd.reduce_sum_f32s(simd.add_f32s(b, b1)),
        simd.reduce_sum_f32s(simd.add_f32s(c, c1)),
        simd.reduce_sum_f32s(simd.add_f32s(d, d1)),
    ]
}

/// Adds a vector's products with one vector of each of four rows.
#[inline(always)]
fn step<S: Simd>(simd: S, sums: [S::f32s; 4], x: S::f32s, rows: [S::f32s; 4]) -> [S::f32s; 4] {
    let ([a, b, c, d], [ra, rb, rc, rd]) = (sums, rows);
    [
        simd.mul_add_e_f32s(ra, x, a),
        simd.mul_add_e_f32s(rb, x, b),
        simd.mul_add_e_f32s(rc, x, c),
        simd.mul_add_e_f32s(rd, x, d),
    ]
}

/// One dot product, in four sums side by side.
#[inline(always)]
fn dot<S: Simd>(simd: S, x: &[f32], row: &[f32]) -> f32 {
    let ((x, x_tail), (row, row_tail)) = (S::as_simd_f32s(x), S::as_simd_f32s(row));
    let zero = simd.splat_f32s(0.0);
    let [mut a, mut b, mut c, mut d] = [zero; 4];
    let ((x4, x1), (row4, row1)) = (x.as_chunks::<4>(), row.as_chunks::<4>());
    for (x, row) in x4.iter().zip(row4) {
        a = simd.mul_add_e_f32s(x[0], row[0], a);
        b = simd.mul_add_e_f32s(x[1], row[1], b);
        c = simd.mul_add_e_f32s(x[2], row[2], c);
        d = simd.mul_add_e_f32s(x[3], row[3], d);
    }
    for (x, row) in x1.iter().zip(row1) {
        a = simd.mul_add_e_f32s(*x, *row, a);
    }
    if !x_tail.is_empty() {
        let (x, row) = (simd.partial_load_f32s(x_tail), simd.partial_load_f32s(row_tail));
        b = simd.mul_add_e_f32s(x, row, b);
    }
    simd.reduce_sum_f32s(simd.add_f32s(simd.add_f32s(a, b), simd.add_f32s(c, d)))
}

/// `out += factor * row` for each row of `out.len()` numbers and its factor.
pub(super) struct WeightedSum<'a> {
    pub(super) factors: &'a [f32],
    pub(super) rows: &'a [f32],
    pub(super) out: &'a mut [f32],
}

impl WithSimd for WeightedSum<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for (factor, row) in self.factors.iter().zip(self.rows.chunks_exact(self.out.len().max(1))) {
            let (out, out_tail) = S::as_mut_simd_f32s(self.out);
            let (row, row_tail) = S::as_simd_f32s(row);
            let all = simd.splat_f32s(*factor);
            for (out, row) in out.iter_mut().zip(row) {
                *out = simd.mul_add_e_f32s(all, *row, *out);
            }
            for (out, row) in out_tail.iter_mut().zip(row_tail) {
                *out += factor * row;
            }
        }
    }
}

/// `out = x / sqrt(mean(x^2) + epsilon) * gain`.
///
/// # Source
///
/// Zhang and Sennrich 2019, Root Mean Square Layer Normalization, equation 4.
pub(super) fn rms_norm(x: &[f32], gain: &[f32], epsilon: f32, out: &mut [f32]) {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            let scale = 1.0 / (sum(x, |x| x * x) / x.len() as f32 + epsilon).sqrt();
            for ((out, x), gain) in out.iter_mut().zip(x).zip(gain) {
                *out = x * scale * gain;
            }
        },
    );
}

/// `out = silu(gate) * up`, where `silu(x) = x / (1 + exp(-x))`.
pub(super) fn silu_mul(gate: &[f32], up: &[f32], out: &mut [f32]) {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for ((out, gate), up) in out.iter_mut().zip(gate).zip(up) {
                *out = gate / (1.0 + exp(-gate)) * up;
            }
        },
    );
}

/// Turns scores into shares that sum to one.
pub(super) fn softmax(scores: &mut [f32]) {
    Arch::new().dispatch(
        #[inline(always)]
        || softmax_here(scores),
    );
}

/// [`softmax`], compiled into its caller.
#[inline(always)]
pub(super) fn softmax_here(scores: &mut [f32]) {
    let (blocks, rest) = scores.as_chunks::<LANES>();
    let mut lanes = [f32::NEG_INFINITY; LANES];
    for block in blocks {
        lanes
            .iter_mut()
            .zip(block)
            .for_each(|(most, score)| *most = if *score > *most { *score } else { *most });
    }
    // The largest exponent is zero, so nothing overflows.
    let most = lanes.iter().chain(rest).copied().fold(f32::NEG_INFINITY, f32::max);
    scores.iter_mut().for_each(|score| *score = exp(*score - most));
    let scale = 1.0 / sum(scores, |share| share);
    scores.iter_mut().for_each(|share| *share *= scale);
}

/// Sum over `x`, in lanes: one sum after the other could not be computed in vectors.
#[inline(always)]
fn sum(x: &[f32], term: impl Fn(f32) -> f32) -> f32 {
    let (blocks, rest) = x.as_chunks::<LANES>();
    let mut lanes = [0.0; LANES];
    for block in blocks {
        lanes.iter_mut().zip(block).for_each(|(lane, x)| *lane += term(*x));
    }
    lanes.iter().sum::<f32>() + rest.iter().map(|x| term(*x)).sum::<f32>()
}

/// e to the power of `x`, within 2 units in the last place; below -87 it is as at -87, above 88 as at 88. Without a
/// branch or a call, so that a loop over it becomes vector code.
///
/// # Source
///
/// Cephes 2.2 `expf.c` (S. Moshier), its range reduction and polynomial.
#[inline(always)]
#[allow(
    clippy::excessive_precision,
    clippy::approx_constant,
    reason = "the constants are as Cephes prints them"
)]
fn exp(x: f32) -> f32 {
    /// Adding it moves the whole part of a number into the lowest bits: 1.5 * 2^23.
    const SHIFT: f32 = 12_582_912.0;
    // Written so that a NaN stays one.
    let x = if x < -87.0 { -87.0 } else { x };
    let x = if x > 88.0 { 88.0 } else { x };
    let shifted = x * std::f32::consts::LOG2_E + SHIFT;
    let whole = shifted - SHIFT;
    let rest = x - whole * 0.693_359_375 + whole * 2.121_944_4e-4;
    let mut power = 1.987_569_15e-4;
    for coefficient in
        [1.398_199_950_7e-3, 8.333_451_907_3e-3, 4.166_579_589_4e-2, 1.666_666_545_9e-1, 5.000_000_120_1e-1]
    {
        power = power * rest + coefficient;
    }
    // 2^whole, made from its exponent bits.
    let scale = f32::from_bits((shifted.to_bits() << 23).wrapping_add(0x3f80_0000));
    (power * rest * rest + rest + 1.0) * scale
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_close_to_the_exact_one() {
        for step in -8_700..8_800 {
            let x = step as f32 / 100.0;
            let exact = f64::from(x).exp();
            assert!((f64::from(exp(x)) / exact - 1.0).abs() < 3e-7, "exp({x}) is {}, not {exact}", exp(x));
        }
    }

    #[test]
    fn a_nan_is_not_hidden() {
        let mut scores = [0.0, f32::NAN, 1.0];
        softmax(&mut scores);
        assert!(scores.iter().any(|share| share.is_nan()));
    }

    #[test]
    fn products_with_all_tails_agree_with_f64() {
        for (rows, columns) in
            (1..10_usize).flat_map(|rows| (1..70_usize).map(move |columns| (rows, columns)))
        {
            let weight: Vec<f32> = (0..rows * columns).map(|i| (i as f32 * 0.37).sin()).collect();
            let x: Vec<f32> = (0..3 * columns).map(|i| (i as f32 * 0.91).cos()).collect();
            let exact = |row: &[f32], x: &[f32]| -> f64 {
                row.iter().zip(x).map(|(w, x)| f64::from(*w) * f64::from(*x)).sum()
            };
            let expected = x.chunks(columns).flat_map(|x| weight.chunks(columns).map(|row| exact(row, x)));
            let expected: Vec<f64> = expected.collect();
            for reading in [Reading::FourRows, Reading::Onwards] {
                let mut out = vec![0.5; 3 * rows];
                let (weight, x, mode) = (weight.as_slice(), x.as_slice(), Mode::Add);
                FewRows { weight, columns, x, out: &mut out, mode, reading }.run();
                let mut pairs = out.iter().zip(&expected);
                assert!(pairs.all(|(out, exact)| (f64::from(*out) - 0.5 - exact).abs() < 1e-5));
            }
        }
    }
}
