//! Events: moments in a stream, and the time between two.

use std::sync::Arc;

use cudarc::driver::sys::CUevent;

use crate::context::{Context, call};
use crate::error::CudaError;
use crate::symbols::Handle;

/// A moment in a stream: when the work before it was done.
#[derive(Debug)]
pub struct Event {
    core: Arc<Context>,
    handle: Handle,
}

impl Event {
    pub(crate) fn new(core: &Arc<Context>) -> Result<Event, CudaError> {
        core.bind()?;
        let mut handle = 0;
        // SAFETY: the pointer is to a handle. 0 asks for an event that can be timed and is waited for without a pause.
        unsafe { call!(core, "cuEventCreate", create_event(&mut handle, 0)) }?;
        Ok(Event { core: Arc::clone(core), handle })
    }

    pub(crate) fn handle(&self) -> Handle {
        self.handle
    }

    /// Waits until the work before it is done; see [`Stream::synchronize`](crate::Stream::synchronize).
    ///
    /// # Errors
    /// [`CudaError::Deadline`] after the device's deadline, [`CudaError::Sticky`] if a kernel failed.
    pub fn synchronize(&self) -> Result<(), CudaError> {
        self.core.bind()?;
        // SAFETY: the event lives as long as `self`.
        self.core.wait("cuEventQuery", || unsafe { (self.core.symbols.query_event)(self.handle) })
    }

    /// Whether the work before it is done, without waiting.
    ///
    /// # Errors
    /// [`CudaError::Sticky`] if a kernel failed.
    pub fn is_done(&self) -> Result<bool, CudaError> {
        self.core.bind()?;
        // SAFETY: the event lives as long as `self`.
        let status = unsafe { (self.core.symbols.query_event)(self.handle) };
        self.core.is_done("cuEventQuery", status)
    }

    /// The driver's handle, which must not be destroyed.
    pub fn raw(&self) -> CUevent {
        std::ptr::without_provenance_mut(self.handle)
    }

    /// The seconds from here to a later event, once both are done. The device's clock has a resolution of about 0.5 µs.
    ///
    /// # Errors
    /// What [`Event::synchronize`] says, and the driver's refusal if one was not recorded.
    pub fn elapsed(&self, later: &Event) -> Result<f64, CudaError> {
        self.synchronize()?;
        later.synchronize()?;
        let mut milliseconds = 0.0_f32;
        // SAFETY: the pointer is to a value of the type that is asked for, and both events live through the call.
        unsafe {
            call!(self.core, "cuEventElapsedTime", elapsed(&mut milliseconds, self.handle, later.handle))?;
        }
        Ok(f64::from(milliseconds) / 1e3)
    }
}

impl Drop for Event {
    fn drop(&mut self) {
        if self.core.bind().is_ok() {
            // SAFETY: nobody else has the handle; the driver keeps it while work still needs it.
            unsafe { (self.core.symbols.destroy_event)(self.handle) };
        }
    }
}
