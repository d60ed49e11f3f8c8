//! Streams and their capture.

use std::ffi::{c_int, c_uint, c_void};

use super::{answer, api};
use crate::driver::code::{Code, Outcome};
use crate::driver::state::Capture;
use crate::driver::stream::Operation;
use crate::driver::{Driver, state};

/// `CU_STREAM_CAPTURE_MODE_RELAXED`
const RELAXED: c_int = 2;

fn create(driver: &Driver, stream: *mut u64, flags: c_uint, priority: c_int) -> Outcome {
    if flags > 1 {
        return Err(Code::INVALID_VALUE);
    }
    // Hardware takes any number and clamps it.
    let handle = driver.lock().create_stream(flags, priority.clamp(-5, 0));
    // SAFETY: the entry point's pointer.
    unsafe { answer(stream, handle) }
}

/// Begins a capture of a stream.
fn begin(state: &mut state::State, handle: u64, mode: c_int) -> Outcome {
    let id = state.stream(handle)?;
    if id == state.null_stream {
        return Err(Code::STREAM_CAPTURE_UNSUPPORTED);
    }
    if !(0..=RELAXED).contains(&mode) {
        return Err(Code::INVALID_VALUE);
    }
    let stream = state.streams.get_mut(&id).ok_or(Code::INVALID_HANDLE)?;
    if stream.capture.is_some() {
        return Err(Code::ILLEGAL_STATE);
    }
    stream.capture = Some(id);
    state.captures.insert(id, Capture { strict: mode != RELAXED, ..Capture::default() });
    Ok(())
}

/// Ends it, for the streams that joined it too.
fn end(state: &mut state::State, handle: u64) -> Outcome<u64> {
    let id = state.stream(handle)?;
    match state.capture_of(id) {
        None => return Err(Code::ILLEGAL_STATE),
        Some(origin) if origin != id => return Err(Code::STREAM_CAPTURE_UNMATCHED),
        Some(_) => {}
    }
    let capture = state.captures.remove(&id).unwrap_or_default();
    for stream in state.streams.values_mut().filter(|stream| stream.capture == Some(id)) {
        stream.capture = None;
    }
    if capture.invalid {
        return Err(Code::STREAM_CAPTURE_INVALIDATED);
    }
    let graph = state.handle();
    state.graphs.insert(graph, capture.operations.into());
    Ok(graph)
}

api! { Context:
    fn cuStreamCreate(stream: *mut u64, flags: c_uint) |driver| { create(driver, stream, flags, 0) }

    fn cuStreamCreateWithPriority(stream: *mut u64, flags: c_uint, priority: c_int) |driver| {
        create(driver, stream, flags, priority)
    }
}

api! { Driver:
    fn cuStreamDestroy_v2(stream: u64) |driver| { driver.close(stream) }

    fn cuStreamSynchronize(stream: u64) |driver| { driver.synchronise(stream) }

    fn cuStreamQuery(stream: u64) |driver| {
        let mut state = driver.lock();
        let id = state.stream(stream)?;
        if state.capture_of(id).is_some() {
            state.captures.values_mut().for_each(|capture| capture.invalid = true);
            return Err(Code::STREAM_CAPTURE_UNSUPPORTED);
        }
        // It may have failed since the call was admitted.
        if let Some(code) = state.sticky {
            return Err(code);
        }
        let stream = state.streams.get(&id).ok_or(Code::INVALID_HANDLE)?;
        if !stream.is_idle() {
            return Err(Code::NOT_READY);
        }
        driver.host_reaches(stream.ready_ns);
        Ok(())
    }

    fn cuStreamGetFlags(stream: u64, flags: *mut c_uint) |driver| {
        let state = driver.lock();
        let id = state.stream(stream)?;
        answer(flags, state.streams.get(&id).map_or(0, |stream| stream.flags))
    }

    fn cuStreamGetPriority(stream: u64, priority: *mut c_int) |driver| {
        let state = driver.lock();
        let id = state.stream(stream)?;
        answer(priority, state.streams.get(&id).map_or(0, |stream| stream.priority))
    }

    fn cuStreamGetCtx(stream: u64, context: *mut u64) |driver| {
        let state = driver.lock();
        state.stream(stream)?;
        answer(context, state.context.ok_or(Code::INVALID_CONTEXT)?)
    }

    fn cuStreamWaitEvent(stream: u64, event: u64, _flags: c_uint) |driver| {
        let recording = {
            let mut state = driver.lock();
            let id = state.stream(stream)?;
            let event = state.events.get(&event).ok_or(Code::INVALID_HANDLE)?;
            // An event that was never recorded holds nothing up.
            let Some(recording) = event.recording.clone() else { return Ok(()) };
            match (recording.capture, state.capture_of(id)) {
                // The stream joins the capture. Its operations follow those captured so far, one after the other.
                (Some(origin), None) => {
                    if !state.captures.contains_key(&origin) {
                        return Err(Code::INVALID_VALUE);
                    }
                    state.streams.get_mut(&id).ok_or(Code::INVALID_HANDLE)?.capture = Some(origin);
                    return Ok(());
                }
                (Some(origin), Some(own)) if origin == own => return Ok(()),
                (Some(_), Some(_)) => return Err(Code::STREAM_CAPTURE_MERGE),
                (None, Some(_)) => return Err(Code::STREAM_CAPTURE_ISOLATION),
                (None, None) => recording,
            }
        };
        driver.enqueue(stream, Operation::Wait(recording))
    }

    fn cuStreamBeginCapture_v2(stream: u64, mode: c_int) |driver| { begin(&mut driver.lock(), stream, mode) }

    fn cuStreamEndCapture(stream: u64, graph: *mut u64) |driver| {
        let ended = end(&mut driver.lock(), stream);
        answer(graph, ended.unwrap_or(0))?;
        ended.map(|_| ())
    }

    fn cuStreamIsCapturing(stream: u64, status: *mut c_int) |driver| {
        let state = driver.lock();
        let id = state.stream(stream)?;
        let capture = state.capture_of(id).map(|origin| state.captures.get(&origin));
        answer(status, match capture {
            None => 0,
            Some(Some(capture)) if !capture.invalid => 1,
            Some(_) => 2,
        })
    }

    fn cuLaunchHostFunc(stream: u64, function: Option<unsafe extern "C" fn(*mut c_void)>, data: *mut c_void) |driver| {
        let function = function.ok_or(Code::INVALID_VALUE)?;
        driver.enqueue(stream, Operation::Host { function, data: data as u64 })
    }
}
