//! What every object of a device shares: the driver's functions, the context, and what went wrong so far.

use std::ffi::c_int;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use cudarc::driver::CudaContext;
use gapbench::measure::now_ns;

use crate::error::CudaError;
use crate::status::Status;
use crate::symbols::{Handle, Symbols};

/// How long a wait asks the driver without pause. A short kernel is seen at once; a long one does not cost a processor.
const SPIN_NS: u64 = 200_000;
/// The pause afterwards.
const PAUSE: Duration = Duration::from_micros(50);
/// How long a wait may take, if nothing else is said: longer than any kernel that is benchmarked, shorter than patience.
const DEADLINE: Duration = Duration::from_secs(30);

/// `CU_DEVICE_ATTRIBUTE_MEMORY_POOLS_SUPPORTED`
const MEMORY_POOLS: c_int = 115;

/// The primary context of a device, retained.
pub(crate) struct Context {
    pub(crate) symbols: &'static Symbols,
    pub(crate) device: c_int,
    handle: Handle,
    pub(crate) pool: Handle,
    context: Option<Arc<CudaContext>>,
    deadline_ns: AtomicU64,
    last_kernel: Mutex<Option<Arc<str>>>,
    /// What ended the context, and the kernel launched last at that moment.
    lost: OnceLock<(Status, Option<String>)>,
    /// A wait ended at its deadline. Whatever waits for the device now may never return.
    hung: AtomicBool,
    /// How long it took, until somebody asks for another deadline: nobody has to wait for the same again.
    gave_up_ns: AtomicU64,
    allocations: AtomicU64,
}

/// Every object has it: a word is enough.
impl fmt::Debug for Context {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "device {}", self.device)
    }
}

/// A call by its name.
macro_rules! call {
    ($core:expr, $name:literal, $field:ident ( $($argument:expr),* $(,)? )) => {
        $core.check($name, ($core.symbols.$field)($($argument),*))
    };
}
pub(crate) use call;

impl Context {
    /// Retains the primary context, makes it current in this thread, and hands it to cudarc too.
    pub(crate) fn new(symbols: &'static Symbols, device: c_int) -> Result<Context, CudaError> {
        let mut core = Context {
            symbols,
            device,
            handle: 0,
            pool: 0,
            context: None,
            deadline_ns: AtomicU64::new(DEADLINE.as_nanos() as u64),
            last_kernel: Mutex::new(None),
            lost: OnceLock::new(),
            hung: AtomicBool::new(false),
            gave_up_ns: AtomicU64::new(0),
            allocations: AtomicU64::new(0),
        };
        // A failing call drops `core`, which then releases the context if it has one.
        // SAFETY: each pointer is to a value of the type that is asked for.
        unsafe {
            let mut handle = 0;
            call!(core, "cuDevicePrimaryCtxRetain", retain_context(&mut handle, device))?;
            core.handle = handle;
            core.bind()?;
            let mut supported = 0;
            call!(core, "cuDeviceGetAttribute", device_attribute(&mut supported, MEMORY_POOLS, device))?;
            if supported == 0 {
                return Err(CudaError::Driver { call: "cuDeviceGetMemPool", code: Status::NOT_SUPPORTED });
            }
            let mut pool = 0;
            call!(core, "cuDeviceGetMemPool", device_pool(&mut pool, device))?;
            core.pool = pool;
        }
        // Memory goes back to the system only when asked: giving it back at each synchronisation, as the default does,
        // costs more than most kernels.
        core.set_pool_attribute(crate::memory::RELEASE_THRESHOLD, u64::MAX)?;
        // What cudarc calls here was called above and is known to answer well.
        let context = CudaContext::new(0)
            .map_err(|error| CudaError::Driver { call: "CudaContext::new", code: Status(error.0 as i32) })?;
        // SAFETY: nothing of cudarc's that would be tracked exists yet; buffers of this crate order themselves.
        unsafe { context.disable_event_tracking() };
        core.context = Some(context);
        Ok(core)
    }

    /// cudarc's form of the context, which is there once [`Context::new`] has returned.
    pub(crate) fn context(&self) -> Option<&Arc<CudaContext>> {
        self.context.as_ref()
    }

    /// Makes the context current in this thread.
    pub(crate) fn bind(&self) -> Result<(), CudaError> {
        let mut current = 0;
        // SAFETY: the pointer is to a handle; the context lives as long as `self`.
        unsafe {
            call!(self, "cuCtxGetCurrent", current_context(&mut current))?;
            if current != self.handle {
                call!(self, "cuCtxSetCurrent", set_current_context(self.handle))?;
            }
        }
        Ok(())
    }

    /// Turns an answer of the driver into a result.
    #[inline]
    pub(crate) fn check(&self, call: &'static str, status: c_int) -> Result<(), CudaError> {
        if status == 0 { Ok(()) } else { Err(self.error(call, Status(status))) }
    }

    #[cold]
    pub(crate) fn error(&self, call: &'static str, code: Status) -> CudaError {
        if code == Status::OUT_OF_MEMORY {
            return self.out_of_memory(call, None);
        }
        if code.is_sticky() {
            let (code, kernel) = self.lost.get_or_init(|| (code, self.last_kernel())).clone();
            return CudaError::Sticky { kernel, call, code };
        }
        CudaError::Driver { call, code }
    }

    pub(crate) fn out_of_memory(&self, call: &'static str, wanted: Option<u64>) -> CudaError {
        let (free, total) = self.memory_info().unwrap_or((0, 0));
        CudaError::OutOfMemory { call, wanted, free, total }
    }

    /// What the device has free and in all.
    pub(crate) fn memory_info(&self) -> Result<(u64, u64), CudaError> {
        let (mut free, mut total) = (0, 0);
        // SAFETY: the pointers are to values of the type that is asked for.
        let status = unsafe { (self.symbols.memory_info)(&mut free, &mut total) };
        // Not through `check`, which asks for the memory again.
        match Status(status) {
            Status::SUCCESS => Ok((free as u64, total as u64)),
            code => Err(CudaError::Driver { call: "cuMemGetInfo", code }),
        }
    }

    pub(crate) fn set_pool_attribute(&self, attribute: c_int, value: u64) -> Result<(), CudaError> {
        // SAFETY: the pointer is to a value of the type that these attributes have.
        unsafe {
            call!(self, "cuMemPoolSetAttribute", set_pool_attribute(self.pool, attribute, &raw const value))
        }
    }

    pub(crate) fn set_deadline(&self, deadline: Duration) {
        let nanoseconds = u64::try_from(deadline.as_nanos()).unwrap_or(u64::MAX);
        self.deadline_ns.store(nanoseconds, Ordering::Relaxed);
        self.gave_up_ns.store(0, Ordering::Relaxed);
    }

    /// Asks until the answer is not "not ready".
    pub(crate) fn wait(&self, call: &'static str, mut query: impl FnMut() -> c_int) -> Result<(), CudaError> {
        let begin = now_ns();
        loop {
            let status = Status(query());
            if status != Status::NOT_READY {
                return self.check(call, status.0);
            }
            let waited = now_ns().saturating_sub(begin);
            let gave_up = self.gave_up_ns.load(Ordering::Relaxed);
            if gave_up > 0 || waited >= self.deadline_ns.load(Ordering::Relaxed) {
                let waited = waited.max(gave_up).max(1);
                self.hung.store(true, Ordering::Relaxed);
                self.gave_up_ns.store(waited, Ordering::Relaxed);
                return Err(CudaError::Deadline {
                    waited: Duration::from_nanos(waited),
                    kernel: self.last_kernel(),
                });
            }
            if waited < SPIN_NS {
                std::hint::spin_loop();
            } else {
                #[allow(clippy::disallowed_methods, reason = "a pause between two looks, under a deadline")]
                std::thread::sleep(PAUSE);
            }
        }
    }

    /// Asks once.
    pub(crate) fn is_done(&self, call: &'static str, status: c_int) -> Result<bool, CudaError> {
        match Status(status) {
            Status::NOT_READY => Ok(false),
            Status(status) => self.check(call, status).map(|()| true),
        }
    }

    /// Nothing that may wait for the device is to be called any more.
    pub(crate) fn is_hung(&self) -> bool {
        self.hung.load(Ordering::Relaxed)
    }

    pub(crate) fn launched(&self, kernel: &Arc<str>) {
        let mut last = self.last_kernel.lock().unwrap_or_else(PoisonError::into_inner);
        if !last.as_ref().is_some_and(|last| Arc::ptr_eq(last, kernel)) {
            *last = Some(Arc::clone(kernel));
        }
    }

    /// The kernel launched last, for errors that are seen later.
    pub(crate) fn last_launched(&self) -> Option<Arc<str>> {
        self.last_kernel.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts another one in its place.
    pub(crate) fn replace_last_launched(&self, kernel: Option<Arc<str>>) -> Option<Arc<str>> {
        std::mem::replace(&mut *self.last_kernel.lock().unwrap_or_else(PoisonError::into_inner), kernel)
    }

    fn last_kernel(&self) -> Option<String> {
        self.last_launched().map(|kernel| kernel.to_string())
    }

    pub(crate) fn next_allocation(&self) -> u64 {
        self.allocations.fetch_add(1, Ordering::Relaxed) + 1
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        if self.is_hung() {
            // Releasing the context would wait for the kernel that never ends.
            std::mem::forget(self.context.take());
        } else if self.handle != 0 {
            drop(self.context.take());
            // SAFETY: the context was retained by `new`, and nothing of it is used any more. Its answer could only be
            // told to nobody.
            unsafe { (self.symbols.release_context)(self.device) };
        }
    }
}
