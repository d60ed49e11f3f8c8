//! Memory of the host that a kernel reads and writes while it runs.

use std::ffi::c_void;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use crate::args::Pointer;
use crate::context::{Context, call};
use crate::cuda::Cuda;
use crate::error::CudaError;

/// `CU_MEMHOSTALLOC_DEVICEMAP`
const DEVICE_MAP: u32 = 2;

/// A few words of pinned memory, which both sides may change at any time.
#[derive(Debug)]
pub(crate) struct Mapped<T> {
    core: Arc<Context>,
    host: *mut c_void,
    device: u64,
    len: usize,
    of: PhantomData<T>,
}

// SAFETY: the memory belongs to this value alone and is only reached through atomic loads and stores.
unsafe impl<T> Send for Mapped<T> {}
// SAFETY: the same.
unsafe impl<T> Sync for Mapped<T> {}

/// A word that is read and written whole.
pub(crate) trait Word: Copy {
    /// Reads the word there.
    ///
    /// # Safety
    /// The address is aligned and points to memory that lives.
    unsafe fn load(from: *mut Self) -> Self;
    /// Writes it.
    ///
    /// # Safety
    /// As of [`load`](Word::load).
    unsafe fn store(self, to: *mut Self);
}

macro_rules! words {
    ($($word:ty, $atomic:ty;)*) => {$(
        impl Word for $word {
            unsafe fn load(from: *mut Self) -> Self {
                // SAFETY: promised by the caller.
                unsafe { <$atomic>::from_ptr(from) }.load(Ordering::Acquire)
            }

            unsafe fn store(self, to: *mut Self) {
                // SAFETY: promised by the caller.
                unsafe { <$atomic>::from_ptr(to) }.store(self, Ordering::Release);
            }
        }
    )*};
}

words! {
    u32, AtomicU32;
    u64, AtomicU64;
}

impl Cuda {
    /// `len` zeros that the host and kernels share.
    pub(crate) fn mapped<T: Word>(&self, len: usize) -> Result<Mapped<T>, CudaError> {
        let core = self.core();
        core.bind()?;
        let bytes = len.max(1) * size_of::<T>();
        let (mut host, mut device) = (std::ptr::null_mut(), 0);
        // SAFETY: both pointers are to values of the types that the driver fills in.
        unsafe { call!(core, "cuMemHostAlloc", allocate_host(&mut host, bytes, DEVICE_MAP))? };
        let mut mapped = Mapped { core: Arc::clone(core), host, device, len, of: PhantomData };
        // SAFETY: the allocation has `bytes` bytes, and nobody else knows of it yet.
        unsafe {
            host.cast::<u8>().write_bytes(0, bytes);
            call!(core, "cuMemHostGetDevicePointer", host_address(&mut device, host, 0))?;
        }
        mapped.device = device;
        Ok(mapped)
    }
}

impl<T: Word> Mapped<T> {
    /// For a kernel's argument.
    pub(crate) fn address(&self) -> Pointer {
        Pointer(self.device)
    }

    /// The word at `index`; that of the last one where there are fewer.
    pub(crate) fn get(&self, index: usize) -> T {
        // SAFETY: `place` stays inside the allocation, which lives as long as this value and is page-aligned.
        unsafe { T::load(self.place(index)) }
    }

    /// Sets the word at `index`.
    pub(crate) fn set(&self, index: usize, value: T) {
        // SAFETY: as above.
        unsafe { value.store(self.place(index)) }
    }

    fn place(&self, index: usize) -> *mut T {
        self.host.cast::<T>().wrapping_add(index.min(self.len.saturating_sub(1)))
    }
}

impl<T> Drop for Mapped<T> {
    fn drop(&mut self) {
        // Freeing waits for the device, and a hung one would be waited for without end.
        if !self.core.is_hung() && self.core.bind().is_ok() {
            // SAFETY: allocated by this driver and not freed yet. An error here can only be one that the context has
            // already reported.
            unsafe { (self.core.symbols.free_host)(self.host) };
        }
    }
}
