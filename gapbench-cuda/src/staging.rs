//! Memory of the host through which values go to and from the device again and again. Knows nothing of what they mean.

use std::ffi::c_void;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::buffer::View;
use crate::context::{Context, call};
use crate::cuda::Cuda;
use crate::element::Element;
use crate::error::CudaError;
use crate::event::Event;
use crate::stream::Stream;

/// Page-locked values that may be changed: an event marks the end of the last copy, and whoever wants to see or to change
/// the values waits for it. So a copy never sees half of a change, and a change never overtakes a copy.
///
/// Not for work that is recorded ([`Stream::capture`]), in which there is no such end.
#[derive(Debug)]
pub struct Staging<T> {
    core: Arc<Context>,
    host: *mut c_void,
    len: usize,
    /// The end of the last copy.
    copied: Event,
    element: PhantomData<T>,
}

// SAFETY: the memory belongs to this value alone, and a copy of the device is over before it is reached.
unsafe impl<T: Element> Send for Staging<T> {}

impl Cuda {
    /// `len` zeros in page-locked memory of the host.
    ///
    /// # Errors
    /// [`CudaError::Length`] for more than an address space holds; where the host has no memory for it.
    pub fn staging<T: Element>(&self, len: usize) -> Result<Staging<T>, CudaError> {
        let core = self.core();
        let bytes = len.max(1).checked_mul(size_of::<T>()).ok_or_else(|| CudaError::Length {
            what: format!("{len} values of {} do not fit into an address space", T::NAME),
        })?;
        let copied = Event::new(core)?;
        let mut host = std::ptr::null_mut();
        // SAFETY: the pointer is to a value of the type that the driver fills in.
        unsafe { call!(core, "cuMemHostAlloc", allocate_host(&mut host, bytes, 0))? };
        // SAFETY: there is room for as many bytes, and nobody else knows of the memory yet.
        unsafe { host.cast::<u8>().write_bytes(0, bytes) };
        Ok(Staging { core: Arc::clone(core), host, len, copied, element: PhantomData })
    }
}

impl<T: Element> Staging<T> {
    /// How many values it has.
    pub fn len(&self) -> usize {
        self.len
    }

    /// It has none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether the last copy is over, so that [`Staging::values`] would not wait.
    ///
    /// # Errors
    /// [`CudaError::Sticky`] if a kernel before it failed.
    pub fn is_free(&self) -> Result<bool, CudaError> {
        self.copied.is_done()
    }

    /// Waits for the last copy and gives the values, to read or to fill.
    ///
    /// # Errors
    /// What [`Event::synchronize`] says.
    pub fn values(&mut self) -> Result<&mut [T], CudaError> {
        self.copied.synchronize()?;
        // SAFETY: as many values are there, aligned for all of them, every pattern of bits is one, and no copy is under
        // way.
        Ok(unsafe { std::slice::from_raw_parts_mut(self.host.cast::<T>(), self.len) })
    }

    /// Adds a copy of the first values into all of `to` to the work of a stream, after the last copy and without waiting
    /// for this one.
    ///
    /// # Errors
    /// [`CudaError::Length`] if the target has more values than there are; what [`Staging::values`] says; the driver's
    /// refusal.
    pub fn send(&mut self, stream: &Stream, to: &View<T>) -> Result<(), CudaError> {
        let bytes = self.begin(stream, to)?;
        if bytes == 0 {
            return Ok(());
        }
        // SAFETY: both have as many bytes, and the source is neither changed nor freed before `copied`.
        unsafe {
            call!(
                self.core,
                "cuMemcpyHtoDAsync",
                copy_to_device(to.ptr(), self.host, bytes, stream.handle())
            )?;
        }
        self.end(stream)
    }

    /// Adds a copy of all of `from` to the work of a stream, after the last copy; [`Staging::values`] has them at its
    /// beginning afterwards.
    ///
    /// # Errors
    /// [`CudaError::Length`] if there is not room for as many; what [`Staging::values`] says; the driver's refusal.
    pub fn receive(&mut self, stream: &Stream, from: &View<T>) -> Result<(), CudaError> {
        let bytes = self.begin(stream, from)?;
        if bytes == 0 {
            return Ok(());
        }
        // SAFETY: both have as many bytes, and the target is neither read nor freed before `copied`.
        unsafe {
            call!(
                self.core,
                "cuMemcpyDtoHAsync",
                copy_to_host(self.host, from.ptr(), bytes, stream.handle())
            )?;
        }
        self.end(stream)
    }

    /// Waits for the last copy and says how many bytes the next one has.
    fn begin(&mut self, stream: &Stream, other: &View<T>) -> Result<usize, CudaError> {
        if other.len() > self.len {
            let what = format!("{} values do not go through a staging of {}", other.len(), self.len);
            return Err(CudaError::Length { what });
        }
        self.copied.synchronize()?;
        other.used_on(stream);
        Ok(other.len() * size_of::<T>())
    }

    fn end(&mut self, stream: &Stream) -> Result<(), CudaError> {
        let marked = stream.record_into(&self.copied);
        if marked.is_err() {
            // Nothing marks the end of this copy: wait for all of the stream, so that nothing overtakes it.
            stream.synchronize()?;
        }
        marked
    }
}

impl<T> Drop for Staging<T> {
    fn drop(&mut self) {
        // Freeing waits for the device without a deadline: where the last copy does not come, the memory stays.
        if !self.core.is_hung() && self.copied.synchronize().is_ok() {
            // SAFETY: allocated by this driver, not freed yet, and no copy is under way. A refusal can only be one that
            // was reported already.
            unsafe { (self.core.symbols.free_host)(self.host) };
        }
    }
}
