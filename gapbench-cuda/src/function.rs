//! Kernels and how they are launched.

use std::ffi::{c_int, c_void};
use std::fmt;
use std::sync::Arc;

use cudarc::driver::sys::CUfunction;

use crate::args::{Args, Packed};
use crate::context::{Context, call};
use crate::error::CudaError;
use crate::facts::Facts;
use crate::module::Module;
use crate::status::Status;
use crate::stream::Stream;
use crate::symbols::Handle;

// `CUfunction_attribute`
const MAX_THREADS: c_int = 0;
const SHARED_BYTES: c_int = 1;
const LOCAL_BYTES: c_int = 3;
const REGISTERS: c_int = 4;
const MAX_DYNAMIC_SHARED_BYTES: c_int = 8;

/// How many blocks along each axis a device takes, the same since compute capability 3.0.
const MOST_BLOCKS: [u32; 3] = [0x7fff_ffff, 65_535, 65_535];
/// How many threads along each axis a block may have.
const MOST_THREADS: [u32; 3] = [1024, 1024, 64];

/// Sizes along the axes x, y and z; an axis that is not said has size 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes(pub [u32; 3]);

impl From<u32> for Sizes {
    fn from(x: u32) -> Sizes {
        Sizes([x, 1, 1])
    }
}

impl From<(u32, u32)> for Sizes {
    fn from((x, y): (u32, u32)) -> Sizes {
        Sizes([x, y, 1])
    }
}

impl From<(u32, u32, u32)> for Sizes {
    fn from((x, y, z): (u32, u32, u32)) -> Sizes {
        Sizes([x, y, z])
    }
}

impl From<[u32; 3]> for Sizes {
    fn from(sizes: [u32; 3]) -> Sizes {
        Sizes(sizes)
    }
}

/// How many blocks of how many threads run a kernel, and the shared memory of each block beside what the kernel declares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// Blocks along x, y and z.
    pub blocks: [u32; 3],
    /// Threads of a block along x, y and z.
    pub threads: [u32; 3],
    /// Dynamic shared memory of a block.
    pub shared_bytes: u32,
}

impl Grid {
    /// Without dynamic shared memory.
    pub fn new(blocks: impl Into<Sizes>, threads: impl Into<Sizes>) -> Grid {
        Grid { blocks: blocks.into().0, threads: threads.into().0, shared_bytes: 0 }
    }

    /// As many blocks of `threads` threads as give each of `len` elements a thread, and at least one.
    pub fn cover(len: usize, threads: u32) -> Grid {
        let blocks = len.div_ceil(threads.max(1) as usize).max(1);
        Grid::new(u32::try_from(blocks).unwrap_or(u32::MAX), threads)
    }

    /// With this much dynamic shared memory. More than 48 KiB needs [`Function::allow_shared`] too.
    #[must_use]
    pub fn shared(self, bytes: u32) -> Grid {
        Grid { shared_bytes: bytes, ..self }
    }

    /// How many threads a block has.
    pub fn block_threads(&self) -> u64 {
        self.threads.iter().map(|&size| u64::from(size)).product()
    }
}

impl fmt::Display for Grid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Grid { blocks: [a, b, c], threads: [x, y, z], shared_bytes } = self;
        write!(formatter, "{a}x{b}x{c} blocks of {x}x{y}x{z} threads")?;
        if *shared_bytes > 0 {
            write!(formatter, " and {shared_bytes} bytes of shared memory")
        } else {
            Ok(())
        }
    }
}

/// A kernel of a loaded module. A clone is the same kernel.
#[derive(Clone)]
pub struct Function {
    module: Arc<Module>,
    facts: Arc<Facts>,
    handle: Handle,
    name: Arc<str>,
    /// The sizes of the parameters, where driver or image tell them.
    parameters: Option<Arc<[usize]>>,
}

impl fmt::Debug for Function {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Function").field(&self.name).finish()
    }
}

impl Function {
    pub(crate) fn new(module: &Arc<Module>, facts: &Arc<Facts>, name: &str) -> Result<Function, CudaError> {
        let handle = module.function(name)?;
        let parameters = parameters(module.core(), handle).or_else(|| module.parameters(name));
        Ok(Function {
            module: Arc::clone(module),
            facts: Arc::clone(facts),
            handle,
            name: name.into(),
            parameters: parameters.map(Into::into),
        })
    }

    /// The kernel's name in the image.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The driver's handle, valid as long as this or a clone of it lives.
    pub fn raw(&self) -> CUfunction {
        std::ptr::without_provenance_mut(self.handle)
    }

    /// The sizes of the kernel's parameters in bytes, where driver or image tell them.
    pub fn parameters(&self) -> Option<&[usize]> {
        self.parameters.as_deref()
    }

    /// Adds the kernel to the work of a stream, and does not wait for it.
    ///
    /// Number and sizes of the arguments are compared with the kernel's parameters, where these are known; their meaning
    /// cannot be.
    ///
    /// # Errors
    /// [`CudaError::Arguments`] if they do not fit, [`CudaError::Launch`] if the driver refuses the grid. A fault while
    /// the kernel runs is seen by a later call.
    pub fn launch<A: Args>(&self, stream: &Stream, grid: Grid, args: A) -> Result<(), CudaError> {
        let mut packed = Packed::new(stream);
        args.pack(&mut packed);
        if let Some(parameters) = &self.parameters {
            packed
                .check(parameters)
                .map_err(|mismatch| CudaError::Arguments { kernel: self.name().to_owned(), mismatch })?;
        }
        let core = stream.core();
        core.bind()?;
        let mut pointers = packed.slots().each_mut().map(|slot| std::ptr::from_mut(slot).cast::<c_void>());
        let ([a, b, c], [x, y, z]) = (grid.blocks, grid.threads);
        // SAFETY: function and stream live through the call, which copies the arguments. There are as many pointers as a
        // launch can have arguments here, each to eight bytes.
        let status = unsafe {
            (core.symbols.launch)(
                self.handle,
                a,
                b,
                c,
                x,
                y,
                z,
                grid.shared_bytes,
                stream.handle(),
                pointers.as_mut_ptr(),
                std::ptr::null_mut(),
            )
        };
        if status == 0 {
            core.launched(&self.name);
            return Ok(());
        }
        Err(self.refused(core, grid, Status(status)))
    }

    #[cold]
    fn refused(&self, core: &Context, grid: Grid, code: Status) -> CudaError {
        let is_shape = matches!(
            code,
            Status::INVALID_VALUE | Status::LAUNCH_OUT_OF_RESOURCES | Status::COOPERATIVE_LAUNCH_TOO_LARGE
        );
        if !is_shape {
            return core.error("cuLaunchKernel", code);
        }
        let limit = self.broken_limit(&grid).unwrap_or_else(|| code.meaning().to_owned());
        CudaError::Launch { kernel: self.name().to_owned(), grid, limit, code }
    }

    fn broken_limit(&self, grid: &Grid) -> Option<String> {
        for (which, sizes, limits) in
            [("block", grid.blocks, MOST_BLOCKS), ("thread", grid.threads, MOST_THREADS)]
        {
            for ((axis, size), limit) in ["x", "y", "z"].into_iter().zip(sizes).zip(limits) {
                if size == 0 {
                    return Some(format!("there is no {which} along {axis}"));
                }
                if size > limit {
                    return Some(format!("at most {limit} {which}s along {axis} are possible"));
                }
            }
        }
        if let Ok(threads) = self.max_threads()
            && grid.block_threads() > u64::from(threads)
        {
            let registers = self.registers().unwrap_or(0);
            return Some(format!(
                "a block of this kernel, which uses {registers} registers, has at most {threads} threads"
            ));
        }
        let fixed = self.shared_bytes().ok()?;
        let allowed = u32::try_from(self.attribute(MAX_DYNAMIC_SHARED_BYTES).ok()?).ok()?;
        (grid.shared_bytes > allowed).then(|| {
            format!(
                "{allowed} bytes of dynamic shared memory are allowed beside the {fixed} of the kernel; \
                 Function::allow_shared raises it to what the device has, {} in all",
                self.facts.block_shared_optin_bytes
            )
        })
    }

    fn attribute(&self, which: c_int) -> Result<c_int, CudaError> {
        let core = self.module.core();
        core.bind()?;
        let mut value = 0;
        // SAFETY: the pointer is to a value of the type that is asked for, and the function lives with its module.
        unsafe {
            call!(core, "cuFuncGetAttribute", function_attribute(&mut value, which, self.handle))?;
        }
        Ok(value)
    }

    fn size(&self, which: c_int) -> Result<u32, CudaError> {
        Ok(u32::try_from(self.attribute(which)?).unwrap_or(0))
    }

    /// How many registers a thread uses.
    ///
    /// # Errors
    /// The driver's refusal.
    pub fn registers(&self) -> Result<u32, CudaError> {
        self.size(REGISTERS)
    }

    /// How much memory a thread has for what does not fit into registers.
    ///
    /// # Errors
    /// The driver's refusal.
    pub fn local_bytes(&self) -> Result<u32, CudaError> {
        self.size(LOCAL_BYTES)
    }

    /// How much shared memory the kernel declares.
    ///
    /// # Errors
    /// The driver's refusal.
    pub fn shared_bytes(&self) -> Result<u32, CudaError> {
        self.size(SHARED_BYTES)
    }

    /// How many threads a block of this kernel may have.
    ///
    /// # Errors
    /// The driver's refusal.
    pub fn max_threads(&self) -> Result<u32, CudaError> {
        self.size(MAX_THREADS)
    }

    /// Lets launches ask for as much dynamic shared memory.
    ///
    /// # Errors
    /// [`CudaError::Launch`] if the device has not as much.
    pub fn allow_shared(&self, bytes: u32) -> Result<(), CudaError> {
        let core = self.module.core();
        core.bind()?;
        let value = c_int::try_from(bytes).unwrap_or(c_int::MAX);
        // SAFETY: the function lives with its module.
        let status =
            unsafe { (core.symbols.set_function_attribute)(self.handle, MAX_DYNAMIC_SHARED_BYTES, value) };
        match Status(status) {
            Status::SUCCESS => Ok(()),
            code @ Status::INVALID_VALUE => Err(CudaError::Launch {
                kernel: self.name().to_owned(),
                grid: Grid::new(1, 1).shared(bytes),
                limit: format!(
                    "a block has at most {} bytes of shared memory, of which the kernel declares {}",
                    self.facts.block_shared_optin_bytes,
                    self.shared_bytes().unwrap_or(0)
                ),
                code,
            }),
            code => Err(core.error("cuFuncSetAttribute", code)),
        }
    }
}

/// What the driver tells of a kernel's parameters, from CUDA 12.4 on.
fn parameters(core: &Context, function: Handle) -> Option<Vec<usize>> {
    let ask = core.symbols.parameter?;
    let mut sizes = Vec::new();
    loop {
        let (mut offset, mut size) = (0, 0);
        // SAFETY: the pointers are to values of the types that are asked for.
        match Status(unsafe { ask(function, sizes.len(), &mut offset, &mut size) }) {
            Status::SUCCESS => sizes.push(size),
            // There are no more.
            Status::INVALID_VALUE => return Some(sizes),
            _ => return None,
        }
    }
}
