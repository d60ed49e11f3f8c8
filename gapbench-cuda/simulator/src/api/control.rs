//! Functions that no driver has: for tests, and for the libraries beside this one.

use std::ffi::{c_char, c_int, c_void};
use std::sync::Arc;

use super::{answer, text};
use crate::driver::code::Code;
use crate::driver::cost::Duration;
use crate::driver::stream::{Foreign, Operation};
use crate::driver::{Needs, device, driver, enter};

/// What `libnvidia-ml.so.1` tells of the device. Its copy there has the same fields.
#[repr(C)]
struct Report {
    driver_version: u32,
    has_device: u32,
    clock_mhz: u32,
    memory_clock_mhz: u32,
    busy: u32,
    in_use: u32,
    throttle_reasons: u64,
    memory_total: u64,
    memory_used: u64,
    virtual_ns: u64,
}

/// Says that this driver simulates: programs ask for the symbol and label what they measure.
#[unsafe(no_mangle)]
extern "C" fn simulator_is_present() -> c_int {
    1
}

/// Applies statements; 1 and a sentence on stderr if one is wrong.
#[unsafe(no_mangle)]
unsafe extern "C" fn simulator_control(statements: *const c_char) -> c_int {
    // SAFETY: the caller gives a text that ends with a zero.
    let Ok(statements) = (unsafe { text(statements) }) else { return 1 };
    let mut state = driver().lock();
    let applied = state.script.apply(&statements, super::exists);
    state.memory.capacity = state.script.memory_bytes;
    match applied {
        Ok(()) => 0,
        Err(reason) => {
            eprintln!("cuda-simulator: {reason}");
            1
        }
    }
}

/// How often a function has been called.
#[unsafe(no_mangle)]
unsafe extern "C" fn simulator_calls(name: *const c_char) -> u64 {
    // SAFETY: the caller gives a text that ends with a zero.
    let Ok(name) = (unsafe { text(name) }) else { return 0 };
    driver().lock().calls.get(&name).copied().unwrap_or(0)
}

/// The virtual time of the host.
#[unsafe(no_mangle)]
extern "C" fn simulator_host_ns() -> u64 {
    driver().host_ns()
}

/// Counts a call of another library's function; answers the code with which the script lets it fail, or 0.
#[unsafe(no_mangle)]
unsafe extern "C" fn simulator_enter(name: *const c_char) -> u32 {
    // SAFETY: the caller gives a text that ends with a zero.
    let Ok(name) = (unsafe { text(name) }) else { return 0 };
    let mut state = driver().lock();
    state.count_call(&name);
    state.script.failing_call(&name).map_or(0, |(code, _)| code)
}

/// Whether a range lies in one live allocation.
#[unsafe(no_mangle)]
extern "C" fn simulator_covers(address: u64, bytes: u64) -> c_int {
    c_int::from(bytes == 0 || driver().lock().memory.covering(address, bytes).is_some())
}

/// Puts another library's operation into a stream. `run` is called in stream order, once for every time that a graph
/// holding the operation is launched. `release` is called once, when the data is not needed any more, also if this
/// function answers an error.
#[unsafe(no_mangle)]
unsafe extern "C" fn simulator_enqueue(
    stream: u64,
    name: *const c_char,
    latency_ns: u64,
    body_ns: u64,
    run: unsafe extern "C" fn(*mut c_void) -> u32,
    release: unsafe extern "C" fn(*mut c_void),
    data: *mut c_void,
) -> u32 {
    // SAFETY: the caller gives a text that ends with a zero.
    let name = unsafe { text(name) }.unwrap_or_default();
    let duration = Duration { latency_ns, body_ns };
    let foreign = Arc::new(Foreign { name, duration, run, release, data: data as u64 });
    enter("simulator_enqueue", Needs::Driver, |driver| driver.enqueue(stream, Operation::Foreign(foreign)))
}

/// Tells the state of the device.
#[unsafe(no_mangle)]
unsafe extern "C" fn simulator_report(report: *mut Report) -> u32 {
    let driver = driver();
    let state = driver.lock();
    let now = Report {
        driver_version: state.script.driver_version as u32,
        has_device: u32::from(!state.script.no_device && !state.script.stub),
        clock_mhz: device::clock_mhz(&state.script),
        memory_clock_mhz: device::MEMORY_CLOCK_KHZ as u32 / 1000,
        busy: u32::from(state.streams.values().any(|stream| !stream.is_idle())),
        in_use: u32::from(state.context.is_some()),
        throttle_reasons: state.script.throttle.map_or(0, |throttle| throttle.reasons),
        memory_total: state.memory.capacity,
        memory_used: state.memory.capacity.saturating_sub(state.memory.free_bytes()),
        virtual_ns: driver.host_ns(),
    };
    // SAFETY: the caller gives a report of the same fields.
    match unsafe { answer(report, now) } {
        Ok(()) => 0,
        Err(Code(code)) => code,
    }
}
