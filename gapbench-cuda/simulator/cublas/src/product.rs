//! C = alpha · op(A) · op(B) + beta · C, when a stream reaches it.

use std::ops::{Add, Mul};

use crate::driver::{Work, driver};
use crate::matrix::{Element, Matrix};

/// `CUDA_ERROR_ILLEGAL_ADDRESS`
const ILLEGAL_ADDRESS: u32 = 700;

/// A factor, whose value may lie on the device until the product begins.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Scalar {
    Value(f64),
    OnDevice { address: u64, element: Element },
}

impl Scalar {
    fn value(self) -> Result<f64, u32> {
        match self {
            Scalar::Value(value) => Ok(value),
            Scalar::OnDevice { address, element } => {
                check("a factor", address, element.bytes())?;
                // SAFETY: checked.
                Ok(unsafe { element.read(address) })
            }
        }
    }
}

/// A matrix product, or a batch of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Product {
    pub(crate) alpha: Scalar,
    pub(crate) a: Matrix,
    pub(crate) a_transposed: bool,
    pub(crate) b: Matrix,
    pub(crate) b_transposed: bool,
    pub(crate) beta: Scalar,
    pub(crate) c: Matrix,
    pub(crate) batch: u64,
    /// Computed in `f64`; everything else is computed in `f32`.
    pub(crate) double: bool,
}

impl Product {
    fn inner(&self) -> u64 {
        if self.a_transposed { self.a.rows } else { self.a.columns }
    }

    /// Nanoseconds from the launch to the first instruction, and from there to the end: operations at the data sheet's
    /// rate for the type, plus bytes at the memory's.
    pub(crate) fn duration(&self) -> (u64, u64) {
        const LAUNCH_NS: u64 = 2_000;
        const HBM_BYTES_PER_NS: f64 = 4_800.0;
        let operations_per_ns = match self.a.element {
            Element::F16 | Element::Bf16 => 989_000.0,
            Element::F32 | Element::F64 => 67_000.0,
        };
        let elements = |matrix: &Matrix| (matrix.rows * matrix.columns * matrix.element.bytes()) as f64;
        let operations = 2.0 * (self.c.rows * self.c.columns * self.inner()) as f64;
        let bytes = elements(&self.a) + elements(&self.b) + elements(&self.c);
        let one = operations / operations_per_ns + bytes / HBM_BYTES_PER_NS;
        (LAUNCH_NS, (one * self.batch as f64).ceil() as u64)
    }

    fn compute<R: Real>(&self, index: u64, alpha: f64, beta: f64) -> Result<(), u32> {
        let [a, b, c] = [&self.a, &self.b, &self.c].map(|matrix| matrix.in_batch(index));
        let inner = self.inner();
        let reads_factors = alpha != 0.0 && inner > 0;
        if reads_factors {
            check("A", a.address, a.extent())?;
            check("B", b.address, b.extent())?;
        }
        check("C", c.address, c.extent())?;
        let a = if reads_factors { load::<R>(&a, self.a_transposed) } else { Vec::new() };
        let b = if reads_factors { load::<R>(&b, self.b_transposed) } else { Vec::new() };
        let (rows, inner) = (c.rows as usize, inner as usize);
        let mut sums = vec![R::default(); rows];
        for column in 0..c.columns as usize {
            sums.fill(R::default());
            if reads_factors {
                for (term, &factor) in b[column * inner..(column + 1) * inner].iter().enumerate() {
                    let a = &a[term * rows..(term + 1) * rows];
                    sums.iter_mut().zip(a).for_each(|(sum, &a)| *sum = *sum + a * factor);
                }
            }
            for (row, &sum) in sums.iter().enumerate() {
                let at = c.at(row as u64, column as u64);
                let product = R::from_f64(alpha) * sum;
                // With a beta of 0 what C held before counts for nothing, even if it is no number.
                // SAFETY: all of C was checked.
                unsafe {
                    let old = if beta == 0.0 {
                        R::default()
                    } else {
                        R::from_f64(beta) * R::from_f64(c.element.read(at))
                    };
                    c.element.write(at, (product + old).to_f64());
                }
            }
        }
        Ok(())
    }
}

impl Work for Product {
    fn run(&self) -> Result<(), u32> {
        let (alpha, beta) = (self.alpha.value()?, self.beta.value()?);
        (0..self.batch).try_for_each(|index| {
            if self.double {
                self.compute::<f64>(index, alpha, beta)
            } else {
                self.compute::<f32>(index, alpha, beta)
            }
        })
    }
}

/// The precision of a computation.
trait Real: Copy + Default + Add<Output = Self> + Mul<Output = Self> {
    fn from_f64(value: f64) -> Self;
    fn to_f64(self) -> f64;
}

impl Real for f32 {
    fn from_f64(value: f64) -> f32 {
        value as f32
    }

    fn to_f64(self) -> f64 {
        f64::from(self)
    }
}

impl Real for f64 {
    fn from_f64(value: f64) -> f64 {
        value
    }

    fn to_f64(self) -> f64 {
        self
    }
}

/// Reads a matrix that was checked, transposed or not, column by column without gaps.
fn load<R: Real>(matrix: &Matrix, transposed: bool) -> Vec<R> {
    let (rows, columns) =
        if transposed { (matrix.columns, matrix.rows) } else { (matrix.rows, matrix.columns) };
    let mut elements = Vec::with_capacity((rows * columns) as usize);
    for column in 0..columns {
        for row in 0..rows {
            let at = if transposed { matrix.at(column, row) } else { matrix.at(row, column) };
            // SAFETY: the extent of the matrix was checked.
            elements.push(R::from_f64(unsafe { matrix.element.read(at) }));
        }
    }
    elements
}

fn check(what: &str, address: u64, bytes: u64) -> Result<(), u32> {
    if bytes == 0 || driver().is_some_and(|driver| driver.covers(address, bytes)) {
        return Ok(());
    }
    eprintln!(
        "cublas-simulator: {what} would be {bytes} bytes at {address:#x}, outside every live allocation"
    );
    Err(ILLEGAL_ADDRESS)
}
