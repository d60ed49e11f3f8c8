//! Streams: queues of operations, each executed in order by a thread of its own.

use std::collections::VecDeque;
use std::ffi::c_void;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::code::{Code, Outcome};
use super::launch::KernelLaunch;
use super::state::State;
use super::{Driver, cost, execute};

/// A stream of the primary context.
pub(crate) struct Stream {
    queue: VecDeque<Job>,
    enqueued: u64,
    finished: u64,
    /// The virtual time at which all that was executed ends.
    pub(crate) ready_ns: u64,
    /// Clock cycles that throttled kernels did not get.
    pub(crate) lost_cycles: u64,
    pub(crate) flags: u32,
    pub(crate) priority: i32,
    /// The stream whose capture this one belongs to.
    pub(crate) capture: Option<u64>,
    has_worker: bool,
    /// Destroyed by the program; the worker still executes what was enqueued.
    closing: bool,
}

/// An operation in a queue, and when the host put it there.
pub(crate) struct Job {
    pub(crate) operation: Operation,
    pub(crate) issued_ns: u64,
}

/// What a stream can execute.
#[derive(Clone)]
pub(crate) enum Operation {
    Record(Arc<Recording>),
    Wait(Arc<Recording>),
    /// Order between the null stream and the blocking ones.
    After {
        stream: u64,
        position: u64,
    },
    Copy(Transfer),
    Fill {
        address: u64,
        pattern: [u8; 4],
        pattern_bytes: usize,
        bytes: u64,
    },
    Unmap(u64),
    Kernel(Arc<KernelLaunch>),
    Host {
        function: unsafe extern "C" fn(*mut c_void),
        data: u64,
    },
    Foreign(Arc<Foreign>),
    Graph(Arc<[Operation]>),
}

/// Bytes from one place to another.
#[derive(Clone)]
pub(crate) struct Transfer {
    pub(crate) to: u64,
    pub(crate) from: Source,
    pub(crate) bytes: u64,
    /// Which ends are device addresses and have to be checked.
    pub(crate) from_device: bool,
    pub(crate) to_device: bool,
}

#[derive(Clone)]
pub(crate) enum Source {
    Address(u64),
    /// Pageable memory is read while the call lasts, since the program may change it afterwards.
    Bytes(Arc<[u8]>),
}

/// An operation of another library, such as the matrix products.
pub(crate) struct Foreign {
    pub(crate) name: String,
    pub(crate) duration: cost::Duration,
    pub(crate) run: unsafe extern "C" fn(*mut c_void) -> u32,
    pub(crate) release: unsafe extern "C" fn(*mut c_void),
    pub(crate) data: u64,
}

impl Drop for Foreign {
    fn drop(&mut self) {
        // SAFETY: the library gave the data for this one call, when nothing can run the operation any more.
        unsafe { (self.release)(self.data as *mut c_void) };
    }
}

/// One `cuEventRecord`: pending, and then a virtual time.
pub(crate) struct Recording {
    at_ns: AtomicU64,
    /// The capture in which it was recorded, which never gives it a time.
    pub(crate) capture: Option<u64>,
}

const PENDING: u64 = u64::MAX;

impl Recording {
    pub(crate) fn pending(capture: Option<u64>) -> Arc<Recording> {
        Arc::new(Recording { at_ns: AtomicU64::new(PENDING), capture })
    }

    pub(crate) fn at_ns(&self) -> Option<u64> {
        Some(self.at_ns.load(Ordering::Acquire)).filter(|&at| at != PENDING)
    }

    pub(crate) fn finish(&self, at_ns: u64) {
        self.at_ns.store(at_ns, Ordering::Release);
    }
}

/// An event: its last recording, if any.
pub(crate) struct Event {
    pub(crate) recording: Option<Arc<Recording>>,
    pub(crate) timed: bool,
}

/// `CU_STREAM_NON_BLOCKING`
const NON_BLOCKING: u32 = 1;

impl Stream {
    pub(crate) fn new(flags: u32, priority: i32) -> Stream {
        let queue = VecDeque::new();
        let (enqueued, finished, ready_ns, lost_cycles) = (0, 0, 0, 0);
        let (capture, has_worker, closing) = (None, false, false);
        Stream {
            queue,
            enqueued,
            finished,
            ready_ns,
            lost_cycles,
            flags,
            priority,
            capture,
            has_worker,
            closing,
        }
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.finished == self.enqueued
    }

    fn push(&mut self, operation: Operation, issued_ns: u64) {
        self.queue.push_back(Job { operation, issued_ns });
        self.enqueued += 1;
    }
}

impl State {
    /// The stream behind a handle; the null stream is that of the current context.
    pub(crate) fn stream(&self, handle: u64) -> Outcome<u64> {
        match handle {
            // CU_STREAM_LEGACY is 1. CU_STREAM_PER_THREAD (2) is one stream for all threads here: the null stream.
            0..=2 => self.current_context().map(|_| self.null_stream),
            _ if self.streams.get(&handle).is_some_and(|stream| !stream.closing) => Ok(handle),
            _ => Err(Code::INVALID_HANDLE),
        }
    }

    pub(crate) fn create_stream(&mut self, flags: u32, priority: i32) -> u64 {
        let handle = self.handle();
        self.streams.insert(handle, Stream::new(flags, priority));
        handle
    }

    /// The capture to which a stream belongs.
    pub(crate) fn capture_of(&self, stream: u64) -> Option<u64> {
        self.streams.get(&stream)?.capture
    }

    /// The streams that the null stream waits for and that wait for it.
    fn blocking_tails(&self, stream: u64) -> Vec<Operation> {
        let blocks = |stream: &Stream| stream.flags & NON_BLOCKING == 0;
        if !self.streams.get(&stream).is_some_and(blocks) {
            return Vec::new();
        }
        let null = self.null_stream;
        let others = self.streams.iter().filter(|(other, state)| {
            **other != stream && (stream == null || **other == null) && blocks(state) && !state.is_idle()
        });
        others.map(|(&stream, state)| Operation::After { stream, position: state.enqueued }).collect()
    }
}

impl Driver {
    /// Puts an operation into a stream, or into the capture that the stream belongs to.
    pub(crate) fn enqueue(&'static self, handle: u64, operation: Operation) -> Outcome {
        let mut state = self.lock();
        let id = state.stream(handle)?;
        if let Some(origin) = state.capture_of(id) {
            let capture = state.captures.get_mut(&origin).ok_or(Code::STREAM_CAPTURE_INVALIDATED)?;
            // An event in a capture stands for the order, which is kept anyway.
            if !matches!(operation, Operation::Record(_)) {
                capture.operations.push(operation);
            }
            return Ok(());
        }
        let tails = state.blocking_tails(id);
        let issued_ns = self.host_ns();
        let stream = state.streams.get_mut(&id).ok_or(Code::INVALID_HANDLE)?;
        for tail in tails {
            stream.push(tail, issued_ns);
        }
        stream.push(operation, issued_ns);
        if !std::mem::replace(&mut stream.has_worker, true) {
            let worker = std::thread::Builder::new().name(format!("cuda-stream-{id:x}"));
            worker.spawn(move || self.work(id)).map_err(|_| Code::OPERATING_SYSTEM)?;
        }
        self.wake();
        Ok(())
    }

    /// Executes a stream's operations until the stream is gone.
    fn work(&'static self, id: u64) {
        while let Some(job) = self.next_job(id) {
            execute::execute(self, id, job);
            if let Some(stream) = self.lock().streams.get_mut(&id) {
                stream.finished += 1;
            }
            self.wake();
        }
    }

    fn next_job(&self, id: u64) -> Option<Job> {
        let mut state = self.lock();
        loop {
            let stream = state.streams.get_mut(&id)?;
            if let Some(job) = stream.queue.pop_front() {
                return Some(job);
            }
            if stream.closing {
                state.streams.remove(&id);
                return None;
            }
            state = self.wait(state);
        }
    }

    /// Takes a stream from the program; what is in it still runs.
    pub(crate) fn close(&self, handle: u64) -> Outcome {
        let mut state = self.lock();
        let id = state.stream(handle)?;
        if id == state.null_stream {
            return Err(Code::INVALID_HANDLE);
        }
        let stream = state.streams.get_mut(&id).ok_or(Code::INVALID_HANDLE)?;
        stream.closing = true;
        if !stream.has_worker {
            state.streams.remove(&id);
        }
        self.wake();
        Ok(())
    }

    /// Waits until a stream has executed the first `position` operations; answers when it was ready.
    pub(crate) fn wait_for_position(&self, id: u64, position: u64) -> u64 {
        let mut state = self.lock();
        loop {
            match state.streams.get(&id) {
                // A sticky error ends every wait; whoever waits then answers it.
                Some(stream) if stream.finished < position && state.sticky.is_none() => {}
                Some(stream) => return stream.ready_ns,
                None => return 0,
            }
            state = self.wait(state);
        }
    }

    /// Waits until a stream is idle, as far as it is filled now.
    pub(crate) fn synchronise(&self, handle: u64) -> Outcome {
        let (id, position) = {
            let mut state = self.lock();
            let id = state.stream(handle)?;
            if state.capture_of(id).is_some() {
                state.captures.values_mut().for_each(|capture| capture.invalid = true);
                return Err(Code::STREAM_CAPTURE_UNSUPPORTED);
            }
            (id, state.streams.get(&id).map_or(0, |stream| stream.enqueued))
        };
        let ready_ns = self.wait_for_position(id, position);
        self.synchronised(ready_ns)
    }

    /// Waits for all streams.
    pub(crate) fn synchronise_all(&self) -> Outcome {
        let positions: Vec<(u64, u64)> = {
            let mut state = self.lock();
            state.forbid_in_capture()?;
            state.streams.iter().map(|(&id, stream)| (id, stream.enqueued)).collect()
        };
        let ready = positions.into_iter().map(|(id, position)| self.wait_for_position(id, position));
        let ready_ns = ready.max().unwrap_or(0);
        self.synchronised(ready_ns)
    }

    /// Waits for an event's recording.
    pub(crate) fn wait_for_recording(&self, recording: &Recording) -> Option<u64> {
        let mut state = self.lock();
        while recording.at_ns().is_none() && state.sticky.is_none() && state.context.is_some() {
            state = self.wait(state);
        }
        recording.at_ns()
    }

    /// The host has waited for the device.
    pub(crate) fn synchronised(&self, ready_ns: u64) -> Outcome {
        self.host_reaches(ready_ns);
        let mut state = self.lock();
        state.memory.pool.synchronised();
        state.sticky.map_or(Ok(()), Err)
    }
}
