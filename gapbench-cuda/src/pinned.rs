//! Memory of the host that the device reads without the driver's help.

use std::ffi::c_void;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::buffer::Buffer;
use crate::context::{Context, call};
use crate::cuda::Cuda;
use crate::element::Element;
use crate::error::CudaError;
use crate::stream::Stream;

/// Values in page-locked memory of the host: a copy to the device runs at the bus's speed and without waiting.
///
/// They do not change, so that a copy under way never sees half of a change.
#[derive(Debug)]
pub struct Pinned<T> {
    core: Arc<Context>,
    host: *mut c_void,
    len: usize,
    element: PhantomData<T>,
}

// SAFETY: the memory belongs to this value alone and is only read once it is made.
unsafe impl<T: Element> Send for Pinned<T> {}
// SAFETY: the same.
unsafe impl<T: Element> Sync for Pinned<T> {}

impl Cuda {
    /// The values in page-locked memory of the host.
    ///
    /// # Errors
    /// Where the host has no memory for it.
    pub fn pinned<T: Element>(&self, values: &[T]) -> Result<Pinned<T>, CudaError> {
        let core = self.core();
        core.bind()?;
        let bytes = size_of_val(values).max(1);
        let mut host = std::ptr::null_mut();
        // SAFETY: the pointer is to a value of the type that the driver fills in.
        unsafe { call!(core, "cuMemHostAlloc", allocate_host(&mut host, bytes, 0))? };
        let pinned = Pinned { core: Arc::clone(core), host, len: values.len(), element: PhantomData };
        // SAFETY: there is room for as many values, and nobody else knows of the memory yet.
        unsafe { std::ptr::copy_nonoverlapping(values.as_ptr(), host.cast::<T>(), values.len()) };
        Ok(pinned)
    }
}

impl<T: Element> Pinned<T> {
    /// The values.
    pub fn values(&self) -> &[T] {
        // SAFETY: as many values were put there, and the driver's memory is aligned for all of them.
        unsafe { std::slice::from_raw_parts(self.host.cast::<T>(), self.len) }
    }
}

impl Stream {
    /// Adds a copy of pinned values into a buffer to the work of the stream, and does not wait for it.
    ///
    /// # Errors
    /// [`CudaError::Length`] if there are not as many; the driver's refusal.
    pub fn copy_pinned<T: Element>(&self, to: &mut Buffer<T>, from: &Pinned<T>) -> Result<(), CudaError> {
        if to.len() != from.len {
            let what = format!("{} values do not fill a buffer of {}", from.len, to.len());
            return Err(CudaError::Length { what });
        }
        to.used_on(self);
        if to.bytes() == 0 {
            return Ok(());
        }
        self.core().bind()?;
        // SAFETY: both have as many bytes. Freeing pinned memory waits for the device, so that it outlives the copy.
        unsafe {
            let copied = (self.core().symbols.copy_to_device)(to.ptr(), from.host, to.bytes(), self.handle());
            self.core().check("cuMemcpyHtoDAsync", copied)
        }
    }
}

impl<T> Drop for Pinned<T> {
    fn drop(&mut self) {
        // Freeing waits for the device, and a hung one would be waited for without end.
        if !self.core.is_hung() && self.core.bind().is_ok() {
            // SAFETY: allocated by this driver and not freed yet. An error can only be one that was reported already.
            unsafe { (self.core.symbols.free_host)(self.host) };
        }
    }
}
