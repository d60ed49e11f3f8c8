//! Host memory that the device addresses as the host does.

use std::ffi::{c_uint, c_void};

use super::{answer, api};
use crate::driver::Driver;
use crate::driver::code::{Code, Outcome};
use crate::driver::memory::Kind;

fn allocate(driver: &Driver, address: *mut u64, bytes: usize) -> Outcome {
    if bytes == 0 {
        return Err(Code::INVALID_VALUE);
    }
    let allocated = driver.lock().memory.allocate(bytes as u64, Kind::Host)?;
    // SAFETY: the entry point's pointer.
    unsafe { answer(address, allocated) }
}

api! { Context:
    fn cuMemHostAlloc(address: *mut u64, bytes: usize, flags: c_uint) |driver| {
        // Portable, mapped, write-combined: here they are all one.
        if flags > 7 {
            return Err(Code::INVALID_VALUE);
        }
        allocate(driver, address, bytes)
    }

    fn cuMemAllocHost_v2(address: *mut u64, bytes: usize) |driver| { allocate(driver, address, bytes) }

    fn cuMemFreeHost(address: u64) |driver| {
        // As on hardware: a kernel may still read the memory.
        driver.synchronise_all()?;
        driver.lock().memory.unmap_host(address, Kind::Host)
    }

    fn cuMemHostRegister_v2(address: *mut c_void, bytes: usize, _flags: c_uint) |driver| {
        if address.is_null() || bytes == 0 {
            return Err(Code::INVALID_VALUE);
        }
        driver.lock().memory.register(address as u64, bytes as u64, Kind::Registered)
    }

    fn cuMemHostUnregister(address: u64) |driver| {
        driver.synchronise_all()?;
        driver.lock().memory.unmap_host(address, Kind::Registered)
    }

    fn cuMemHostGetDevicePointer_v2(device: *mut u64, host: u64, flags: c_uint) |driver| {
        if flags != 0 || !driver.lock().memory.is_pinned(host, 1) {
            return Err(Code::INVALID_VALUE);
        }
        answer(device, host)
    }

    fn cuMemHostGetFlags(flags: *mut c_uint, host: u64) |driver| {
        if !driver.lock().memory.is_pinned(host, 1) {
            return Err(Code::INVALID_VALUE);
        }
        // CU_MEMHOSTALLOC_DEVICEMAP
        answer(flags, 2)
    }
}
