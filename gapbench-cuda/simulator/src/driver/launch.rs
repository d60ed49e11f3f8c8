//! Whether a launch is possible, and what it takes with it.

use std::ffi::c_void;
use std::sync::Arc;

use super::code::{Code, Outcome};
use super::device;
use super::module::{Function, Module};
use crate::ptx::Kernel;

/// A launch with everything that it needs when its stream reaches it.
pub(crate) struct KernelLaunch {
    pub(crate) module: Arc<Module>,
    pub(crate) name: String,
    pub(crate) grid: [u32; 3],
    pub(crate) block: [u32; 3],
    pub(crate) dynamic_shared_bytes: u32,
    pub(crate) parameters: Vec<u8>,
}

impl KernelLaunch {
    pub(crate) fn kernel(&self) -> Outcome<&Kernel> {
        self.module.ptx.kernels.get(&self.name).ok_or(Code::INVALID_HANDLE)
    }
}

/// Shared memory that a block may use without asking, all of it that it may ask for, and that of a multiprocessor.
pub(crate) const SHARED_BYTES: u32 = 48 << 10;
pub(crate) const SHARED_OPTIN_BYTES: u32 = 227 << 10;
const SHARED_MULTIPROCESSOR_BYTES: u32 = 228 << 10;
/// What the system keeps of a block's shared memory.
const SHARED_RESERVED_BYTES: u32 = 1 << 10;

/// What a program asks for in a launch.
pub(crate) struct Shape {
    pub(crate) grid: [u32; 3],
    pub(crate) block: [u32; 3],
    pub(crate) dynamic_shared_bytes: u32,
    pub(crate) cooperative: bool,
}

impl Shape {
    /// Refuses what the device refuses.
    pub(crate) fn check(&self, function: &Function) -> Outcome {
        const GRID: [u32; 3] = [i32::MAX as u32, 65_535, 65_535];
        const BLOCK: [u32; 3] = [1024, 1024, 64];
        let inside = |sizes: &[u32; 3], limits: [u32; 3]| {
            sizes.iter().zip(limits).all(|(&size, limit)| (1..=limit).contains(&size))
        };
        let threads: u64 = self.block.iter().map(|&n| u64::from(n)).product();
        if !inside(&self.grid, GRID) || !inside(&self.block, BLOCK) || threads > 1024 {
            return Err(Code::INVALID_VALUE);
        }
        let static_bytes = function.kernel()?.shared_bytes as u64;
        let allowed = u64::from(function.max_dynamic_shared);
        if u64::from(self.dynamic_shared_bytes) > allowed || static_bytes > u64::from(SHARED_BYTES) {
            return Err(Code::INVALID_VALUE);
        }
        let blocks: u64 = self.grid.iter().map(|&n| u64::from(n)).product();
        let resident = blocks_per_multiprocessor(function, threads as u32, self.dynamic_shared_bytes)?;
        if self.cooperative && blocks > u64::from(resident) * device::MULTIPROCESSORS as u64 {
            return Err(Code::COOPERATIVE_LAUNCH_TOO_LARGE);
        }
        Ok(())
    }
}

/// How many blocks run on one multiprocessor: by threads and shared memory. Registers are not counted, since those
/// of a PTX text are not those of the machine.
pub(crate) fn blocks_per_multiprocessor(
    function: &Function,
    threads: u32,
    dynamic_shared: u32,
) -> Outcome<u32> {
    if threads == 0 || threads > 1024 {
        return Err(Code::INVALID_VALUE);
    }
    let shared = function.kernel()?.shared_bytes as u32 + dynamic_shared + SHARED_RESERVED_BYTES;
    Ok((2048 / threads.next_multiple_of(32)).min(SHARED_MULTIPROCESSOR_BYTES / shared).min(32))
}

/// Builds the parameter buffer from an array with a pointer for each parameter.
///
/// # Safety
/// `values` points to as many pointers as the kernel has parameters, each to a value of the parameter's size.
pub(crate) unsafe fn gather(kernel: &Kernel, values: *const *const c_void) -> Outcome<Vec<u8>> {
    let mut buffer = vec![0u8; kernel.parameter_bytes];
    if kernel.parameters.is_empty() {
        return Ok(buffer);
    }
    if values.is_null() {
        return Err(Code::INVALID_VALUE);
    }
    for (index, parameter) in kernel.parameters.iter().enumerate() {
        // SAFETY: the caller's promise.
        let value = unsafe { *values.add(index) }.cast::<u8>();
        if value.is_null() {
            return Err(Code::INVALID_VALUE);
        }
        // SAFETY: as above.
        let bytes = unsafe { std::slice::from_raw_parts(value, parameter.size) };
        buffer[parameter.offset..parameter.offset + parameter.size].copy_from_slice(bytes);
    }
    Ok(buffer)
}

/// Takes the parameter buffer that a program laid out itself and gave as `extra`.
///
/// # Safety
/// `extra` is the list of names and values that `cuLaunchKernel` describes.
pub(crate) unsafe fn packed(kernel: &Kernel, extra: *const *const c_void) -> Outcome<Vec<u8>> {
    const BUFFER: usize = 1;
    const SIZE: usize = 2;
    let (mut buffer, mut size) = (std::ptr::null::<u8>(), 0usize);
    let mut at = extra;
    // SAFETY: the list ends with a null name, and each name before it has a value.
    unsafe {
        while !(*at).is_null() {
            match *at as usize {
                BUFFER => buffer = (*at.add(1)).cast(),
                SIZE => size = *(*at.add(1)).cast(),
                _ => return Err(Code::INVALID_VALUE),
            }
            at = at.add(2);
        }
        if buffer.is_null() || size < kernel.parameter_bytes {
            return Err(Code::INVALID_VALUE);
        }
        Ok(std::slice::from_raw_parts(buffer, kernel.parameter_bytes).to_vec())
    }
}
