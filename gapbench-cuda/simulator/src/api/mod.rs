//! The C interface: thin functions under the names of the driver API.

mod context;
mod control;
mod device;
mod error;
mod event;
mod function;
mod graph;
mod host;
mod launch;
mod memory;
mod module;
mod pool;
mod stream;
mod unsupported;

use std::ffi::{CStr, c_char};

use crate::driver::code::{Code, Outcome};

/// Defines entry points. Each counts its call, may fail by script, and answers the code of its body; a panic in the
/// body becomes an error. The first line says what must be there before the body runs.
macro_rules! api {
    ($needs:ident: $(fn $name:ident($($argument:ident: $type:ty),* $(,)?) |$driver:pat_param| $body:block)*) => {
        $(
            #[unsafe(no_mangle)]
            #[allow(non_snake_case, reason = "the names are the driver API's")]
            unsafe extern "C" fn $name($($argument: $type),*) -> u32 {
                let needs = crate::driver::Needs::$needs;
                crate::driver::enter(stringify!($name), needs, |$driver| {
                    // SAFETY: pointers are what the driver API's description of the function says they are.
                    #[allow(unused_unsafe, reason = "some bodies touch no pointer")]
                    unsafe { $body }
                })
            }
        )*
    };
}
pub(crate) use api;
pub(crate) use error::exists;

/// Writes an answer.
///
/// # Safety
/// `target` is null or points to a writable `T`.
pub(crate) unsafe fn answer<T>(target: *mut T, value: T) -> Outcome {
    if target.is_null() {
        return Err(Code::INVALID_VALUE);
    }
    // SAFETY: the caller's promise.
    unsafe { target.write_unaligned(value) };
    Ok(())
}

/// Writes a text with its end, cut to the buffer.
///
/// # Safety
/// `target` is null or points to `bytes` writable bytes.
pub(crate) unsafe fn answer_text(target: *mut c_char, bytes: usize, text: &str) -> Outcome {
    if target.is_null() || bytes == 0 {
        return Err(Code::INVALID_VALUE);
    }
    let length = text.len().min(bytes - 1);
    // SAFETY: the caller's promise.
    unsafe {
        std::ptr::copy_nonoverlapping(text.as_ptr(), target.cast(), length);
        target.add(length).write(0);
    }
    Ok(())
}

/// Reads a name.
///
/// # Safety
/// `text` is null or points to bytes that end with a zero.
pub(crate) unsafe fn text(text: *const c_char) -> Outcome<String> {
    if text.is_null() {
        return Err(Code::INVALID_VALUE);
    }
    // SAFETY: the caller's promise.
    Ok(unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned())
}
