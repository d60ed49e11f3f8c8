//! Work of a stream that was recorded once and is launched as a whole. Knows nothing of what the work computes.

use std::ffi::c_int;
use std::fmt;
use std::sync::Arc;

use crate::context::{Context, call};
use crate::error::CudaError;
use crate::status::Status;
use crate::stream::Stream;
use crate::symbols::Handle;

/// `CU_STREAM_CAPTURE_MODE_THREAD_LOCAL`: what other threads do meanwhile does not end the capture.
const THREAD_LOCAL: c_int = 1;

/// Recorded work. A launch costs the host about as much as that of one kernel.
///
/// The addresses are those of the recording: whatever the work uses (buffers, kernels, pinned memory) must outlive the
/// graph's last launch. What may change is what lies at these addresses.
pub struct Graph {
    core: Arc<Context>,
    executable: Handle,
    stream: Stream,
    /// Of the recorded kernels the last, for errors that are seen after a launch.
    kernel: Option<Arc<str>>,
}

impl fmt::Debug for Graph {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Graph").field("stream", &self.stream).field("last", &self.kernel).finish()
    }
}

impl Stream {
    /// Records what `launch` adds to the work of this stream, instead of doing it: launches of kernels, products, copies
    /// and fills on the device. It must not wait for the stream, allocate, or go through a [`Staging`](crate::Staging),
    /// and what loads itself at its first use (a kernel, cuBLAS) must have been used before.
    ///
    /// # Errors
    /// [`CudaError::Capture`] where the driver refuses the recording or the graph: the work can be launched without one.
    /// What `launch` answers, where that did not end the recording. Either way the stream takes work as before.
    pub fn capture(&self, launch: impl FnOnce() -> Result<(), CudaError>) -> Result<Graph, CudaError> {
        let core = self.core();
        core.bind()?;
        // SAFETY: the stream lives through the call.
        let status = unsafe { (core.symbols.begin_capture)(self.handle(), THREAD_LOCAL) };
        if status != 0 {
            return Err(refused(core, "cuStreamBeginCapture", status, None, None));
        }
        let before = core.replace_last_launched(None);
        let recording = Recording { stream: self };
        let launched = launch();
        let ended = recording.end();
        let kernel = core.last_launched();
        if kernel.is_none() {
            core.replace_last_launched(before);
        }
        let graph = match (ended, launched) {
            (Ok(graph), Ok(())) => graph,
            (Ok(graph), Err(error)) => {
                destroy(core, graph);
                return Err(error);
            }
            (Err(_), Err(error @ (CudaError::Sticky { .. } | CudaError::Deadline { .. }))) => {
                return Err(error);
            }
            (Err(status), launched) => {
                return Err(refused(core, "cuStreamEndCapture", status, kernel, launched.err()));
            }
        };
        let mut executable = 0;
        // SAFETY: the pointer is to a handle, and the graph is the one that was just recorded.
        let status = unsafe { (core.symbols.instantiate_graph)(&mut executable, graph, 0) };
        destroy(core, graph);
        if status != 0 {
            return Err(refused(core, "cuGraphInstantiate", status, kernel, None));
        }
        Ok(Graph { core: Arc::clone(core), executable, stream: self.clone(), kernel })
    }
}

/// A capture under way, which ends in any case: otherwise the stream would go on recording.
struct Recording<'a> {
    stream: &'a Stream,
}

impl Recording<'_> {
    /// The graph, or what the driver answered instead.
    fn end(self) -> Result<Handle, c_int> {
        let ended = self.stop();
        std::mem::forget(self);
        ended
    }

    fn stop(&self) -> Result<Handle, c_int> {
        let core = self.stream.core();
        let mut graph = 0;
        // SAFETY: the pointer is to a handle, and the stream lives through the call.
        match unsafe { (core.symbols.end_capture)(self.stream.handle(), &mut graph) } {
            0 if graph == 0 => Err(Status::STREAM_CAPTURE_INVALIDATED.0),
            0 => Ok(graph),
            status => Err(status),
        }
    }
}

impl Drop for Recording<'_> {
    /// Only where what was recorded panicked.
    fn drop(&mut self) {
        if let Ok(graph) = self.stop() {
            destroy(self.stream.core(), graph);
        }
    }
}

fn destroy(core: &Context, graph: Handle) {
    // SAFETY: the graph is ours alone, and what was made of it does not need it.
    unsafe { (core.symbols.destroy_graph)(graph) };
}

fn refused(
    core: &Context,
    call: &'static str,
    status: c_int,
    kernel: Option<Arc<str>>,
    cause: Option<CudaError>,
) -> CudaError {
    let code = Status(status);
    if code.is_sticky() {
        return core.error(call, code);
    }
    let kernel = kernel.map(|kernel| kernel.to_string());
    CudaError::Capture { call, code, kernel, cause: cause.map(Box::new) }
}

impl Graph {
    /// Adds the recorded work to that of the stream it was recorded from, and does not wait for it.
    ///
    /// # Errors
    /// The driver's refusal. A fault of a kernel is seen by a later call, which names the graph's last kernel.
    pub fn launch(&mut self) -> Result<(), CudaError> {
        self.core.bind()?;
        // SAFETY: both live through the call, and nobody else launches this graph meanwhile.
        unsafe { call!(self.core, "cuGraphLaunch", launch_graph(self.executable, self.stream.handle()))? };
        if let Some(kernel) = &self.kernel {
            self.core.launched(kernel);
        }
        Ok(())
    }

    /// The kernel that was recorded last, if one was.
    pub fn last_kernel(&self) -> Option<&str> {
        self.kernel.as_deref()
    }
}

impl Drop for Graph {
    fn drop(&mut self) {
        // A graph that is under way is destroyed when it is done; where the device hangs, nothing may wait for it.
        if !self.core.is_hung() && self.core.bind().is_ok() {
            // SAFETY: nobody else has the handle. A refusal can only be one that was reported already.
            unsafe { (self.core.symbols.destroy_executable_graph)(self.executable) };
        }
    }
}
