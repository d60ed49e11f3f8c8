//! What `gapbench-cuda` has no form for: a product with a transposed factor, host memory that is filled again and again,
//! and graphs. Unsafe code of the CUDA engine is only here.

#![allow(unsafe_code, reason = "calls into the driver and cuBLAS by address")]

use std::ffi::c_void;
use std::fmt;

use gapbench_cuda::cudarc::cublas::{result::gemm_ex, sys as blas_sys};
use gapbench_cuda::cudarc::driver::{CudaGraph, DeviceRepr, PinnedHostSlice, ValidAsZeroBits, result, sys};
use gapbench_cuda::{Blas, Cuda, Element as Stored, Event, Stream, View};

use super::kernels::Element;
use crate::Error;

fn failed(what: &str, error: impl fmt::Display) -> Error {
    Error::Device(format!("{what}: {error}"))
}

/// `y = x * weightᵗ`, all stored row by row: x is `m` by `k`, the weight `n` by `k` as a linear layer has it. `y` is of
/// the same type, or f32 if `wide`. The addresses are of buffers with at least these sizes.
pub(super) fn gemm(
    blas: &Blas,
    element: Element,
    (m, n, k): (usize, usize, usize),
    [x, weight, y]: [u64; 3],
    wide: bool,
) -> Result<(), Error> {
    let number =
        |size: usize| i32::try_from(size).map_err(|_| failed("cublasGemmEx", format!("no size of {size}")));
    let (m, n, k) = (number(m)?, number(n)?, number(k)?);
    let of = |element| match element {
        Element::F32 => blas_sys::cudaDataType_t::CUDA_R_32F,
        Element::F16 => blas_sys::cudaDataType_t::CUDA_R_16F,
        Element::Bf16 => blas_sys::cudaDataType_t::CUDA_R_16BF,
    };
    let (input, output) = (of(element), of(if wide { Element::F32 } else { element }));
    let (one, zero) = (1.0_f32, 0.0_f32);
    let pointer = |address: u64| std::ptr::without_provenance_mut::<c_void>(address as usize);
    // cuBLAS takes matrices column by column: what it computes is yᵗ = weight * xᵗ.
    // SAFETY: the caller says that the buffers have these sizes, and the factors are of the type of the computation.
    let answer = unsafe {
        gemm_ex(
            *blas.raw().handle(),
            blas_sys::cublasOperation_t::CUBLAS_OP_T,
            blas_sys::cublasOperation_t::CUBLAS_OP_N,
            n,
            m,
            k,
            (&raw const one).cast(),
            pointer(weight),
            input,
            k,
            pointer(x),
            input,
            k,
            (&raw const zero).cast(),
            pointer(y),
            output,
            n,
            blas_sys::cublasComputeType_t::CUBLAS_COMPUTE_32F,
            blas_sys::cublasGemmAlgo_t::CUBLAS_GEMM_DEFAULT,
        )
    };
    answer.map_err(|error| failed("cublasGemmEx", error))
}

/// Page-locked memory of the host through which values go to and from the device, again and again.
pub(super) struct Staging<T> {
    host: Option<PinnedHostSlice<T>>,
    stream: Stream,
    /// The end of the last copy.
    copied: Event,
}

impl<T: Stored + DeviceRepr + ValidAsZeroBits> Staging<T> {
    /// Room for `len` values; the copies are work of the stream.
    pub(super) fn new(cuda: &Cuda, stream: &Stream, len: usize) -> Result<Self, Error> {
        let copied = stream.record()?;
        // SAFETY: nothing is read from it that was not written; every pattern of bits is a value.
        let host = unsafe { cuda.context().alloc_pinned_with_flags::<T>(len.max(1), 0) };
        let host = Some(host.map_err(|error| failed("cuMemHostAlloc", error))?);
        Ok(Self { host, stream: stream.clone(), copied })
    }

    /// Waits for the last copy and gives the values to read or to fill.
    pub(super) fn values(&mut self) -> Result<&mut [T], Error> {
        self.copied.synchronize()?;
        let Some(host) = &mut self.host else { return Ok(&mut []) };
        host.as_mut_slice().map_err(|error| failed("use page-locked memory", error))
    }

    /// Adds a copy of the first values into all of `to` to the stream's work.
    pub(super) fn send(&mut self, to: &View<T>) -> Result<(), Error> {
        let (stream, address, len) = (self.stream.clone(), to.ptr(), to.len());
        let source =
            self.values()?.get(..len).ok_or_else(|| failed("copy to the device", "too many values"))?;
        to.used_on(&stream);
        // SAFETY: both have as many values, and neither is freed or written before `copied`.
        unsafe { result::memcpy_htod_async(address, source, stream.raw().cu_stream()) }
            .map_err(|error| failed("cuMemcpyHtoDAsync", error))?;
        Ok(stream.record_into(&self.copied)?)
    }

    /// Adds a copy of all of `from` to the stream's work; [`Staging::values`] has them at its beginning afterwards.
    pub(super) fn receive(&mut self, from: &View<T>) -> Result<(), Error> {
        let (stream, address, len) = (self.stream.clone(), from.ptr(), from.len());
        let target =
            self.values()?.get_mut(..len).ok_or_else(|| failed("copy from the device", "too many values"))?;
        from.used_on(&stream);
        // SAFETY: both have as many values, and the target is not read before `copied`.
        unsafe { result::memcpy_dtoh_async(target, address, stream.raw().cu_stream()) }
            .map_err(|error| failed("cuMemcpyDtoHAsync", error))?;
        Ok(stream.record_into(&self.copied)?)
    }
}

impl<T> Drop for Staging<T> {
    fn drop(&mut self) {
        // Freeing waits for the device without a deadline: where it does not come to an end, the memory stays.
        if self.stream.synchronize().is_err() {
            std::mem::forget(self.host.take());
        }
    }
}

/// Work of a stream that was recorded and is launched as a whole.
pub(super) struct Graph(CudaGraph);

// SAFETY: the driver's graphs belong to no thread; they must not be used by two at once, which `&mut` excludes.
unsafe impl Send for Graph {}

impl Graph {
    /// Records what `launch` gives to the stream, instead of doing it.
    pub(super) fn capture(
        stream: &Stream,
        launch: impl FnOnce() -> Result<(), Error>,
    ) -> Result<Self, Error> {
        let raw = stream.raw();
        raw.begin_capture(sys::CUstreamCaptureMode::CU_STREAM_CAPTURE_MODE_THREAD_LOCAL)
            .map_err(|error| failed("cuStreamBeginCapture", error))?;
        let launched = launch();
        // In any case: otherwise the stream would go on recording.
        let ended = raw.end_capture(sys::CUgraphInstantiate_flags(0));
        launched?;
        match ended {
            Ok(Some(graph)) => Ok(Self(graph)),
            Ok(None) => Err(failed("cuStreamEndCapture", "no graph came of it")),
            Err(error) => Err(failed("cuStreamEndCapture or cuGraphInstantiate", error)),
        }
    }

    /// Adds the recorded work to the stream's.
    pub(super) fn launch(&mut self) -> Result<(), Error> {
        self.0.launch().map_err(|error| failed("cuGraphLaunch", error))
    }
}
