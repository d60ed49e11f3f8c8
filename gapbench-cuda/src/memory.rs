//! How much of the device's memory is used.

use std::ffi::c_int;

use crate::context::{Context, call};
use crate::error::CudaError;

// `CUmemPool_attribute`
pub(crate) const RELEASE_THRESHOLD: c_int = 4;
const RESERVED_CURRENT: c_int = 5;
const RESERVED_HIGH: c_int = 6;
const USED_CURRENT: c_int = 7;
const USED_HIGH: c_int = 8;

/// The memory of a device: of its stream-ordered pool, exactly, and of the device as a whole.
///
/// The pool serves [`Buffer`](crate::Buffer) and what else allocates in stream order (cudarc, candle); the device's figures
/// have the context, the modules' code, cuBLAS and other processes too. A buffer leaves the pool when its stream reaches
/// its end: synchronize before looking.
#[derive(Clone, Copy, Debug)]
pub struct Memory<'a> {
    core: &'a Context,
}

impl<'a> Memory<'a> {
    pub(crate) fn new(core: &'a Context) -> Memory<'a> {
        Memory { core }
    }

    fn attribute(&self, which: c_int) -> Result<u64, CudaError> {
        self.core.bind()?;
        let mut value = 0;
        // SAFETY: the pointer is to a value of the type that these attributes have.
        unsafe {
            call!(self.core, "cuMemPoolGetAttribute", pool_attribute(self.core.pool, which, &mut value))?;
        }
        Ok(value)
    }

    /// What the pool's allocations have now.
    ///
    /// # Errors
    /// The driver's refusal.
    pub fn used_bytes(&self) -> Result<u64, CudaError> {
        self.attribute(USED_CURRENT)
    }

    /// The most that they had since [`Memory::reset_peaks`].
    ///
    /// # Errors
    /// The driver's refusal.
    pub fn used_peak_bytes(&self) -> Result<u64, CudaError> {
        self.attribute(USED_HIGH)
    }

    /// What the pool has taken from the device now.
    ///
    /// # Errors
    /// The driver's refusal.
    pub fn reserved_bytes(&self) -> Result<u64, CudaError> {
        self.attribute(RESERVED_CURRENT)
    }

    /// The most that it had since [`Memory::reset_peaks`].
    ///
    /// # Errors
    /// The driver's refusal.
    pub fn reserved_peak_bytes(&self) -> Result<u64, CudaError> {
        self.attribute(RESERVED_HIGH)
    }

    /// Makes both peaks what is used and reserved now.
    ///
    /// # Errors
    /// The driver's refusal.
    pub fn reset_peaks(&self) -> Result<(), CudaError> {
        self.core.bind()?;
        self.core.set_pool_attribute(USED_HIGH, 0)?;
        self.core.set_pool_attribute(RESERVED_HIGH, 0)
    }

    /// Gives what the pool has reserved and nobody uses back to the device. It is kept otherwise, since taking it again
    /// costs more than most kernels.
    ///
    /// # Errors
    /// The driver's refusal.
    pub fn trim(&self) -> Result<(), CudaError> {
        self.core.bind()?;
        // SAFETY: the pool is the device's own.
        unsafe { call!(self.core, "cuMemPoolTrimTo", trim_pool(self.core.pool, 0)) }
    }

    /// What the device has free, whoever uses the rest.
    ///
    /// # Errors
    /// The driver's refusal.
    pub fn free_bytes(&self) -> Result<u64, CudaError> {
        self.core.bind()?;
        self.core.memory_info().map(|(free, _)| free)
    }

    /// What the device has.
    ///
    /// # Errors
    /// The driver's refusal.
    pub fn total_bytes(&self) -> Result<u64, CudaError> {
        self.core.bind()?;
        self.core.memory_info().map(|(_, total)| total)
    }
}
