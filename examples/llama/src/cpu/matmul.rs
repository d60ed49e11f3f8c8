//! The one call into the matrix library, behind bounds checks. Unsafe code of this kind is only here.

#![allow(unsafe_code)]

use gemm::{Parallelism, gemm};

/// A read-only matrix inside a slice: entry `(r, c)` is at `start + r * row_step + c * column_step`.
#[derive(Clone, Copy)]
pub(super) struct Matrix<'a> {
    data: &'a [f32],
    shape: Shape,
}

/// A matrix to write to.
pub(super) struct MatrixMut<'a> {
    data: &'a mut [f32],
    shape: Shape,
}

#[derive(Clone, Copy)]
struct Shape {
    start: usize,
    rows: usize,
    columns: usize,
    row_step: usize,
    column_step: usize,
}

/// What a product does with the numbers already in its target.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Overwrites them.
    Replace,
    /// Adds to them.
    Add,
}

impl Shape {
    fn of(rows: usize, columns: usize) -> Self {
        Self { start: 0, rows, columns, row_step: columns, column_step: 1 }
    }

    fn columns(self, first: usize, count: usize) -> Self {
        Self { start: self.start + first * self.column_step, columns: count, ..self }
    }

    /// Whether every entry lies inside a slice of `len` numbers.
    fn fits(self, len: usize) -> bool {
        if self.rows == 0 || self.columns == 0 {
            return self.start <= len;
        }
        let down = (self.rows - 1).checked_mul(self.row_step);
        let across = (self.columns - 1).checked_mul(self.column_step);
        down.zip(across)
            .and_then(|(down, across)| self.start.checked_add(down)?.checked_add(across))
            .is_some_and(|last| last < len)
    }
}

impl<'a> Matrix<'a> {
    /// The whole of `data`, row by row.
    pub(super) fn new(data: &'a [f32], rows: usize, columns: usize) -> Self {
        Self { data, shape: Shape::of(rows, columns) }
    }

    /// The `count` columns from `first` on.
    pub(super) fn columns(self, first: usize, count: usize) -> Self {
        Self { shape: self.shape.columns(first, count), ..self }
    }

    /// The same numbers with rows and columns exchanged.
    pub(super) fn transposed(self) -> Self {
        let Shape { start, rows, columns, row_step, column_step } = self.shape;
        let shape =
            Shape { start, rows: columns, columns: rows, row_step: column_step, column_step: row_step };
        Self { shape, ..self }
    }
}

impl<'a> MatrixMut<'a> {
    /// The whole of `data`, row by row.
    pub(super) fn new(data: &'a mut [f32], rows: usize, columns: usize) -> Self {
        Self { data, shape: Shape::of(rows, columns) }
    }

    /// The `count` columns from `first` on.
    pub(super) fn columns(self, first: usize, count: usize) -> Self {
        Self { shape: self.shape.columns(first, count), ..self }
    }
}

/// `out = a * b` or `out += a * b`, on the calling thread.
///
/// # Panics
///
/// When the shapes do not agree or a matrix reaches outside its slice: a mistake in this crate, since
/// everything that comes from a file or a user was checked before.
pub(super) fn matmul(a: Matrix<'_>, b: Matrix<'_>, out: MatrixMut<'_>, mode: Mode) {
    let (rows, columns, inner) = (a.shape.rows, b.shape.columns, a.shape.columns);
    assert_eq!(inner, b.shape.rows, "a's columns and b's rows differ");
    assert_eq!(
        (rows, columns),
        (out.shape.rows, out.shape.columns),
        "the product has another shape than out"
    );
    assert!(a.shape.fits(a.data.len()), "a reaches outside its slice");
    assert!(b.shape.fits(b.data.len()), "b reaches outside its slice");
    assert!(out.shape.fits(out.data.len()), "out reaches outside its slice");
    assert!(out.shape.row_step >= columns && out.shape.column_step == 1, "rows of out overlap");

    // SAFETY: `fits` was asserted for all three, so `start` is within each slice (or one past its end, when
    // there is no entry at all), and every entry that gemm reads or writes, (r, c) with r < rows and
    // c < columns, lies inside its slice. A slice is at most isize::MAX bytes long, so every step of a matrix
    // with more than one row or column fits an isize; a step that is never taken does no harm. `out` is
    // borrowed mutably, so it overlaps neither `a` nor `b`, and its rows were asserted not to overlap each
    // other. All numbers are initialised f32, also in `out`, which gemm reads only in `Mode::Add`.
    unsafe {
        gemm(
            rows,
            columns,
            inner,
            out.data.as_mut_ptr().add(out.shape.start),
            out.shape.column_step as isize,
            out.shape.row_step as isize,
            mode == Mode::Add,
            a.data.as_ptr().add(a.shape.start),
            a.shape.column_step as isize,
            a.shape.row_step as isize,
            b.data.as_ptr().add(b.shape.start),
            b.shape.column_step as isize,
            b.shape.row_step as isize,
            1.0_f32, // times what is in `out`
            1.0_f32, // times the product
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}
