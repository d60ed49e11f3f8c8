//! Streams: work in order, waited for with a deadline.

use std::ffi::c_void;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cudarc::driver::CudaStream;
use gapbench::measure::phase;

use crate::buffer::{Buffer, POISON};
use crate::context::{Context, call};
use crate::element::{Element, Random};
use crate::error::CudaError;
use crate::event::Event;
use crate::status::Status;
use crate::symbols::{Address, Handle};

/// A queue of work for the device: what is in one is done in order.
///
/// A clone is the same stream. The device's code is outside of what Rust guarantees: a kernel, [`Stream::copy`] or
/// [`Stream::fill_bytes`] with a wrong address ends in [`CudaError::Sticky`] or in wrong values.
#[derive(Clone)]
pub struct Stream {
    core: Arc<Context>,
    raw: Arc<CudaStream>,
    number: u64,
}

impl fmt::Debug for Stream {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Stream").field(&self.number).finish()
    }
}

static STREAMS: AtomicU64 = AtomicU64::new(0);

impl Stream {
    /// A stream that does not wait for the null stream.
    pub(crate) fn new(core: &Arc<Context>) -> Result<Stream, CudaError> {
        core.bind()?;
        let Some(context) = core.context() else {
            return Err(CudaError::Driver { call: "cuStreamCreate", code: Status::INVALID_CONTEXT });
        };
        let raw =
            context.new_stream().map_err(|error| core.error("cuStreamCreate", Status(error.0 as i32)))?;
        let number = STREAMS.fetch_add(1, Ordering::Relaxed);
        Ok(Stream { core: Arc::clone(core), raw, number })
    }

    /// cudarc's form of the stream.
    pub fn raw(&self) -> &Arc<CudaStream> {
        &self.raw
    }

    pub(crate) fn core(&self) -> &Arc<Context> {
        &self.core
    }

    pub(crate) fn handle(&self) -> Handle {
        self.raw.cu_stream() as Handle
    }

    pub(crate) fn is(&self, other: &Stream) -> bool {
        self.number == other.number
    }

    /// Waits until all work so far is done. It looks without pause for 200 µs, then every 50 µs, so that a longer wait may
    /// end about 100 µs late: time work by events.
    ///
    /// # Errors
    /// [`CudaError::Deadline`] after the device's deadline, [`CudaError::Sticky`] if a kernel failed.
    pub fn synchronize(&self) -> Result<(), CudaError> {
        self.core.bind()?;
        let stream = self.handle();
        // SAFETY: the stream lives as long as `self`.
        self.core.wait("cuStreamQuery", || unsafe { (self.core.symbols.query_stream)(stream) })
    }

    /// Whether all work so far is done, without waiting.
    ///
    /// # Errors
    /// [`CudaError::Sticky`] if a kernel failed.
    pub fn is_idle(&self) -> Result<bool, CudaError> {
        self.core.bind()?;
        // SAFETY: the stream lives as long as `self`.
        let status = unsafe { (self.core.symbols.query_stream)(self.handle()) };
        self.core.is_done("cuStreamQuery", status)
    }

    /// Sets `len` bytes from `ptr` on.
    ///
    /// # Errors
    /// The driver's refusal, for example of an address that is not the device's.
    pub fn fill_bytes(&self, ptr: Address, byte: u8, len: usize) -> Result<(), CudaError> {
        if len == 0 {
            return Ok(());
        }
        self.core.bind()?;
        // SAFETY: the driver checks the addresses, or the device does.
        unsafe { call!(self.core, "cuMemsetD8Async", fill(ptr, byte, len, self.handle())) }
    }

    /// What the device holds at `ptr`, once this stream is done.
    pub(crate) fn read_bytes(&self, ptr: Address, len: usize) -> Result<Vec<u8>, CudaError> {
        // The copy would wait without a deadline.
        self.synchronize()?;
        let mut bytes = vec![0_u8; len];
        if len > 0 {
            let into = bytes.as_mut_ptr().cast::<c_void>();
            // SAFETY: there is room for as many bytes, and the wait below ends after the copy.
            unsafe {
                call!(self.core, "cuMemcpyDtoHAsync", copy_to_host(into, ptr, len, self.handle()))?;
            }
            self.synchronize()?;
        }
        Ok(bytes)
    }

    /// Copies `len` bytes within the device.
    ///
    /// # Errors
    /// The driver's refusal, for example of an address that is not the device's.
    pub fn copy(&self, to: Address, from: Address, len: usize) -> Result<(), CudaError> {
        if len == 0 {
            return Ok(());
        }
        self.core.bind()?;
        // SAFETY: the driver checks the addresses, or the device does.
        unsafe { call!(self.core, "cuMemcpyDtoDAsync", copy(to, from, len, self.handle())) }
    }

    /// An event at the end of the work so far.
    ///
    /// # Errors
    /// The driver's refusal.
    pub fn record(&self) -> Result<Event, CudaError> {
        let event = Event::new(&self.core)?;
        self.record_into(&event)?;
        Ok(event)
    }

    /// Moves an event to the end of the work so far, which costs no new event.
    ///
    /// # Errors
    /// The driver's refusal.
    pub fn record_into(&self, event: &Event) -> Result<(), CudaError> {
        self.core.bind()?;
        // SAFETY: both live through the call.
        unsafe { call!(self.core, "cuEventRecord", record_event(event.handle(), self.handle())) }
    }

    /// An event that was not recorded yet.
    ///
    /// # Errors
    /// The driver's refusal.
    pub fn event(&self) -> Result<Event, CudaError> {
        Event::new(&self.core)
    }

    /// Makes later work of this stream wait for an event, without the host waiting.
    ///
    /// # Errors
    /// The driver's refusal.
    pub fn wait(&self, event: &Event) -> Result<(), CudaError> {
        self.core.bind()?;
        // SAFETY: both live through the call, and the driver keeps what it needs of the event.
        unsafe { call!(self.core, "cuStreamWaitEvent", wait_for_event(self.handle(), event.handle(), 0)) }
    }

    /// Memory in the order of this stream, without a wait: until the stream is synchronized, only its own work may use
    /// it. What it holds is undefined.
    ///
    /// # Errors
    /// [`CudaError::OutOfMemory`].
    pub fn allocate<T: Element>(&self, len: usize) -> Result<Buffer<T>, CudaError> {
        Buffer::allocate(self, len)
    }

    /// The values in the device's memory, ready for every stream; the time is the phase `upload` of a cold start.
    ///
    /// # Errors
    /// [`CudaError::OutOfMemory`], and what [`Stream::synchronize`] says.
    pub fn upload<T: Element>(&self, values: &[T]) -> Result<Buffer<T>, CudaError> {
        phase("upload", || {
            let mut buffer = self.allocate(values.len())?;
            self.write(&mut buffer, values)?;
            Ok(buffer)
        })
    }

    /// Replaces the values of a buffer, and waits until they are there.
    ///
    /// # Errors
    /// [`CudaError::Length`] if there are not as many; what [`Stream::synchronize`] says.
    pub fn write<T: Element>(&self, buffer: &mut Buffer<T>, values: &[T]) -> Result<(), CudaError> {
        if buffer.len() != values.len() {
            let what = format!("{} values do not fill a buffer of {}", values.len(), buffer.len());
            return Err(CudaError::Length { what });
        }
        buffer.used_on(self);
        // The copy would wait without a deadline.
        self.synchronize()?;
        if values.is_empty() {
            return Ok(());
        }
        let source = values.as_ptr().cast::<c_void>();
        // SAFETY: the source holds as many bytes as the buffer, and the wait below ends after the copy.
        unsafe {
            call!(
                self.core,
                "cuMemcpyHtoDAsync",
                copy_to_device(buffer.ptr(), source, buffer.bytes(), self.handle())
            )?;
        }
        self.synchronize()
    }

    /// A buffer of zeros, ready for every stream.
    ///
    /// # Errors
    /// [`CudaError::OutOfMemory`], and what [`Stream::synchronize`] says.
    pub fn zeros<T: Element>(&self, len: usize) -> Result<Buffer<T>, CudaError> {
        self.filled(len, 0)
    }

    /// A buffer of which every byte is 0xff, ready for every stream: NaN in every floating-point type, -1 or the largest
    /// value in the integers, so that what a kernel forgot to write shows.
    ///
    /// # Errors
    /// [`CudaError::OutOfMemory`], and what [`Stream::synchronize`] says.
    pub fn uninit<T: Element>(&self, len: usize) -> Result<Buffer<T>, CudaError> {
        self.filled(len, POISON)
    }

    fn filled<T: Element>(&self, len: usize, byte: u8) -> Result<Buffer<T>, CudaError> {
        let buffer = self.allocate(len)?;
        self.fill_bytes(buffer.ptr(), byte, buffer.bytes())?;
        self.synchronize()?;
        Ok(buffer)
    }

    /// Values of the standard normal distribution, the same on every machine: see [`Random`].
    ///
    /// # Errors
    /// [`CudaError::OutOfMemory`], and what [`Stream::synchronize`] says.
    pub fn random<T: Element + Random>(&self, len: usize, seed: u64) -> Result<Buffer<T>, CudaError> {
        self.upload(&crate::random::normal::<T>(len, seed))
    }

    /// The values of a buffer, once all streams that used it are done.
    ///
    /// # Errors
    /// What [`Stream::synchronize`] says.
    pub fn download<T: Element>(&self, buffer: &Buffer<T>) -> Result<Vec<T>, CudaError> {
        buffer.synchronize()?;
        self.synchronize()?;
        let mut values: Vec<T> = Vec::with_capacity(buffer.len());
        if !buffer.is_empty() {
            let target = values.as_mut_ptr().cast::<c_void>();
            // SAFETY: the target has room for as many bytes as the buffer, and the wait below ends after the copy.
            let copied = unsafe {
                call!(
                    self.core,
                    "cuMemcpyDtoHAsync",
                    copy_to_host(target, buffer.ptr(), buffer.bytes(), self.handle())
                )
            };
            if let Err(error) = copied.and_then(|()| self.synchronize()) {
                if self.core.is_hung() {
                    // The copy may still come.
                    std::mem::forget(values);
                }
                return Err(error);
            }
        }
        // SAFETY: every byte was copied, and every pattern of bits is a value of an `Element`.
        unsafe { values.set_len(buffer.len()) };
        Ok(values)
    }
}
