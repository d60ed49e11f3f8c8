//! Modules and their functions.

use std::ffi::{c_char, c_int, c_uint, c_void};
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;

use super::{answer, api, text};
use crate::driver::Driver;
use crate::driver::code::{Code, Outcome};
use crate::driver::launch::SHARED_BYTES;
use crate::driver::memory::Kind;
use crate::driver::module::{self, Function};

// `CUjit_option`
const ERROR_LOG_BUFFER: c_int = 5;
const ERROR_LOG_BUFFER_SIZE: c_int = 6;
const INFO_LOG_BUFFER_SIZE: c_int = 4;

/// The JIT options of one load, of which only the logs mean something here.
#[derive(Clone, Copy)]
struct Options {
    count: usize,
    names: *const c_int,
    values: *mut *mut c_void,
}

impl Options {
    const NONE: Options = Options { count: 0, names: std::ptr::null(), values: std::ptr::null_mut() };

    /// # Safety
    /// The arrays have `count` elements each.
    unsafe fn position(&self, name: c_int) -> Option<usize> {
        // SAFETY: the caller's promise.
        (0..self.count).find(|&index| unsafe { *self.names.add(index) } == name)
    }

    /// Fills the error log, and says in the place of its size how much of it is used.
    ///
    /// # Safety
    /// As for [`Options::position`], and the buffer is as long as its option says.
    unsafe fn write_log(&self, log: &str) {
        // SAFETY: the caller's promise.
        unsafe {
            if let Some(index) = self.position(INFO_LOG_BUFFER_SIZE) {
                *self.values.add(index) = std::ptr::null_mut();
            }
            let Some(size) = self.position(ERROR_LOG_BUFFER_SIZE) else { return };
            let bytes = *self.values.add(size) as usize;
            let Some(buffer) = self.position(ERROR_LOG_BUFFER) else { return };
            if super::answer_text((*self.values.add(buffer)).cast(), bytes, log).is_ok() {
                let used = if log.is_empty() { 0 } else { (log.len() + 1).min(bytes) };
                *self.values.add(size) = used as *mut c_void;
            }
        }
    }
}

/// Loads an image and answers its handle, or writes the log.
///
/// # Safety
/// `options` is as its methods ask for.
unsafe fn load(driver: &Driver, handle: *mut u64, image: *const c_void, options: Options) -> Outcome {
    if image.is_null() {
        return Err(Code::INVALID_VALUE);
    }
    let driver_version = driver.lock().script.driver_version;
    match module::load(image as u64, driver_version) {
        Ok(loaded) => {
            let mut state = driver.lock();
            for variable in loaded.ptx.variables.values().filter(|variable| variable.size > 0) {
                state.memory.register(variable.address, variable.size as u64, Kind::Variable)?;
            }
            let new = state.handle();
            state.modules.insert(new, Arc::new(loaded));
            // SAFETY: the caller's promise.
            unsafe {
                options.write_log("");
                answer(handle, new)
            }
        }
        Err(refusal) => {
            eprintln!("cuda-simulator: module refused: {}", refusal.log);
            // SAFETY: the caller's promise.
            unsafe { options.write_log(&refusal.log) };
            Err(refusal.code)
        }
    }
}

api! { Context:
    fn cuModuleLoadData(module: *mut u64, image: *const c_void) |driver| {
        load(driver, module, image, Options::NONE)
    }

    fn cuModuleLoadDataEx(module: *mut u64, image: *const c_void, count: c_uint, names: *const c_int,
        values: *mut *mut c_void) |driver| {
        load(driver, module, image, Options { count: count as usize, names, values })
    }

    fn cuModuleLoad(module: *mut u64, path: *const c_char) |driver| {
        let path = text(path)?;
        let mut image = std::fs::read(std::ffi::OsStr::from_bytes(path.as_bytes())).map_err(|_| Code::FILE_NOT_FOUND)?;
        image.push(0);
        load(driver, module, image.as_ptr().cast(), Options::NONE)
    }

    fn cuModuleUnload(module: u64) |driver| {
        let mut state = driver.lock();
        let unloaded = state.modules.remove(&module).ok_or(Code::INVALID_HANDLE)?;
        unloaded.ptx.variables.values().for_each(|variable| state.memory.unmap(variable.address));
        state.functions.retain(|_, function| function.module_handle != module);
        Ok(())
    }

    fn cuModuleGetFunction(function: *mut u64, module: u64, name: *const c_char) |driver| {
        let name = text(name)?;
        let mut state = driver.lock();
        let loaded = state.modules.get(&module).cloned().ok_or(Code::INVALID_HANDLE)?;
        let kernel = loaded.ptx.kernels.get(&name).ok_or(Code::NOT_FOUND)?;
        let max_dynamic_shared = SHARED_BYTES.saturating_sub(kernel.shared_bytes as u32);
        let found = Function { module: loaded, module_handle: module, name, max_dynamic_shared, carveout: -1 };
        let handle = state.handle();
        state.functions.insert(handle, found);
        answer(function, handle)
    }

    fn cuModuleGetGlobal_v2(address: *mut u64, bytes: *mut usize, module: u64, name: *const c_char) |driver| {
        let name = text(name)?;
        let state = driver.lock();
        let module = state.modules.get(&module).ok_or(Code::INVALID_HANDLE)?;
        let variable = module.ptx.variables.get(&name).ok_or(Code::NOT_FOUND)?;
        // Either answer may be unwanted.
        if !address.is_null() {
            answer(address, variable.address)?;
        }
        if bytes.is_null() { Ok(()) } else { answer(bytes, variable.size) }
    }
}
