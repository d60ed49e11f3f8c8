//! The device.

use std::collections::HashMap;
use std::ffi::c_int;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use cudarc::driver::CudaContext;
use gapbench::measure::phase;

use crate::absent::Absent;
use crate::blas::Blas;
use crate::buffer::Buffer;
use crate::context::Context;
use crate::element::{Element, Random};
use crate::error::CudaError;
use crate::facts::Facts;
use crate::function::Function;
use crate::memory::Memory;
use crate::memory_report::used_before_context;
use crate::module::{Code, Image, Module};
use crate::stream::Stream;
use crate::symbols::Symbols;
use crate::worker::Worker;

/// A CUDA device, with a stream of its own.
///
/// A clone is the same device, and so is what [`Cuda::find`] finds while somebody holds it. It may be used in any thread.
#[derive(Clone)]
pub struct Cuda {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    facts: Arc<Facts>,
    context: Arc<CudaContext>,
    stream: Stream,
    blas: OnceLock<Blas>,
    modules: Mutex<HashMap<Vec<u8>, Arc<Module>>>,
    /// Of all processes.
    used_before_context: Option<u64>,
    core: Arc<Context>,
}

impl fmt::Debug for Cuda {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Cuda").field(&self.inner.facts.name).finish()
    }
}

impl Inner {
    pub(crate) fn new(symbols: &'static Symbols, device: c_int, facts: Facts) -> Result<Inner, CudaError> {
        let used_before_context = used_before_context();
        let (core, stream) = phase("context", || {
            let core = Arc::new(Context::new(symbols, device)?);
            let stream = Stream::new(&core)?;
            Ok((core, stream))
        })?;
        Ok(Inner {
            facts: Arc::new(facts),
            context: Arc::clone(stream.raw().context()),
            stream,
            blas: OnceLock::new(),
            modules: Mutex::default(),
            used_before_context,
            core,
        })
    }
}

impl Cuda {
    /// The first device of `CUDA_VISIBLE_DEVICES`, by the only door there is: a driver is looked for (the README says
    /// where), and asked whether it can be used.
    ///
    /// # Errors
    /// [`Absent`], which says what was looked for and where. Returned from a benchmark function with `?`, it skips the
    /// case.
    pub fn find() -> Result<Cuda, Absent> {
        crate::find::find()
    }

    pub(crate) fn from_inner(inner: Arc<Inner>) -> Cuda {
        Cuda { inner }
    }

    pub(crate) fn core(&self) -> &Arc<Context> {
        &self.inner.core
    }

    pub(crate) fn used_before_context(&self) -> Option<u64> {
        self.inner.used_before_context
    }

    /// What the device says about itself.
    pub fn facts(&self) -> &Facts {
        &self.inner.facts
    }

    /// cudarc's form of the device's primary context. It does not track uses by events: order streams yourself.
    pub fn context(&self) -> &Arc<CudaContext> {
        &self.inner.context
    }

    /// The device's own stream, which does not wait for the null stream.
    pub fn stream(&self) -> &Stream {
        &self.inner.stream
    }

    /// Another stream.
    ///
    /// # Errors
    /// The driver's refusal.
    pub fn new_stream(&self) -> Result<Stream, CudaError> {
        Stream::new(&self.inner.core)
    }

    /// After how long a wait for the device ends in [`CudaError::Deadline`]: 30 s if nothing else is said.
    pub fn set_deadline(&self, deadline: Duration) {
        self.inner.core.set_deadline(deadline);
    }

    /// A kernel. The code is compiled and loaded once, however often it is asked for; the time is the phase `module` of a
    /// cold start.
    ///
    /// # Errors
    /// [`CudaError::Image`], [`CudaError::NoSuchKernel`], and of source [`CudaError::Compile`] and
    /// [`CudaError::Library`].
    pub fn kernel<'a>(&self, code: impl Into<Code<'a>>, name: &str) -> Result<Function, CudaError> {
        phase("module", || {
            let module = self.module(code.into())?;
            Function::new(&module, &self.inner.facts, name)
        })
    }

    fn module(&self, code: Code<'_>) -> Result<Arc<Module>, CudaError> {
        let key = key(code);
        // Held while loading: whoever asks for the same code meanwhile waits for it.
        let mut modules = self.inner.modules.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(module) = modules.get(&key) {
            return Ok(Arc::clone(module));
        }
        let compiled;
        let image = match code {
            Code::Ptx(text) => Image::Ptx(text),
            // PTX in bytes would not be terminated.
            Code::Cubin(image) => match Code::from(image) {
                Code::Ptx(text) => Image::Ptx(text),
                _ => Image::Binary(image),
            },
            Code::Source { name, text, options } => {
                compiled = crate::nvrtc::compile(self.facts(), name, text, options)?;
                compiled.image()
            }
        };
        let module = Arc::new(Module::load(&self.inner.core, image)?);
        modules.insert(key, Arc::clone(&module));
        Ok(module)
    }

    /// The values in the device's memory, ready for every stream.
    ///
    /// # Errors
    /// [`CudaError::OutOfMemory`], and what [`Stream::synchronize`] says.
    pub fn upload<T: Element>(&self, values: &[T]) -> Result<Buffer<T>, CudaError> {
        self.stream().upload(values)
    }

    /// A buffer of zeros, ready for every stream.
    ///
    /// # Errors
    /// [`CudaError::OutOfMemory`], and what [`Stream::synchronize`] says.
    pub fn zeros<T: Element>(&self, len: usize) -> Result<Buffer<T>, CudaError> {
        self.stream().zeros(len)
    }

    /// A buffer of which every byte is 0xff, ready for every stream: NaN in every floating-point type, so that what a
    /// kernel forgot to write shows.
    ///
    /// # Errors
    /// [`CudaError::OutOfMemory`], and what [`Stream::synchronize`] says.
    pub fn uninit<T: Element>(&self, len: usize) -> Result<Buffer<T>, CudaError> {
        self.stream().uninit(len)
    }

    /// Values of the standard normal distribution, the same on every machine: see [`Random`].
    ///
    /// # Errors
    /// [`CudaError::OutOfMemory`], and what [`Stream::synchronize`] says.
    pub fn random<T: Element + Random>(&self, len: usize, seed: u64) -> Result<Buffer<T>, CudaError> {
        self.stream().random(len, seed)
    }

    /// The values of a buffer, once all streams that used it are done.
    ///
    /// # Errors
    /// What [`Stream::synchronize`] says.
    pub fn download<T: Element>(&self, buffer: &Buffer<T>) -> Result<Vec<T>, CudaError> {
        self.stream().download(buffer)
    }

    /// cuBLAS on the device's stream: one handle, made when it is first asked for.
    ///
    /// # Errors
    /// [`CudaError::Library`], which says where cuBLAS was looked for.
    pub fn blas(&self) -> Result<Blas, CudaError> {
        if let Some(blas) = self.inner.blas.get() {
            return Ok(blas.clone());
        }
        let blas = Blas::new(self.stream())?;
        Ok(self.inner.blas.get_or_init(|| blas).clone())
    }

    /// A stream and a cuBLAS handle for the calling thread alone, in which the context becomes current.
    ///
    /// # Errors
    /// The driver's refusal.
    pub fn worker(&self) -> Result<Worker, CudaError> {
        Ok(Worker::new(self.clone(), self.new_stream()?))
    }

    /// How much of the device's memory is used.
    pub fn memory(&self) -> Memory<'_> {
        Memory::new(&self.inner.core)
    }

    /// Waits until all work of the device's own stream is done.
    ///
    /// # Errors
    /// What [`Stream::synchronize`] says.
    pub fn synchronize(&self) -> Result<(), CudaError> {
        self.stream().synchronize()
    }
}

/// The code itself, with its kind: what differs in anything is another module.
fn key(code: Code<'_>) -> Vec<u8> {
    match code {
        Code::Ptx(text) => [b"ptx\0", text.as_bytes()].concat(),
        Code::Cubin(image) => [b"bin\0", image].concat(),
        Code::Source { name, text, options } => {
            [b"src\0", name.as_bytes(), b"\0", options.join("\0").as_bytes(), b"\0\0", text.as_bytes()]
                .concat()
        }
    }
}
