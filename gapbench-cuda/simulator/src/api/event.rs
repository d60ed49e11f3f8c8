//! Events.

use std::ffi::c_uint;
use std::sync::Arc;

use super::{answer, api};
use crate::driver::code::{Code, Outcome};
use crate::driver::stream::{Event, Operation, Recording};
use crate::driver::{Driver, state};

/// `CU_EVENT_DISABLE_TIMING`
const DISABLE_TIMING: c_uint = 2;

/// The event's recording that the host may ask about; a captured one has no time.
fn recording(state: &state::State, event: u64) -> Outcome<Option<Arc<Recording>>> {
    let event = state.events.get(&event).ok_or(Code::INVALID_HANDLE)?;
    match &event.recording {
        Some(recording) if recording.capture.is_some() => Err(Code::CAPTURED_EVENT),
        recording => Ok(recording.clone()),
    }
}

fn elapsed(driver: &Driver, milliseconds: *mut f32, start: u64, end: u64) -> Outcome {
    let state = driver.lock();
    let at_ns = |event: u64| {
        if !state.events.get(&event).is_some_and(|event| event.timed) {
            return Err(Code::INVALID_HANDLE);
        }
        let recording = recording(&state, event)?.ok_or(Code::INVALID_HANDLE)?;
        recording.at_ns().ok_or(Code::NOT_READY)
    };
    let (start_ns, end_ns) = (at_ns(start)?, at_ns(end)?);
    // SAFETY: the entry point's pointer.
    unsafe { answer(milliseconds, ((end_ns as f64 - start_ns as f64) / 1e6) as f32) }
}

fn record(driver: &'static Driver, event: u64, stream: u64) -> Outcome {
    let recording = {
        let mut state = driver.lock();
        let id = state.stream(stream)?;
        let recording = Recording::pending(state.capture_of(id));
        let event = state.events.get_mut(&event).ok_or(Code::INVALID_HANDLE)?;
        event.recording = Some(Arc::clone(&recording));
        recording
    };
    driver.enqueue(stream, Operation::Record(recording))
}

api! { Context:
    fn cuEventCreate(event: *mut u64, flags: c_uint) |driver| {
        if flags > 7 {
            return Err(Code::INVALID_VALUE);
        }
        let mut state = driver.lock();
        let handle = state.handle();
        state.events.insert(handle, Event { recording: None, timed: flags & DISABLE_TIMING == 0 });
        answer(event, handle)
    }
}

api! { Driver:
    fn cuEventDestroy_v2(event: u64) |driver| {
        driver.lock().events.remove(&event).map(|_| ()).ok_or(Code::INVALID_HANDLE)
    }

    fn cuEventRecord(event: u64, stream: u64) |driver| { record(driver, event, stream) }

    fn cuEventRecordWithFlags(event: u64, stream: u64, flags: c_uint) |driver| {
        if flags > 1 {
            return Err(Code::INVALID_VALUE);
        }
        record(driver, event, stream)
    }

    fn cuEventQuery(event: u64) |driver| {
        match recording(&driver.lock(), event)? {
            None => Ok(()),
            Some(recording) => {
                driver.host_reaches(recording.at_ns().ok_or(Code::NOT_READY)?);
                Ok(())
            }
        }
    }

    fn cuEventSynchronize(event: u64) |driver| {
        let Some(recording) = recording(&driver.lock(), event)? else { return Ok(()) };
        let at_ns = driver.wait_for_recording(&recording).unwrap_or(0);
        driver.synchronised(at_ns)
    }

    fn cuEventElapsedTime(milliseconds: *mut f32, start: u64, end: u64) |driver| {
        elapsed(driver, milliseconds, start, end)
    }

    fn cuEventElapsedTime_v2(milliseconds: *mut f32, start: u64, end: u64) |driver| {
        elapsed(driver, milliseconds, start, end)
    }
}
