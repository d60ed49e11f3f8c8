//! The device's one memory pool.

use std::ffi::{c_int, c_void};

use super::memory::allocate_async;
use super::{answer, api};
use crate::driver::code::{Code, Outcome};

const POOL: u64 = 0x900;

fn check(pool: u64) -> Outcome {
    if pool == POOL { Ok(()) } else { Err(Code::INVALID_VALUE) }
}

// `CUmemPool_attribute`
const REUSE: std::ops::RangeInclusive<c_int> = 1..=3;
const RELEASE_THRESHOLD: c_int = 4;
const RESERVED_CURRENT: c_int = 5;
const RESERVED_HIGH: c_int = 6;
const USED_CURRENT: c_int = 7;
const USED_HIGH: c_int = 8;

api! { Driver:
    fn cuDeviceGetDefaultMemPool(pool: *mut u64, device: c_int) |_| {
        if device != 0 {
            return Err(Code::INVALID_DEVICE);
        }
        answer(pool, POOL)
    }

    fn cuDeviceGetMemPool(pool: *mut u64, device: c_int) |_| {
        if device != 0 {
            return Err(Code::INVALID_DEVICE);
        }
        answer(pool, POOL)
    }

    fn cuDeviceSetMemPool(device: c_int, pool: u64) |_| {
        if device != 0 {
            return Err(Code::INVALID_DEVICE);
        }
        check(pool)
    }

    fn cuMemPoolGetAttribute(pool: u64, attribute: c_int, value: *mut c_void) |driver| {
        check(pool)?;
        let state = driver.lock();
        let figures = &state.memory.pool;
        let figure = match attribute {
            // Memory is never reused by another stream before its free, whatever these say.
            _ if REUSE.contains(&attribute) => return answer(value.cast::<c_int>(), 1),
            RELEASE_THRESHOLD => figures.release_threshold,
            RESERVED_CURRENT => figures.reserved,
            RESERVED_HIGH => figures.reserved_high,
            USED_CURRENT => figures.used,
            USED_HIGH => figures.used_high,
            _ => return Err(Code::INVALID_VALUE),
        };
        answer(value.cast::<u64>(), figure)
    }

    fn cuMemPoolSetAttribute(pool: u64, attribute: c_int, value: *const c_void) |driver| {
        check(pool)?;
        if value.is_null() {
            return Err(Code::INVALID_VALUE);
        }
        if REUSE.contains(&attribute) {
            return Ok(());
        }
        let value = value.cast::<u64>().read_unaligned();
        let mut state = driver.lock();
        let figures = &mut state.memory.pool;
        match (attribute, value) {
            (RELEASE_THRESHOLD, value) => figures.release_threshold = value,
            // A high-water mark can only be set to what is now, which is asked for as 0.
            (RESERVED_HIGH, 0) => figures.reserved_high = figures.reserved,
            (USED_HIGH, 0) => figures.used_high = figures.used,
            _ => return Err(Code::INVALID_VALUE),
        }
        Ok(())
    }

    fn cuMemPoolTrimTo(pool: u64, keep: usize) |driver| {
        check(pool)?;
        driver.lock().memory.pool.trim(keep as u64);
        Ok(())
    }

    fn cuMemAllocFromPoolAsync(address: *mut u64, bytes: usize, pool: u64, stream: u64) |driver| {
        check(pool)?;
        allocate_async(driver, address, bytes, stream)
    }
}
