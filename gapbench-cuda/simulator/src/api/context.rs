//! The primary context, which is the only one, and what belongs to a thread.

use std::ffi::{c_int, c_uint};

use super::{answer, api};
use crate::driver::code::{Code, Outcome};
use crate::driver::{self, Driver};

fn check(device: c_int) -> Outcome {
    if device == 0 { Ok(()) } else { Err(Code::INVALID_DEVICE) }
}

/// A handle that a program gives must be that of the living context, or null.
fn check_context(driver: &Driver, context: u64) -> Outcome {
    if context == 0 || driver.lock().context == Some(context) { Ok(()) } else { Err(Code::INVALID_CONTEXT) }
}

api! { Nothing:
    fn cuDevicePrimaryCtxReset_v2(device: c_int) |driver| {
        check(device)?;
        driver.lock().deactivate();
        driver.wake();
        Ok(())
    }
}

api! { Driver:
    fn cuDevicePrimaryCtxRetain(context: *mut u64, device: c_int) |driver| {
        check(device)?;
        let mut state = driver.lock();
        let handle = state.activate();
        state.retained += 1;
        answer(context, handle)
    }

    fn cuDevicePrimaryCtxRelease_v2(device: c_int) |driver| {
        check(device)?;
        let mut state = driver.lock();
        state.retained = state.retained.checked_sub(1).ok_or(Code::INVALID_CONTEXT)?;
        if state.retained == 0 {
            state.deactivate();
        }
        driver.wake();
        Ok(())
    }

    fn cuDevicePrimaryCtxGetState(device: c_int, flags: *mut c_uint, active: *mut c_int) |driver| {
        check(device)?;
        let state = driver.lock();
        answer(flags, state.context_flags)?;
        answer(active, c_int::from(state.context.is_some()))
    }

    fn cuDevicePrimaryCtxSetFlags_v2(device: c_int, flags: c_uint) |driver| {
        check(device)?;
        driver.lock().context_flags = flags;
        Ok(())
    }

    fn cuCtxGetCurrent(context: *mut u64) |_| { answer(context, driver::top_context()) }

    fn cuCtxSetCurrent(context: u64) |driver| {
        check_context(driver, context)?;
        driver::set_top_context(context);
        Ok(())
    }

    fn cuCtxPushCurrent_v2(context: u64) |driver| {
        if context == 0 {
            return Err(Code::INVALID_CONTEXT);
        }
        check_context(driver, context)?;
        driver::push_context(context);
        Ok(())
    }

    fn cuCtxPopCurrent_v2(context: *mut u64) |_| {
        let popped = driver::pop_context().ok_or(Code::INVALID_CONTEXT)?;
        if context.is_null() { Ok(()) } else { answer(context, popped) }
    }
}

api! { Context:
    fn cuCtxGetDevice(device: *mut c_int) |_| { answer(device, 0) }

    fn cuCtxGetApiVersion(_context: u64, version: *mut c_uint) |_| { answer(version, 3020) }

    fn cuCtxGetFlags(flags: *mut c_uint) |driver| { answer(flags, driver.lock().context_flags) }

    fn cuCtxSetFlags(flags: c_uint) |driver| {
        driver.lock().context_flags = flags;
        Ok(())
    }

    fn cuCtxGetLimit(value: *mut usize, limit: c_uint) |driver| {
        let known = match limit {
            // Stack, printf buffer, heap, and the two of dynamic parallelism.
            0 => 1 << 10,
            1 => 1 << 20,
            2 => 8 << 20,
            3 => 2,
            4 => 2_048,
            5 => 32,
            6 => 0,
            _ => return Err(Code::INVALID_VALUE),
        };
        answer(value, driver.lock().limits.get(&limit).copied().unwrap_or(known))
    }

    fn cuCtxSetLimit(limit: c_uint, value: usize) |driver| {
        if limit > 6 {
            return Err(Code::INVALID_VALUE);
        }
        driver.lock().limits.insert(limit, value);
        Ok(())
    }

    fn cuCtxGetCacheConfig(config: *mut c_int) |_| { answer(config, 0) }

    // A preference, which hardware may ignore too.
    fn cuCtxSetCacheConfig(_config: c_int) |_| { Ok(()) }

    fn cuCtxGetStreamPriorityRange(least: *mut c_int, greatest: *mut c_int) |_| {
        if !least.is_null() {
            answer(least, 0)?;
        }
        if greatest.is_null() { Ok(()) } else { answer(greatest, -5) }
    }

    // No memory is ever kept in the cache on purpose.
    fn cuCtxResetPersistingL2Cache() |_| { Ok(()) }

    fn cuCtxSynchronize() |driver| { driver.synchronise_all() }

    fn cuProfilerStart() |_| { Ok(()) }

    fn cuProfilerStop() |_| { Ok(()) }
}
