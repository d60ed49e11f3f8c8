//! Device memory: allocations, copies, fills.

use std::ffi::{c_uint, c_void};
use std::sync::Arc;

use super::{answer, api};
use crate::driver::Driver;
use crate::driver::code::{Code, Outcome};
use crate::driver::memory::Kind;
use crate::driver::stream::{Operation, Source, Transfer};

/// Whether a range of device addresses is one that a copy or a fill may name.
fn check(driver: &Driver, address: u64, bytes: u64) -> Outcome {
    let known = bytes == 0 || driver.lock().memory.covering(address, bytes).is_some();
    if known { Ok(()) } else { Err(Code::INVALID_VALUE) }
}

/// A copy from the host. The program may change pageable memory once the call is over, so it is read now.
fn to_device(driver: &'static Driver, to: u64, from: *const c_void, bytes: usize, stream: u64) -> Outcome {
    check(driver, to, bytes as u64)?;
    let as_is = {
        let state = driver.lock();
        let captured = state.stream(stream).is_ok_and(|id| state.capture_of(id).is_some());
        captured || state.memory.is_pinned(from as u64, bytes as u64)
    };
    let source = if as_is {
        Source::Address(from as u64)
    } else if from.is_null() && bytes > 0 {
        return Err(Code::INVALID_VALUE);
    } else if bytes == 0 {
        Source::Bytes(Arc::default())
    } else {
        // SAFETY: the program gives a readable range for the time of the call.
        Source::Bytes(unsafe { std::slice::from_raw_parts(from.cast::<u8>(), bytes) }.into())
    };
    let bytes = bytes as u64;
    let transfer = Transfer { to, from: source, bytes, from_device: false, to_device: true };
    driver.enqueue(stream, Operation::Copy(transfer))
}

/// A copy to the host; into pageable memory it is over when the call is, as on hardware.
fn to_host(driver: &'static Driver, to: *mut c_void, from: u64, bytes: usize, stream: u64) -> Outcome {
    check(driver, from, bytes as u64)?;
    let (to, bytes) = (to as u64, bytes as u64);
    if to == 0 && bytes > 0 {
        return Err(Code::INVALID_VALUE);
    }
    let transfer = Transfer { to, from: Source::Address(from), bytes, from_device: true, to_device: false };
    driver.enqueue(stream, Operation::Copy(transfer))?;
    let waits = {
        let state = driver.lock();
        let captured = state.stream(stream).is_ok_and(|id| state.capture_of(id).is_some());
        !captured && !state.memory.is_pinned(to, bytes)
    };
    if waits { driver.synchronise(stream) } else { Ok(()) }
}

fn on_device(driver: &'static Driver, to: u64, from: u64, bytes: usize, stream: u64) -> Outcome {
    let bytes = bytes as u64;
    check(driver, to, bytes)?;
    check(driver, from, bytes)?;
    let transfer = Transfer { to, from: Source::Address(from), bytes, from_device: true, to_device: true };
    driver.enqueue(stream, Operation::Copy(transfer))
}

fn fill(driver: &'static Driver, address: u64, pattern: &[u8], count: usize, stream: u64) -> Outcome {
    let pattern_bytes = pattern.len();
    let bytes = (count as u64).checked_mul(pattern_bytes as u64).ok_or(Code::INVALID_VALUE)?;
    check(driver, address, bytes)?;
    if !address.is_multiple_of(pattern_bytes as u64) {
        return Err(Code::INVALID_VALUE);
    }
    let mut whole = [0; 4];
    whole[..pattern_bytes].copy_from_slice(pattern);
    driver.enqueue(stream, Operation::Fill { address, pattern: whole, pattern_bytes, bytes })
}

/// An allocation at once, outside any stream.
fn allocate(driver: &Driver, address: *mut u64, bytes: usize) -> Outcome {
    let mut state = driver.lock();
    state.forbid_in_capture()?;
    if bytes == 0 {
        return Err(Code::INVALID_VALUE);
    }
    let allocated = state.memory.allocate(bytes as u64, Kind::Plain)?;
    // SAFETY: the entry point's pointer.
    unsafe { answer(address, allocated) }
}

/// An allocation from the pool. It is there at once: the order of the stream is kept at its free.
pub(super) fn allocate_async(driver: &Driver, address: *mut u64, bytes: usize, stream: u64) -> Outcome {
    let mut state = driver.lock();
    let id = state.stream(stream)?;
    if state.capture_of(id).is_some() {
        return Err(Code::NOT_SUPPORTED);
    }
    let allocated = if bytes == 0 { 0 } else { state.memory.allocate(bytes as u64, Kind::Pool)? };
    // SAFETY: the entry point's pointer.
    unsafe { answer(address, allocated) }
}

api! { Context:
    fn cuMemGetInfo_v2(free: *mut usize, total: *mut usize) |driver| {
        let state = driver.lock();
        answer(free, state.memory.free_bytes() as usize)?;
        answer(total, state.memory.capacity as usize)
    }

    fn cuMemAlloc_v2(address: *mut u64, bytes: usize) |driver| { allocate(driver, address, bytes) }

    fn cuMemAllocManaged(address: *mut u64, bytes: usize, flags: c_uint) |driver| {
        // CU_MEM_ATTACH_GLOBAL, _HOST, _SINGLE
        if !matches!(flags, 1 | 2 | 4) {
            return Err(Code::INVALID_VALUE);
        }
        allocate(driver, address, bytes)
    }

    fn cuMemFree_v2(address: u64) |driver| {
        if address == 0 {
            return Ok(());
        }
        // As on hardware a free outside any stream waits for everything that may still use the memory.
        driver.synchronise_all()?;
        let mut state = driver.lock();
        state.memory.free(address)?;
        state.memory.unmap(address);
        state.cache.forget(address);
        Ok(())
    }

    fn cuMemcpyHtoD_v2(to: u64, from: *const c_void, bytes: usize) |driver| {
        to_device(driver, to, from, bytes, 0)?;
        driver.synchronise(0)
    }

    fn cuMemcpyDtoH_v2(to: *mut c_void, from: u64, bytes: usize) |driver| {
        to_host(driver, to, from, bytes, 0)?;
        driver.synchronise(0)
    }

    fn cuMemcpyDtoD_v2(to: u64, from: u64, bytes: usize) |driver| { on_device(driver, to, from, bytes, 0) }

    fn cuMemsetD8_v2(address: u64, value: u8, count: usize) |driver| {
        fill(driver, address, &[value], count, 0)?;
        driver.synchronise(0)
    }

    fn cuMemsetD32_v2(address: u64, value: c_uint, count: usize) |driver| {
        fill(driver, address, &value.to_le_bytes(), count, 0)?;
        driver.synchronise(0)
    }
}

api! { Driver:
    fn cuMemAllocAsync(address: *mut u64, bytes: usize, stream: u64) |driver| {
        allocate_async(driver, address, bytes, stream)
    }

    fn cuMemFreeAsync(address: u64, stream: u64) |driver| {
        {
            let mut state = driver.lock();
            let id = state.stream(stream)?;
            if state.capture_of(id).is_some() {
                return Err(Code::NOT_SUPPORTED);
            }
            if address == 0 {
                return Ok(());
            }
            state.memory.free(address)?;
        }
        driver.enqueue(stream, Operation::Unmap(address))
    }

    fn cuMemcpyHtoDAsync_v2(to: u64, from: *const c_void, bytes: usize, stream: u64) |driver| {
        to_device(driver, to, from, bytes, stream)
    }

    fn cuMemcpyDtoHAsync_v2(to: *mut c_void, from: u64, bytes: usize, stream: u64) |driver| {
        to_host(driver, to, from, bytes, stream)
    }

    fn cuMemcpyDtoDAsync_v2(to: u64, from: u64, bytes: usize, stream: u64) |driver| {
        on_device(driver, to, from, bytes, stream)
    }

    fn cuMemsetD8Async(address: u64, value: u8, count: usize, stream: u64) |driver| {
        fill(driver, address, &[value], count, stream)
    }

    fn cuMemsetD16Async(address: u64, value: u16, count: usize, stream: u64) |driver| {
        fill(driver, address, &value.to_le_bytes(), count, stream)
    }

    fn cuMemsetD32Async(address: u64, value: c_uint, count: usize, stream: u64) |driver| {
        fill(driver, address, &value.to_le_bytes(), count, stream)
    }
}
