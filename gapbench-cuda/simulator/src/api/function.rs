//! What can be asked of a function and set for it.

use std::ffi::{c_int, c_uint};

use super::{answer, api};
use crate::driver::Driver;
use crate::driver::code::{Code, Outcome};
use crate::driver::device::MULTIPROCESSORS;
use crate::driver::launch::{SHARED_OPTIN_BYTES, blocks_per_multiprocessor};
use crate::driver::module::Function;

// `CUfunction_attribute`
const MAX_DYNAMIC_SHARED: c_int = 8;
const CARVEOUT: c_int = 9;

fn function(driver: &Driver, handle: u64) -> Outcome<Function> {
    driver.lock().functions.get(&handle).cloned().ok_or(Code::INVALID_HANDLE)
}

/// How a program says what shared memory a block of a size needs.
type SharedOfBlock = Option<unsafe extern "C" fn(c_int) -> usize>;

/// The block size with which most threads run at once, the largest of them.
fn best_block(
    function: &Function,
    shared_of: SharedOfBlock,
    shared: usize,
    limit: c_int,
) -> Outcome<(u32, u32)> {
    let limit = if limit <= 0 { 1024 } else { (limit as u32).min(1024) };
    let mut best = (0, 0);
    for threads in (1..=limit / 32).rev().map(|warps| warps * 32) {
        // SAFETY: the program gave the function for block sizes.
        let shared = shared_of.map_or(shared, |shared_of| unsafe { shared_of(threads as c_int) });
        let shared = u32::try_from(shared).map_err(|_| Code::INVALID_VALUE)?;
        let blocks = blocks_per_multiprocessor(function, threads, shared)?;
        if blocks * threads > best.0 * best.1 {
            best = (blocks, threads);
        }
    }
    Ok(best)
}

/// Answers the best block size and the grid that fills the device with it.
fn potential(
    driver: &Driver,
    (grid, block): (*mut c_int, *mut c_int),
    handle: u64,
    (shared_of, shared, limit): (SharedOfBlock, usize, c_int),
) -> Outcome {
    let (blocks, threads) = best_block(&function(driver, handle)?, shared_of, shared, limit)?;
    // SAFETY: the entry point's pointers.
    unsafe {
        answer(grid, blocks as c_int * MULTIPROCESSORS)?;
        answer(block, threads as c_int)
    }
}

fn active(driver: &Driver, blocks: *mut c_int, handle: u64, threads: c_int, shared: usize) -> Outcome {
    let threads = u32::try_from(threads).map_err(|_| Code::INVALID_VALUE)?;
    let shared = u32::try_from(shared).map_err(|_| Code::INVALID_VALUE)?;
    let found = blocks_per_multiprocessor(&function(driver, handle)?, threads, shared)?;
    // SAFETY: the entry point's pointer.
    unsafe { answer(blocks, found as c_int) }
}

api! { Context:
    fn cuFuncGetAttribute(value: *mut c_int, attribute: c_int, handle: u64) |driver| {
        let function = function(driver, handle)?;
        let kernel = function.kernel()?;
        let (major, minor) = function.module.ptx.version;
        answer(value, match attribute {
            0 => 1024,
            1 => kernel.shared_bytes as c_int,
            3 => kernel.local_bytes as c_int,
            // A PTX text has more registers than the machine gives a thread.
            4 => kernel.registers.min(255) as c_int,
            5 => (major * 10 + minor) as c_int,
            6 => 90,
            MAX_DYNAMIC_SHARED => function.max_dynamic_shared as c_int,
            CARVEOUT => function.carveout,
            // Constants, cache mode, clusters.
            2 | 7 | 10..=16 => 0,
            _ => return Err(Code::INVALID_VALUE),
        })
    }

    // A driver before CUDA 12.4 does not have it.
    fn cuFuncGetParamInfo(handle: u64, index: usize, offset: *mut usize, size: *mut usize) |driver| {
        let function = function(driver, handle)?;
        if driver.lock().script.driver_version < 12_040 {
            return Err(Code::NOT_SUPPORTED);
        }
        let parameter = function.kernel()?.parameters.get(index).ok_or(Code::INVALID_VALUE)?;
        answer(offset, parameter.offset)?;
        if size.is_null() { Ok(()) } else { answer(size, parameter.size) }
    }

    fn cuFuncSetAttribute(handle: u64, attribute: c_int, value: c_int) |driver| {
        let mut state = driver.lock();
        let function = state.functions.get_mut(&handle).ok_or(Code::INVALID_HANDLE)?;
        match attribute {
            MAX_DYNAMIC_SHARED => {
                let limit = SHARED_OPTIN_BYTES.saturating_sub(function.kernel()?.shared_bytes as u32);
                let asked = u32::try_from(value).ok().filter(|&asked| asked <= limit);
                function.max_dynamic_shared = asked.ok_or(Code::INVALID_VALUE)?;
            }
            CARVEOUT if (-1..=100).contains(&value) => function.carveout = value,
            _ => return Err(Code::INVALID_VALUE),
        }
        Ok(())
    }

    // A preference, which hardware may ignore too.
    fn cuFuncSetCacheConfig(handle: u64, _config: c_int) |driver| { function(driver, handle).map(|_| ()) }

    fn cuFuncGetModule(module: *mut u64, handle: u64) |driver| {
        answer(module, function(driver, handle)?.module_handle)
    }

    fn cuOccupancyMaxActiveBlocksPerMultiprocessor(blocks: *mut c_int, handle: u64, threads: c_int,
        shared: usize) |driver| { active(driver, blocks, handle, threads, shared) }

    fn cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(blocks: *mut c_int, handle: u64, threads: c_int,
        shared: usize, _flags: c_uint) |driver| { active(driver, blocks, handle, threads, shared) }

    fn cuOccupancyMaxPotentialBlockSize(grid: *mut c_int, block: *mut c_int, handle: u64, shared_of: SharedOfBlock,
        shared: usize, limit: c_int) |driver| { potential(driver, (grid, block), handle, (shared_of, shared, limit)) }

    fn cuOccupancyMaxPotentialBlockSizeWithFlags(grid: *mut c_int, block: *mut c_int, handle: u64,
        shared_of: SharedOfBlock, shared: usize, limit: c_int, _flags: c_uint) |driver| {
        potential(driver, (grid, block), handle, (shared_of, shared, limit))
    }

    fn cuOccupancyAvailableDynamicSMemPerBlock(bytes: *mut usize, handle: u64, blocks: c_int, threads: c_int) |driver| {
        let function = function(driver, handle)?;
        let threads = u32::try_from(threads).map_err(|_| Code::INVALID_VALUE)?;
        let blocks = u32::try_from(blocks).map_err(|_| Code::INVALID_VALUE)?;
        let fits = |shared: &u32| blocks_per_multiprocessor(&function, threads, *shared).is_ok_and(|n| n >= blocks);
        let most = (0..=SHARED_OPTIN_BYTES).step_by(128).take_while(fits).last();
        answer(bytes, most.ok_or(Code::INVALID_VALUE)? as usize)
    }
}
