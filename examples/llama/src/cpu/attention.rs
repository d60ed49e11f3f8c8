//! Causal attention with fewer key and value heads than query heads (grouped-query attention).
//!
//! Two ways to the same numbers: one token against its past, by dot products straight out of the cache; and a stretch of
//! a prompt against the past and itself, by matrix products over a copy of one head's keys and values.

use pulp::{Arch, Simd, WithSimd};

use super::{
    cache::{PAGE, View},
    matmul::{Matrix, MatrixMut, matmul},
    vector::{FewRows, Mode, Reading, WeightedSum, softmax, softmax_here},
};

/// Sizes of the heads.
#[derive(Debug, Clone, Copy)]
pub(super) struct Heads {
    pub(super) query: usize,
    pub(super) key_value: usize,
    pub(super) dim: usize,
}

/// One token: its queries `[heads, dim]`, already scaled, against the `length` tokens of its past, itself included.
pub(super) struct OneToken<'a> {
    pub(super) heads: Heads,
    pub(super) query: &'a [f32],
    pub(super) past: View<'a>,
    pub(super) length: usize,
    /// Room for at least `length` numbers.
    pub(super) scores: &'a mut [f32],
    /// `[heads, dim]`.
    pub(super) out: &'a mut [f32],
}

impl OneToken<'_> {
    pub(super) fn run(self) {
        Arch::new().dispatch(self);
    }
}

impl WithSimd for OneToken<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { heads, query, past, length, scores, out } = self;
        let group = heads.query / heads.key_value;
        let scores = scores.get_mut(..length).unwrap_or_default();
        let queries = query.chunks_exact(heads.dim).zip(out.chunks_exact_mut(heads.dim));
        for (head, (query, out)) in queries.enumerate() {
            let keys = past.blocks(false, head / group, length);
            for (scores, weight) in scores.chunks_mut(PAGE).zip(keys) {
                let (mode, reading) = (Mode::Replace, Reading::FourRows);
                FewRows { weight, columns: heads.dim, x: query, out: scores, mode, reading }.with_simd(simd);
            }
            softmax_here(scores);
            out.fill(0.0);
            let values = past.blocks(true, head / group, length);
            for (factors, rows) in scores.chunks(PAGE).zip(values) {
                WeightedSum { factors, rows, out }.with_simd(simd);
            }
        }
    }
}

/// `count` tokens of one sequence after each other. Row `r` of `queries` sees the first `before + r + 1` tokens.
pub(super) struct Stretch<'a> {
    pub(super) heads: Heads,
    /// `[count, columns]`, of which the first `heads * dim` columns are the queries, already scaled.
    pub(super) queries: &'a [f32],
    pub(super) columns: usize,
    pub(super) count: usize,
    pub(super) before: usize,
    pub(super) past: View<'a>,
    /// Room for `(before + count) * dim` numbers each.
    pub(super) keys: &'a mut [f32],
    pub(super) values: &'a mut [f32],
    /// Room for `count * (before + count)` numbers.
    pub(super) scores: &'a mut [f32],
    /// `[count, heads * dim]`.
    pub(super) out: &'a mut [f32],
}

impl Stretch<'_> {
    pub(super) fn run(self) {
        let Self { heads, queries, columns, count, before, past, keys, values, scores, out } = self;
        let (length, dim, group) = (before + count, heads.dim, heads.query / heads.key_value);
        let scores = scores.get_mut(..count * length).unwrap_or_default();
        for head in 0..heads.query {
            if head % group == 0 {
                gather(past.blocks(false, head / group, length), keys);
                gather(past.blocks(true, head / group, length), values);
            }
            let query = Matrix::new(queries, count, columns).columns(head * dim, dim);
            let key = Matrix::new(keys, length, dim);
            matmul(query, key.transposed(), MatrixMut::new(scores, count, length), Mode::Replace);
            for (row, scores) in scores.chunks_exact_mut(length).enumerate() {
                let (seen, future) = scores.split_at_mut(before + row + 1);
                softmax(seen);
                future.fill(0.0);
            }
            let value = Matrix::new(values, length, dim);
            let out = MatrixMut::new(out, count, heads.query * dim).columns(head * dim, dim);
            matmul(Matrix::new(scores, count, length), value, out, Mode::Replace);
        }
    }
}

/// Copies blocks one after the other.
fn gather<'a>(blocks: impl Iterator<Item = &'a [f32]>, to: &mut [f32]) {
    let mut rest = to;
    for block in blocks {
        let Some((place, next)) = rest.split_at_mut_checked(block.len()) else { return };
        place.copy_from_slice(block);
        rest = next;
    }
}
