//! Error texts, and how a program finds functions by name.

use std::ffi::{CStr, CString, c_char, c_int, c_void};

use super::{answer, api, text};
use crate::driver::Driver;
use crate::driver::code::{Code, Outcome, texts};

/// Answers one of a code's texts; an unknown code has none.
fn answer_text(target: *mut *const c_char, found: Option<&'static CStr>) -> Outcome {
    let pointer = found.map_or(std::ptr::null(), CStr::as_ptr);
    // SAFETY: the entry point's pointer.
    unsafe { answer(target, pointer) }?;
    if found.is_some() { Ok(()) } else { Err(Code::INVALID_VALUE) }
}

/// Finds one of this library's own functions, in its newest version first.
fn find(driver: &Driver, name: &str) -> Option<*mut c_void> {
    ["_v3", "_v2", ""].iter().find_map(|version| {
        let symbol = format!("{name}{version}");
        let missing =
            driver.lock().script.missing.iter().any(|missing| *missing == symbol || missing == name);
        if missing { None } else { own_symbol(&symbol) }
    })
}

/// Whether a function can be made to fail: one of this library, or one of cuBLAS, which tells of its calls.
pub(crate) fn exists(function: &str) -> bool {
    function.starts_with("cublas") || own_symbol(function).is_some()
}

fn own_symbol(name: &str) -> Option<*mut c_void> {
    let (library, name) = (own_library()?, CString::new(name).ok()?);
    // SAFETY: the library is open and the name ends with a zero.
    let address = unsafe { libc::dlsym(library, name.as_ptr()) };
    (!address.is_null()).then_some(address)
}

/// This library, opened once more.
fn own_library() -> Option<*mut c_void> {
    let here: unsafe extern "C" fn(u32, *mut *const c_char) -> u32 = cuGetErrorName;
    let mut info = std::mem::MaybeUninit::<libc::Dl_info>::uninit();
    // SAFETY: the address is that of a function of this library, and the path stays valid while it is loaded.
    unsafe {
        if libc::dladdr(here as *const c_void, info.as_mut_ptr()) == 0 {
            return None;
        }
        let library = libc::dlopen(info.assume_init().dli_fname, libc::RTLD_NOW | libc::RTLD_NOLOAD);
        (!library.is_null()).then_some(library)
    }
}

/// Answers a function by name, with `CU_GET_PROC_ADDRESS_SUCCESS` or `_SYMBOL_NOT_FOUND`.
///
/// # Safety
/// The pointers are null or writable.
unsafe fn proc_address(
    driver: &Driver,
    name: &str,
    address: *mut *mut c_void,
    status: *mut c_int,
) -> Outcome {
    let found = find(driver, name);
    // SAFETY: the caller's promise.
    unsafe {
        answer(address, found.unwrap_or(std::ptr::null_mut()))?;
        if !status.is_null() {
            answer(status, c_int::from(found.is_none()))?;
        }
    }
    if found.is_some() { Ok(()) } else { Err(Code::NOT_FOUND) }
}

api! { Nothing:
    fn cuGetErrorName(code: u32, name: *mut *const c_char) |_| {
        answer_text(name, texts(code).map(|(name, _)| name))
    }

    fn cuGetErrorString(code: u32, string: *mut *const c_char) |_| {
        answer_text(string, texts(code).map(|(_, string)| string))
    }

    // NVRTC asks for a private table through this function without looking whether the function is there.
    fn cuGetExportTable(table: *mut *const c_void, _id: *const c_void) |_| {
        answer(table, std::ptr::null())?;
        Err(Code::NOT_FOUND)
    }

    fn cuGetProcAddress(name: *const c_char, address: *mut *mut c_void, _version: c_int, _flags: u64) |driver| {
        proc_address(driver, &text(name)?, address, std::ptr::null_mut())
    }

    fn cuGetProcAddress_v2(name: *const c_char, address: *mut *mut c_void, _version: c_int, _flags: u64,
        status: *mut c_int) |driver| { proc_address(driver, &text(name)?, address, status) }
}
