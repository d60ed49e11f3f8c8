//! The way to the simulated driver, which the program has opened.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::OnceLock;

type Run = unsafe extern "C" fn(*mut c_void) -> u32;
type Release = unsafe extern "C" fn(*mut c_void);

/// The driver's functions that this library uses.
pub(crate) struct Driver {
    enqueue: unsafe extern "C" fn(u64, *const c_char, u64, u64, Run, Release, *mut c_void) -> u32,
    covers: unsafe extern "C" fn(u64, u64) -> c_int,
    enter: unsafe extern "C" fn(*const c_char) -> u32,
    current_context: unsafe extern "C" fn(*mut u64) -> u32,
}

/// The simulated driver, or nothing if the driver is another or none.
pub(crate) fn driver() -> Option<&'static Driver> {
    static DRIVER: OnceLock<Option<Driver>> = OnceLock::new();
    DRIVER.get_or_init(open).as_ref()
}

fn open() -> Option<Driver> {
    // SAFETY: the name ends with a zero; the library's initialisation does nothing.
    let library = unsafe { libc::dlopen(c"libcuda.so.1".as_ptr(), libc::RTLD_NOW | libc::RTLD_GLOBAL) };
    if library.is_null() {
        return None;
    }
    let find = |name: &CStr| {
        // SAFETY: the library is open and stays so.
        let symbol = unsafe { libc::dlsym(library, name.as_ptr()) };
        (!symbol.is_null()).then_some(symbol)
    };
    // SAFETY: these are the types with which the driver defines the functions.
    unsafe {
        Some(Driver {
            enqueue: std::mem::transmute::<
                *mut c_void,
                unsafe extern "C" fn(u64, *const c_char, u64, u64, Run, Release, *mut c_void) -> u32,
            >(find(c"simulator_enqueue")?),
            covers: std::mem::transmute::<*mut c_void, unsafe extern "C" fn(u64, u64) -> c_int>(find(
                c"simulator_covers",
            )?),
            enter: std::mem::transmute::<*mut c_void, unsafe extern "C" fn(*const c_char) -> u32>(find(
                c"simulator_enter",
            )?),
            current_context: std::mem::transmute::<*mut c_void, unsafe extern "C" fn(*mut u64) -> u32>(find(
                c"cuCtxGetCurrent",
            )?),
        })
    }
}

impl Driver {
    /// Counts a call; the script may let it fail with a status.
    pub(crate) fn enter(&self, name: &CStr) -> u32 {
        // SAFETY: the name ends with a zero.
        unsafe { (self.enter)(name.as_ptr()) }
    }

    /// Whether the calling thread has a context.
    pub(crate) fn has_context(&self) -> bool {
        let mut context = 0;
        // SAFETY: the pointer is to a local.
        unsafe { (self.current_context)(&raw mut context) == 0 && context != 0 }
    }

    /// Whether a range of device addresses lies in one live allocation.
    pub(crate) fn covers(&self, address: u64, bytes: u64) -> bool {
        // SAFETY: plain numbers.
        unsafe { (self.covers)(address, bytes) != 0 }
    }

    /// Puts work into a stream; it is dropped when the driver needs it no more.
    pub(crate) fn enqueue<W: Work>(
        &self,
        stream: u64,
        name: &CStr,
        (latency_ns, body_ns): (u64, u64),
        work: W,
    ) -> u32 {
        unsafe extern "C" fn run<W: Work>(data: *mut c_void) -> u32 {
            // SAFETY: the driver passes the data that it was given with this function.
            let work = unsafe { &*data.cast::<W>() };
            let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work.run()));
            match done {
                Ok(Ok(())) => 0,
                Ok(Err(code)) => code,
                // CUDA_ERROR_UNKNOWN
                Err(_) => 999,
            }
        }
        unsafe extern "C" fn release<W>(data: *mut c_void) {
            // SAFETY: the driver releases the data once.
            drop(unsafe { Box::from_raw(data.cast::<W>()) });
        }
        let data = Box::into_raw(Box::new(work)).cast();
        // SAFETY: the functions fit the data, which the driver releases in any case.
        unsafe { (self.enqueue)(stream, name.as_ptr(), latency_ns, body_ns, run::<W>, release::<W>, data) }
    }
}

/// What a stream runs.
pub(crate) trait Work: Send + 'static {
    /// Runs it; the error is a code of the driver.
    fn run(&self) -> Result<(), u32>;
}
