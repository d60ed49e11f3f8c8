//! The C interface: thin functions under the names of cuBLAS.

use std::ffi::{CStr, c_int, c_longlong, c_void};

use crate::driver::driver;
use crate::handle::{self, Handle};
use crate::matrix::{Element, Matrix};
use crate::product::{Product, Scalar};

/// `cublasStatus_t`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    NotInitialized = 1,
    InvalidValue = 7,
    ExecutionFailed = 13,
    InternalError = 14,
    NotSupported = 15,
}

type Outcome = Result<(), Status>;

/// Runs a body unless the script lets the call fail.
fn enter(name: &CStr, body: impl FnOnce() -> Outcome) -> u32 {
    let Some(driver) = driver() else { return Status::NotInitialized as u32 };
    match driver.enter(name) {
        0 => {}
        status => return status,
    }
    // A panic must not reach the caller's frames.
    match std::panic::catch_unwind(std::panic::AssertUnwindSafe(body)) {
        Ok(Ok(())) => 0,
        Ok(Err(status)) => status as u32,
        Err(_) => Status::InternalError as u32,
    }
}

macro_rules! api {
    ($(fn $name:ident($($argument:ident: $type:ty),* $(,)?) |$label:pat_param| $body:block)*) => {
        $(
            #[unsafe(no_mangle)]
            #[allow(non_snake_case, reason = "the names are those of cuBLAS")]
            unsafe extern "C" fn $name($($argument: $type),*) -> u32 {
                const NAME: &CStr = match CStr::from_bytes_with_nul(concat!(stringify!($name), "\0").as_bytes()) {
                    Ok(name) => name,
                    Err(_) => c"",
                };
                enter(NAME, || {
                    let $label = NAME;
                    // SAFETY: pointers are what the description of cuBLAS says they are.
                    #[allow(unused_unsafe, reason = "some bodies touch no pointer")]
                    unsafe { $body }
                })
            }
        )*
    };
}

unsafe fn answer<T>(target: *mut T, value: T) -> Outcome {
    if target.is_null() {
        return Err(Status::InvalidValue);
    }
    // SAFETY: the entry point's pointer.
    unsafe { target.write_unaligned(value) };
    Ok(())
}

/// A factor of a product: read now if it lies on the host.
unsafe fn scalar(handle: &Handle, pointer: *const c_void, element: Element) -> Result<Scalar, Status> {
    if pointer.is_null() {
        return Err(Status::InvalidValue);
    }
    let address = pointer as u64;
    if handle.pointer_mode == 1 {
        return Ok(Scalar::OnDevice { address, element });
    }
    // SAFETY: the entry point's pointer.
    Ok(Scalar::Value(unsafe { element.read(address) }))
}

/// `cublasOperation_t`: the numbers are real, so a conjugate transpose is a transpose.
fn transposed(operation: u32) -> Result<bool, Status> {
    match operation {
        0 => Ok(false),
        1 | 2 => Ok(true),
        _ => Err(Status::InvalidValue),
    }
}

fn size(number: c_int) -> Result<u64, Status> {
    u64::try_from(number).map_err(|_| Status::InvalidValue)
}

/// An operand as the program describes it.
struct Operand {
    address: u64,
    element: Element,
    leading: c_int,
    stride: c_longlong,
}

impl Operand {
    /// The matrix as it is stored, of which a product uses `rows` by `columns`, transposed or not.
    fn matrix(&self, (rows, columns): (u64, u64), transposed: bool) -> Result<Matrix, Status> {
        let (rows, columns) = if transposed { (columns, rows) } else { (rows, columns) };
        let leading = size(self.leading)?;
        if leading < rows.max(1) {
            return Err(Status::InvalidValue);
        }
        Ok(Matrix {
            address: self.address,
            element: self.element,
            rows,
            columns,
            leading,
            stride: self.stride,
        })
    }
}

/// Whether a computation is one in `f64`, and the type of its factors.
fn computation(number: u32) -> Result<(bool, Element), Status> {
    match number {
        64 | 65 => Ok((false, Element::F16)),
        68 | 69 | 74 | 75 | 77 => Ok((false, Element::F32)),
        70 | 71 => Ok((true, Element::F64)),
        _ => Err(Status::NotSupported),
    }
}

/// What all the products are called with.
struct Call {
    name: &'static CStr,
    handle: u64,
    operations: [u32; 2],
    sizes: [c_int; 3],
    factors: [*const c_void; 2],
    operands: [Operand; 3],
    compute: u32,
    batch: c_int,
}

unsafe fn multiply(call: Call) -> Outcome {
    let handle = handle::get(call.handle)?;
    let (double, factor) = computation(call.compute)?;
    let [a_transposed, b_transposed] = [transposed(call.operations[0])?, transposed(call.operations[1])?];
    let [m, n, k] = [size(call.sizes[0])?, size(call.sizes[1])?, size(call.sizes[2])?];
    let [a, b, c] = &call.operands;
    // SAFETY: the entry point's pointers.
    let (alpha, beta) =
        unsafe { (scalar(&handle, call.factors[0], factor)?, scalar(&handle, call.factors[1], factor)?) };
    let product = Product {
        alpha,
        a: a.matrix((m, k), a_transposed)?,
        a_transposed,
        b: b.matrix((k, n), b_transposed)?,
        b_transposed,
        beta,
        c: c.matrix((m, n), false)?,
        batch: size(call.batch)?,
        double,
    };
    let driver = driver().ok_or(Status::NotInitialized)?;
    match driver.enqueue(handle.stream, call.name, product.duration(), product) {
        0 => Ok(()),
        _ => Err(Status::ExecutionFailed),
    }
}

/// A matrix times a vector, whose elements may lie apart. A vector is one row of a matrix with that distance between
/// the columns: y' = alpha · x' · op(A)' + beta · y'.
unsafe fn multiply_vector(
    name: &'static CStr,
    handle: u64,
    op_a: u32,
    (m, n): (c_int, c_int),
    factors: [*const c_void; 2],
    operands: [Operand; 3],
    compute: u32,
) -> Outcome {
    if operands[0].leading < 0 || operands[2].leading < 0 {
        return Err(Status::NotSupported);
    }
    let is_transposed = transposed(op_a)?;
    let (outputs, inputs) = if is_transposed { (n, m) } else { (m, n) };
    let operations = [0, u32::from(!is_transposed)];
    let sizes = [1, outputs, inputs];
    // SAFETY: the entry point's pointers.
    unsafe { multiply(Call { name, handle, operations, sizes, factors, operands, compute, batch: 1 }) }
}

fn operand<T>(address: *const T, element: Element, leading: c_int, stride: c_longlong) -> Operand {
    Operand { address: address as u64, element, leading, stride }
}

api! {
    fn cublasCreate_v2(created: *mut u64) |_| {
        if !driver().is_some_and(|driver| driver.has_context()) {
            return Err(Status::NotInitialized);
        }
        answer(created, handle::create())
    }

    fn cublasDestroy_v2(handle: u64) |_| { handle::destroy(handle) }

    fn cublasGetVersion_v2(handle: u64, version: *mut c_int) |_| {
        handle::get(handle)?;
        answer(version, 130_000)
    }

    fn cublasSetStream_v2(handle: u64, stream: u64) |_| { handle::set(handle, |handle| handle.stream = stream) }

    fn cublasGetStream_v2(handle: u64, stream: *mut u64) |_| { answer(stream, handle::get(handle)?.stream) }

    fn cublasSetMathMode(handle: u64, mode: u32) |_| { handle::set(handle, |handle| handle.math_mode = mode) }

    fn cublasGetMathMode(handle: u64, mode: *mut u32) |_| { answer(mode, handle::get(handle)?.math_mode) }

    fn cublasSetPointerMode_v2(handle: u64, mode: u32) |_| {
        if mode > 1 {
            return Err(Status::InvalidValue);
        }
        handle::set(handle, |handle| handle.pointer_mode = mode)
    }

    fn cublasGetPointerMode_v2(handle: u64, mode: *mut u32) |_| { answer(mode, handle::get(handle)?.pointer_mode) }

    // No product here needs a workspace; one that the program gives stays untouched.
    fn cublasSetWorkspace_v2(handle: u64, _workspace: u64, _bytes: usize) |_| { handle::get(handle).map(|_| ()) }

    fn cublasSgemm_v2(handle: u64, op_a: u32, op_b: u32, m: c_int, n: c_int, k: c_int, alpha: *const c_void,
        a: *const c_void, lda: c_int, b: *const c_void, ldb: c_int, beta: *const c_void, c: *mut c_void,
        ldc: c_int) |name| {
        let f32 = Element::F32;
        let operands = [operand(a, f32, lda, 0), operand(b, f32, ldb, 0), operand(c, f32, ldc, 0)];
        let (operations, sizes, factors) = ([op_a, op_b], [m, n, k], [alpha, beta]);
        multiply(Call { name, handle, operations, sizes, factors, operands, compute: 68, batch: 1 })
    }

    fn cublasDgemm_v2(handle: u64, op_a: u32, op_b: u32, m: c_int, n: c_int, k: c_int, alpha: *const c_void,
        a: *const c_void, lda: c_int, b: *const c_void, ldb: c_int, beta: *const c_void, c: *mut c_void,
        ldc: c_int) |name| {
        let f64 = Element::F64;
        let operands = [operand(a, f64, lda, 0), operand(b, f64, ldb, 0), operand(c, f64, ldc, 0)];
        let (operations, sizes, factors) = ([op_a, op_b], [m, n, k], [alpha, beta]);
        multiply(Call { name, handle, operations, sizes, factors, operands, compute: 70, batch: 1 })
    }

    fn cublasHgemm(handle: u64, op_a: u32, op_b: u32, m: c_int, n: c_int, k: c_int, alpha: *const c_void,
        a: *const c_void, lda: c_int, b: *const c_void, ldb: c_int, beta: *const c_void, c: *mut c_void,
        ldc: c_int) |name| {
        let f16 = Element::F16;
        let operands = [operand(a, f16, lda, 0), operand(b, f16, ldb, 0), operand(c, f16, ldc, 0)];
        let (operations, sizes, factors) = ([op_a, op_b], [m, n, k], [alpha, beta]);
        multiply(Call { name, handle, operations, sizes, factors, operands, compute: 64, batch: 1 })
    }

    fn cublasGemmEx(handle: u64, op_a: u32, op_b: u32, m: c_int, n: c_int, k: c_int, alpha: *const c_void,
        a: *const c_void, a_type: u32, lda: c_int, b: *const c_void, b_type: u32, ldb: c_int, beta: *const c_void,
        c: *mut c_void, c_type: u32, ldc: c_int, compute: u32, _algorithm: c_int) |name| {
        let operands = [
            operand(a, Element::from_number(a_type)?, lda, 0),
            operand(b, Element::from_number(b_type)?, ldb, 0),
            operand(c, Element::from_number(c_type)?, ldc, 0),
        ];
        let (operations, sizes, factors) = ([op_a, op_b], [m, n, k], [alpha, beta]);
        multiply(Call { name, handle, operations, sizes, factors, operands, compute, batch: 1 })
    }

    fn cublasGemmStridedBatchedEx(handle: u64, op_a: u32, op_b: u32, m: c_int, n: c_int, k: c_int,
        alpha: *const c_void, a: *const c_void, a_type: u32, lda: c_int, stride_a: c_longlong, b: *const c_void,
        b_type: u32, ldb: c_int, stride_b: c_longlong, beta: *const c_void, c: *mut c_void, c_type: u32, ldc: c_int,
        stride_c: c_longlong, batch: c_int, compute: u32, _algorithm: c_int) |name| {
        let operands = [
            operand(a, Element::from_number(a_type)?, lda, stride_a),
            operand(b, Element::from_number(b_type)?, ldb, stride_b),
            operand(c, Element::from_number(c_type)?, ldc, stride_c),
        ];
        let (operations, sizes, factors) = ([op_a, op_b], [m, n, k], [alpha, beta]);
        multiply(Call { name, handle, operations, sizes, factors, operands, compute, batch })
    }

    fn cublasSgemmStridedBatched(handle: u64, op_a: u32, op_b: u32, m: c_int, n: c_int, k: c_int,
        alpha: *const c_void, a: *const c_void, lda: c_int, stride_a: c_longlong, b: *const c_void, ldb: c_int,
        stride_b: c_longlong, beta: *const c_void, c: *mut c_void, ldc: c_int, stride_c: c_longlong,
        batch: c_int) |name| {
        let f32 = Element::F32;
        let operands =
            [operand(a, f32, lda, stride_a), operand(b, f32, ldb, stride_b), operand(c, f32, ldc, stride_c)];
        let (operations, sizes, factors) = ([op_a, op_b], [m, n, k], [alpha, beta]);
        multiply(Call { name, handle, operations, sizes, factors, operands, compute: 68, batch })
    }

    fn cublasDgemmStridedBatched(handle: u64, op_a: u32, op_b: u32, m: c_int, n: c_int, k: c_int,
        alpha: *const c_void, a: *const c_void, lda: c_int, stride_a: c_longlong, b: *const c_void, ldb: c_int,
        stride_b: c_longlong, beta: *const c_void, c: *mut c_void, ldc: c_int, stride_c: c_longlong,
        batch: c_int) |name| {
        let f64 = Element::F64;
        let operands =
            [operand(a, f64, lda, stride_a), operand(b, f64, ldb, stride_b), operand(c, f64, ldc, stride_c)];
        let (operations, sizes, factors) = ([op_a, op_b], [m, n, k], [alpha, beta]);
        multiply(Call { name, handle, operations, sizes, factors, operands, compute: 70, batch })
    }

    fn cublasSgemv_v2(handle: u64, op_a: u32, m: c_int, n: c_int, alpha: *const c_void, a: *const c_void, lda: c_int,
        x: *const c_void, incx: c_int, beta: *const c_void, y: *mut c_void, incy: c_int) |name| {
        let f32 = Element::F32;
        let operands = [operand(x, f32, incx, 0), operand(a, f32, lda, 0), operand(y, f32, incy, 0)];
        multiply_vector(name, handle, op_a, (m, n), [alpha, beta], operands, 68)
    }

    fn cublasDgemv_v2(handle: u64, op_a: u32, m: c_int, n: c_int, alpha: *const c_void, a: *const c_void, lda: c_int,
        x: *const c_void, incx: c_int, beta: *const c_void, y: *mut c_void, incy: c_int) |name| {
        let f64 = Element::F64;
        let operands = [operand(x, f64, incx, 0), operand(a, f64, lda, 0), operand(y, f64, incy, 0)];
        multiply_vector(name, handle, op_a, (m, n), [alpha, beta], operands, 70)
    }

    // Their arguments are left where the caller put them: a clear answer is better than a missing symbol.
    fn cublasSasum_v2() |_| { Err(Status::NotSupported) }

    fn cublasDasum_v2() |_| { Err(Status::NotSupported) }

    fn cublasGemmGroupedBatchedEx() |_| { Err(Status::NotSupported) }
}
