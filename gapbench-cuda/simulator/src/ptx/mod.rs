//! Parses PTX and executes its kernels, with every memory access checked.

use std::collections::BTreeMap;
use std::fmt;
use std::ptr::NonNull;

/// A parsed PTX file.
#[derive(Debug)]
pub struct Module {
    /// The PTX ISA version of its `.version` line.
    pub version: (u32, u32),
    /// Its `.target`, as `sm_90`.
    pub target: String,
    /// Its entry points by name.
    pub kernels: BTreeMap<String, Kernel>,
}

impl Module {
    /// Parses a PTX text.
    ///
    /// # Errors
    /// The line, and what was expected there or which instruction is not known.
    pub fn parse(_text: &str) -> Result<Module, ParseError> {
        Err(ParseError { line: 1, message: "not implemented".into() })
    }
}

/// Why a PTX text could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// Counted from 1.
    pub line: usize,
    /// What was expected.
    pub message: String,
}

impl fmt::Display for ParseError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "line {}: {}", self.line, self.message)
    }
}

/// One entry point.
#[derive(Debug)]
pub struct Kernel {
    /// Its name.
    pub name: String,
    /// Where each parameter lies in the parameter buffer.
    pub parameters: Vec<Parameter>,
    /// Bytes of the parameter buffer.
    pub parameter_bytes: usize,
    /// Bytes of statically declared shared memory per block.
    pub shared_bytes: usize,
    /// Bytes of local memory per thread.
    pub local_bytes: usize,
    /// Registers that the text declares per thread (32-bit units).
    pub registers: u32,
}

/// A kernel parameter in the parameter buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// In bytes from the start of the buffer.
    pub offset: usize,
    /// In bytes.
    pub size: usize,
}

/// Device memory, as a running kernel sees it.
pub trait GlobalMemory {
    /// The host address behind `bytes` bytes at this device address, if all of them lie inside one live allocation.
    fn at(&self, address: u64, bytes: usize) -> Option<NonNull<u8>>;
}

/// A kernel and how it is launched.
#[derive(Clone, Copy, Debug)]
pub struct Launch<'a> {
    /// What to run.
    pub kernel: &'a Kernel,
    /// Blocks in x, y, z.
    pub grid: [u32; 3],
    /// Threads per block in x, y, z.
    pub block: [u32; 3],
    /// Bytes of shared memory beside the declared.
    pub dynamic_shared_bytes: usize,
    /// The parameter buffer.
    pub parameters: &'a [u8],
}

/// What a launch did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Instructions of all threads.
    pub instructions: u64,
    /// Bytes of global memory read.
    pub bytes_read: u64,
    /// Bytes of global memory written.
    pub bytes_written: u64,
}

/// Where and why a kernel stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What went wrong.
    pub kind: FaultKind,
    /// Of the thread.
    pub block: [u32; 3],
    /// In its block.
    pub thread: [u32; 3],
    /// In the PTX text, counted from 1.
    pub line: usize,
    /// The instruction, as written.
    pub instruction: String,
}

/// What went wrong in a kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// An access outside every live allocation.
    IllegalAddress {
        /// The device address.
        address: u64,
        /// Of the access.
        bytes: usize,
        /// `global`, `shared`, `local` or `param`.
        space: &'static str,
        /// A store or an atomic.
        write: bool,
    },
    /// An address that is no multiple of the access.
    MisalignedAddress {
        /// The device address.
        address: u64,
        /// Of the access.
        bytes: usize,
    },
    /// A `trap` instruction.
    Trap,
    /// Threads of a block wait for each other and none can go on.
    Deadlock,
    /// More instructions than a launch may execute.
    Endless,
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}", self)
    }
}

/// Executes a launch to its end.
///
/// # Errors
/// The first fault of any thread; what other threads wrote before stays written.
pub fn run(launch: Launch<'_>, _memory: &dyn GlobalMemory) -> Result<Work, Fault> {
    Err(Fault {
        kind: FaultKind::Trap,
        block: [0; 3],
        thread: [0; 3],
        line: 0,
        instruction: format!("{}: not implemented", launch.kernel.name),
    })
}
