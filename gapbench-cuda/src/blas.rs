//! cuBLAS on a stream.

use std::ffi::{c_int, c_void};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use cudarc::cublas::CudaBlas;
use half::{bf16, f16};
use libloading::os::unix::Library;

use crate::buffer::{Buffer, View};
use crate::element::Element;
use crate::error::CudaError;
use crate::find::environment;
use crate::libraries::{self, NotOpened, Opened};
use crate::stream::Stream;

/// Needed by cuBLAS, which does not always find it by itself.
const LIGHT: &[&str] = &["libcublasLt.so.13", "libcublasLt.so.12"];
const BLAS: &[&str] = &["libcublas.so.13", "libcublas.so.12"];

/// What cudarc's `CudaBlas` calls when it is made and dropped; it panics where one is not there.
const OF_CUDARC: &[&str] = &["cublasCreate_v2", "cublasDestroy_v2", "cublasSetStream_v2"];

/// `cublasGemmEx`: handle, two operations, m, n, k, alpha, A and B each with type and leading dimension, beta, C, type of
/// computation, algorithm.
type GemmEx = unsafe extern "C" fn(
    *mut c_void,
    c_int,
    c_int,
    c_int,
    c_int,
    c_int,
    *const c_void,
    *const c_void,
    c_int,
    c_int,
    *const c_void,
    c_int,
    c_int,
    *const c_void,
    *mut c_void,
    c_int,
    c_int,
    c_int,
    c_int,
) -> c_int;

#[derive(Clone, Copy)]
struct Symbols {
    gemm: GemmEx,
}

/// cuBLAS stays open for good once it was found.
static FOUND: Mutex<Option<Symbols>> = Mutex::new(None);

/// cuBLAS with a handle that is bound to a stream. A clone is the same handle.
#[derive(Clone)]
pub struct Blas {
    raw: Arc<CudaBlas>,
    stream: Stream,
    symbols: Symbols,
}

impl fmt::Debug for Blas {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Blas").field("stream", &self.stream).finish_non_exhaustive()
    }
}

impl Drop for Blas {
    fn drop(&mut self) {
        if self.stream.core().is_hung() {
            // Destroying the handle would wait for the kernel that never ends.
            std::mem::forget(Arc::clone(&self.raw));
        }
    }
}

/// A type of which cuBLAS multiplies matrices. The sums of `f16` and `bf16` are kept in `f32`.
pub trait Gemm: Element + sealed::Types {}

mod sealed {
    use std::ffi::c_int;

    /// The numbers by which cuBLAS knows the types.
    pub trait Types {
        /// `cudaDataType_t` of the matrices.
        const DATA: c_int;
        /// `cublasComputeType_t`.
        const COMPUTE: c_int;
    }
}

// CUDA_R_32F, R_64F, R_16F and R_16BF; CUBLAS_COMPUTE_32F and 64F.
macro_rules! types {
    ($($type:ty: $data:literal, $compute:literal;)*) => {
        $(
            impl sealed::Types for $type {
                const DATA: c_int = $data;
                const COMPUTE: c_int = $compute;
            }
            impl Gemm for $type {}
        )*
    };
}

types! {
    f32: 0, 68;
    f64: 1, 70;
    f16: 2, 68;
    bf16: 14, 68;
}

/// What a product of `T` may be stored as: `T`, or `f32` for the small types, whose sums are `f32` anyway.
pub trait GemmInto<T: Gemm>: Gemm {}

impl<T: Gemm> GemmInto<T> for T {}
impl GemmInto<f16> for f32 {}
impl GemmInto<bf16> for f32 {}

/// How a factor lies in memory, by the numbers of `cublasOperation_t`.
#[derive(Clone, Copy)]
enum Stored {
    AsItIs = 0,
    Transposed = 1,
}

/// A matrix of cuBLAS, which takes them column by column.
struct Columns {
    address: u64,
    data: c_int,
    leading: c_int,
    stored: Stored,
}

/// CUBLAS_COMPUTE_64F, whose factors are `f64` too.
const DOUBLE: c_int = 70;
/// CUBLAS_GEMM_DEFAULT
const DEFAULT_ALGORITHM: c_int = -1;

impl Blas {
    pub(crate) fn new(stream: &Stream) -> Result<Blas, CudaError> {
        let symbols = find()?;
        stream.core().bind()?;
        let raw = CudaBlas::new(Arc::clone(stream.raw())).map_err(|error| {
            let code = error.0 as i32;
            status_error("cublasCreate", code)
        })?;
        Ok(Blas { raw: Arc::new(raw), stream: stream.clone(), symbols })
    }

    /// cudarc's form of the handle.
    pub fn raw(&self) -> &Arc<CudaBlas> {
        &self.raw
    }

    /// The stream whose work the products are.
    pub fn stream(&self) -> &Stream {
        &self.stream
    }

    /// `c = alpha * a * b + beta * c` of matrices that are stored row by row: `a` has `m` rows and `k` columns, `b` has `k`
    /// rows and `n` columns. It does not wait for the product.
    ///
    /// # Errors
    /// [`CudaError::Length`] if a buffer has not the size of its matrix; cuBLAS's refusal.
    #[allow(clippy::too_many_arguments, reason = "the arguments of a product, in the usual order")]
    pub fn gemm<T: Gemm>(
        &self,
        m: usize,
        n: usize,
        k: usize,
        alpha: f64,
        a: &Buffer<T>,
        b: &Buffer<T>,
        beta: f64,
        c: &mut Buffer<T>,
    ) -> Result<(), CudaError> {
        check([("a", a.len(), m, k), ("b", b.len(), k, n), ("c", c.len(), m, n)])?;
        let (m, n, k) = (size(m)?, size(n)?, size(k)?);
        for buffer in [a, b, &*c] {
            buffer.used_on(&self.stream);
        }
        // What is stored row by row is the transpose of what is stored column by column, as cuBLAS takes it; and the
        // transpose of a product is that of the factors in the other order.
        let matrix = |buffer: &Buffer<T>, leading| Columns {
            address: buffer.ptr(),
            data: T::DATA,
            leading,
            stored: Stored::AsItIs,
        };
        self.multiply(T::COMPUTE, (n, m, k), [alpha, beta], [matrix(b, n), matrix(a, k.max(1)), matrix(c, n)])
    }

    /// `y = x * weightᵗ` of matrices that are stored row by row: `x` has `m` rows, `weight` has `n` rows, both have `k`
    /// columns, as a linear layer has them, and `y` has `m` rows and `n` columns. `y` may be `f32` where the factors are
    /// smaller. It does not wait for the product. A [`View::cast`] makes a view of bytes one of numbers.
    ///
    /// # Errors
    /// [`CudaError::Length`] if a view has not the size of its matrix, or `y` shares memory with a factor; cuBLAS's
    /// refusal.
    pub fn gemm_transposed<T: Gemm, C: GemmInto<T>>(
        &self,
        (m, n, k): (usize, usize, usize),
        x: &View<T>,
        weight: &View<T>,
        y: &View<C>,
    ) -> Result<(), CudaError> {
        let sizes = [("x", x.len(), m, k), ("weight", weight.len(), n, k), ("y", y.len(), m, n)];
        check(sizes)?;
        for (name, factor) in [("x", x), ("weight", weight)] {
            if y.overlaps(factor) {
                let what = format!("y shares memory with {name}, and a product has to have its own");
                return Err(CudaError::Length { what });
            }
            factor.used_on(&self.stream);
        }
        y.used_on(&self.stream);
        let (m, n, k) = (size(m)?, size(n)?, size(k)?);
        // Column by column, what is computed is yᵗ = weight * xᵗ.
        let matrix = |address, data, leading, stored| Columns { address, data, leading, stored };
        self.multiply(
            T::COMPUTE,
            (n, m, k),
            [1.0, 0.0],
            [
                matrix(weight.ptr(), T::DATA, k.max(1), Stored::Transposed),
                matrix(x.ptr(), T::DATA, k.max(1), Stored::AsItIs),
                matrix(y.ptr(), C::DATA, n, Stored::AsItIs),
            ],
        )
    }

    /// `c = alpha * a * b + beta * c`, column by column: `a` has `m` rows, `c` has `n` columns, and `k` are summed.
    fn multiply(
        &self,
        compute: c_int,
        (m, n, k): (c_int, c_int, c_int),
        factors: [f64; 2],
        [a, b, c]: [Columns; 3],
    ) -> Result<(), CudaError> {
        if m == 0 || n == 0 {
            return Ok(());
        }
        self.stream.core().bind()?;
        let (single, double) = (factors.map(|factor| factor as f32), factors);
        let [alpha, beta]: [*const c_void; 2] = if compute == DOUBLE {
            double.each_ref().map(|factor| std::ptr::from_ref(factor).cast())
        } else {
            single.each_ref().map(|factor| std::ptr::from_ref(factor).cast())
        };
        let pointer = |address: u64| std::ptr::without_provenance_mut::<c_void>(address as usize);
        // SAFETY: the matrices have the sizes that are said, and the factors have the type of the computation.
        let status = unsafe {
            (self.symbols.gemm)(
                (*self.raw.handle()).cast(),
                a.stored as c_int,
                b.stored as c_int,
                m,
                n,
                k,
                alpha,
                pointer(a.address),
                a.data,
                a.leading,
                pointer(b.address),
                b.data,
                b.leading,
                beta,
                pointer(c.address),
                c.data,
                c.leading,
                compute,
                DEFAULT_ALGORITHM,
            )
        };
        if status == 0 { Ok(()) } else { Err(status_error("cublasGemmEx", status)) }
    }
}

/// Compares the elements of each matrix with its rows and columns.
fn check(matrices: [(&str, usize, usize, usize); 3]) -> Result<(), CudaError> {
    for (name, len, rows, columns) in matrices {
        if rows.checked_mul(columns) != Some(len) {
            let what = format!("{name} has {len} elements, and a matrix of {rows}x{columns} is needed");
            return Err(CudaError::Length { what });
        }
    }
    Ok(())
}

fn size(size: usize) -> Result<c_int, CudaError> {
    c_int::try_from(size).map_err(|_| CudaError::Length { what: format!("cuBLAS takes no size of {size}") })
}

/// The codes of cuBLAS are others than the driver's.
fn status_error(call: &'static str, status: c_int) -> CudaError {
    let (name, hint) = match status {
        1 => ("CUBLAS_STATUS_NOT_INITIALIZED", "; the device may have no memory left for it"),
        3 => ("CUBLAS_STATUS_ALLOC_FAILED", "; the device has no memory left for it"),
        7 => ("CUBLAS_STATUS_INVALID_VALUE", ""),
        8 => ("CUBLAS_STATUS_ARCH_MISMATCH", ""),
        11 => ("CUBLAS_STATUS_MAPPING_ERROR", ""),
        13 => ("CUBLAS_STATUS_EXECUTION_FAILED", "; a kernel before it may have failed"),
        14 => ("CUBLAS_STATUS_INTERNAL_ERROR", ""),
        15 => ("CUBLAS_STATUS_NOT_SUPPORTED", ""),
        16 => ("CUBLAS_STATUS_LICENSE_ERROR", ""),
        _ => ("a code that gapbench-cuda does not know", ""),
    };
    let what = format!("{call} answered {name} ({status}){hint}");
    CudaError::Library { name: "cuBLAS", searched: String::new(), what }
}

fn find() -> Result<Symbols, CudaError> {
    let mut found = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(symbols) = *found {
        return Ok(symbols);
    }
    let folders = libraries::folders(&environment);
    // Where it is not found, cuBLAS says so when it is opened.
    if let Ok(Opened { library, .. }) = libraries::open(LIGHT, &folders) {
        libraries::keep(library);
    }
    let error = |what| CudaError::Library {
        name: "cuBLAS (libcublas.so.13 or .12)",
        searched: libraries::in_words(&folders, &environment),
        what,
    };
    let Opened { library, path } = libraries::open(BLAS, &folders).map_err(|problem| match problem {
        NotOpened::Missing => error(String::new()),
        NotOpened::Refused { path, what } => error(format!("the loader refuses {}: {what}", path.display())),
    })?;
    libraries::keep(library);
    // A handle is of one library: that which cudarc makes it with.
    let (library, name) = libraries::of_cudarc("cublas")
        .ok_or_else(|| error(format!("the loader does not find {} again by its name", path.display())))?;
    let symbols = load(libraries::keep(library), &name).map_err(error)?;
    Ok(*found.insert(symbols))
}

fn load(library: &'static Library, name: &str) -> Result<Symbols, String> {
    let lacks = |symbol: &str| format!("{name} lacks the function {symbol}");
    for &symbol in OF_CUDARC {
        // SAFETY: the symbol is only looked up.
        unsafe { library.get::<unsafe extern "C" fn()>(symbol) }.map_err(|_| lacks(symbol))?;
    }
    // SAFETY: cuBLAS's function has this type since version 11, in which the type of computation got its present form.
    let gemm = unsafe { library.get::<GemmEx>("cublasGemmEx") }.map_err(|_| lacks("cublasGemmEx"))?;
    Ok(Symbols { gemm: *gemm })
}
