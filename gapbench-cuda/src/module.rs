//! Images of kernels, and loading them.

use std::ffi::{CString, c_int, c_uint, c_void};
use std::sync::Arc;

use crate::context::Context;
use crate::error::CudaError;
use crate::image::{ELF, is_whole, kernels_of_cubin, kernels_of_ptx};
use crate::status::Status;
use crate::symbols::Handle;

/// What kernels are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code<'a> {
    /// PTX, which the driver compiles for its device.
    Ptx(&'a str),
    /// Machine code of one architecture, or a fat binary.
    Cubin(&'a [u8]),
    /// CUDA C++, which NVRTC compiles for the device; what it made is kept in a folder of the user's cache.
    Source {
        /// What the compiler's messages call it.
        name: &'a str,
        /// The source.
        text: &'a str,
        /// The compiler's options, as `--use_fast_math`.
        options: &'a [&'a str],
    },
}

impl<'a> From<&'a str> for Code<'a> {
    fn from(ptx: &'a str) -> Code<'a> {
        Code::Ptx(ptx)
    }
}

impl<'a> From<&'a String> for Code<'a> {
    fn from(ptx: &'a String) -> Code<'a> {
        Code::Ptx(ptx)
    }
}

/// A cubin by its first bytes, else PTX if it is text.
impl<'a> From<&'a [u8]> for Code<'a> {
    fn from(image: &'a [u8]) -> Code<'a> {
        match std::str::from_utf8(image) {
            Ok(text) if !image.starts_with(ELF) => Code::Ptx(text.trim_end_matches('\0')),
            _ => Code::Cubin(image),
        }
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Code<'a> {
    fn from(image: &'a [u8; N]) -> Code<'a> {
        Code::from(image.as_slice())
    }
}

/// An image that the driver has loaded.
pub(crate) struct Module {
    core: Arc<Context>,
    handle: Handle,
    kernels: Vec<String>,
    /// In the order of `kernels`; empty where the image does not tell.
    parameters: Vec<Option<Vec<usize>>>,
}

// `CUjit_option`
const INFO_LOG_BUFFER: c_int = 3;
const INFO_LOG_BUFFER_SIZE: c_int = 4;
const ERROR_LOG_BUFFER: c_int = 5;
const ERROR_LOG_BUFFER_SIZE: c_int = 6;
/// A compiler's first messages fit, and nobody reads more.
const LOG_BYTES: usize = 16 << 10;

impl Module {
    /// PTX as text, or anything else that the driver takes.
    pub(crate) fn load(core: &Arc<Context>, code: Image<'_>) -> Result<Module, CudaError> {
        let (kind, kernels, parameters, terminated);
        let image: &[u8] = match code {
            Image::Ptx(text) => {
                (kernels, parameters) = kernels_of_ptx(text).into_iter().unzip();
                kind = "PTX";
                terminated = CString::new(text).map_err(|_| CudaError::Image {
                    what: "the PTX has a zero byte within".to_owned(),
                    code: Status::INVALID_PTX,
                    log: String::new(),
                })?;
                terminated.as_bytes_with_nul()
            }
            Image::Binary(image) => {
                (kernels, parameters) = (kernels_of_cubin(image), Vec::new());
                kind = "cubin";
                image
            }
        };
        let problem = match code {
            Image::Ptx(text) if text.trim().is_empty() => "empty",
            Image::Binary(image) if !is_whole(image) => "cut off, or no image at all",
            _ => "",
        };
        if !problem.is_empty() {
            let what = format!("the {kind} is {problem}");
            return Err(CudaError::Image { what, code: Status::INVALID_IMAGE, log: String::new() });
        }
        core.bind()?;
        let (mut errors, mut notes) = (vec![0_u8; LOG_BYTES], vec![0_u8; LOG_BYTES]);
        let mut names = [INFO_LOG_BUFFER, INFO_LOG_BUFFER_SIZE, ERROR_LOG_BUFFER, ERROR_LOG_BUFFER_SIZE];
        // A size is passed in the place of a pointer. The last byte stays 0.
        let size = std::ptr::without_provenance_mut::<c_void>(LOG_BYTES - 1);
        let mut values = [notes.as_mut_ptr().cast(), size, errors.as_mut_ptr().cast(), size];
        let mut handle = 0;
        // SAFETY: the image is terminated or tells its own length; names and values belong together, and the buffers
        // have the sizes that are said.
        let status = unsafe {
            (core.symbols.load_module)(
                &mut handle,
                image.as_ptr().cast(),
                names.len() as c_uint,
                names.as_mut_ptr(),
                values.as_mut_ptr(),
            )
        };
        match Status(status) {
            Status::SUCCESS => Ok(Module { core: Arc::clone(core), handle, kernels, parameters }),
            code => Err(refused(core, kind, code, &errors)),
        }
    }

    pub(crate) fn core(&self) -> &Arc<Context> {
        &self.core
    }

    pub(crate) fn function(&self, name: &str) -> Result<Handle, CudaError> {
        let missing = || CudaError::NoSuchKernel { name: name.to_owned(), available: self.kernels.clone() };
        let terminated = CString::new(name).map_err(|_| missing())?;
        self.core.bind()?;
        let mut handle = 0;
        // SAFETY: the pointer is to a handle, the module lives, and the name is terminated.
        let status = unsafe { (self.core.symbols.function)(&mut handle, self.handle, terminated.as_ptr()) };
        match Status(status) {
            Status::SUCCESS => Ok(handle),
            Status::NOT_FOUND => Err(missing()),
            code => Err(self.core.error("cuModuleGetFunction", code)),
        }
    }

    /// The sizes of a kernel's parameters, where the image tells them.
    pub(crate) fn parameters(&self, kernel: &str) -> Option<Vec<usize>> {
        let index = self.kernels.iter().position(|name| name == kernel)?;
        self.parameters.get(index).cloned().flatten()
    }
}

impl Drop for Module {
    fn drop(&mut self) {
        // Unloading waits for the device.
        if !self.core.is_hung() && self.core.bind().is_ok() {
            // SAFETY: nobody else has the handle, and functions of the module keep it alive.
            unsafe { (self.core.symbols.unload_module)(self.handle) };
        }
    }
}

/// What the driver is given.
#[derive(Clone, Copy)]
pub(crate) enum Image<'a> {
    Ptx(&'a str),
    Binary(&'a [u8]),
}

fn refused(core: &Context, kind: &str, code: Status, log: &[u8]) -> CudaError {
    let what = match code {
        Status::INVALID_IMAGE | Status::INVALID_SOURCE => {
            format!("the {kind} is damaged, or no image at all")
        }
        Status::NO_BINARY_FOR_GPU => {
            format!("the {kind} has no code for this device's architecture; compile it for the device, or to PTX")
        }
        Status::INVALID_PTX => "the PTX has an error".to_owned(),
        Status::UNSUPPORTED_PTX_VERSION => {
            "the PTX is newer than the driver; compile it with an older toolkit, lower its .version, or update the driver"
                .to_owned()
        }
        Status::JIT_COMPILER_NOT_FOUND | Status::JIT_COMPILATION_DISABLED => code.meaning().to_owned(),
        code => return core.error("cuModuleLoadDataEx", code),
    };
    let end = log.iter().position(|byte| *byte == 0).unwrap_or(log.len());
    let log = String::from_utf8_lossy(log.get(..end).unwrap_or_default()).into_owned();
    CudaError::Image { what, code, log }
}
