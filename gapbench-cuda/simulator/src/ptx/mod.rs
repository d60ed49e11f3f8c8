//! Parses PTX and executes its kernels, with every memory access checked.
//!
//! A text becomes tokens (`lex`), statements (`parse`, `syntax`), and per kernel the functions that it needs (`link`),
//! whose instructions are decoded once (`decode`, by the table in `opcodes`). A launch runs its blocks one after
//! another (`schedule`); the threads of a block take turns (`execute`) and wait for each other at barriers and at the
//! instructions of a warp (`warp`). Nothing depends on time, so a launch always gives the same result.
//!
//! To add an opcode, add a row to the table in `opcodes`, and beside it either a function that computes a value for a
//! type, or one that decodes the operands.
//!
//! What differs from a device: threads of different blocks never run at the same time, so a block that waits for
//! another is `Endless`; memory is always consistent; approximate functions are exact to the last bit or nearly so
//! (`math`), and sums of matrix products are rounded once (`matrix`). Shared and local memory begin as NaN. There are
//! no clusters, textures, indirect calls, bulk copies, or warp-group matrices.

mod atomic;
mod bits;
mod block;
mod compare;
mod control;
mod convert;
mod decode;
mod execute;
mod float;
mod instruction;
mod integer;
mod lex;
mod link;
mod math;
mod matrix;
mod memory;
mod names;
mod opcodes;
mod parse;
mod parse_operand;
mod round;
mod schedule;
mod syntax;
mod thread;
mod types;
mod warp;

use std::collections::BTreeMap;
use std::fmt;
use std::ptr::NonNull;
use std::sync::Arc;

/// A parsed PTX file.
#[derive(Debug)]
pub struct Module {
    /// The PTX ISA version of its `.version` line.
    pub version: (u32, u32),
    /// Its `.target`, as `sm_90`.
    pub target: String,
    /// Its entry points by name.
    pub kernels: BTreeMap<String, Kernel>,
    /// Its `.global` and `.const` variables by name. They live as long as the module or one of its kernels.
    pub variables: BTreeMap<String, Variable>,
}

/// A variable of a module, in memory that belongs to the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Both its device address and its host address.
    pub address: u64,
    /// In bytes.
    pub size: usize,
}

impl Module {
    /// Parses a PTX text.
    ///
    /// # Errors
    /// The line, and what was expected there or which instruction is not known.
    pub fn parse(text: &str) -> Result<Module, ParseError> {
        let file = parse::file(text)?;
        let (bytes, offsets) = link::variables(&file)?;
        let memory = Arc::new(bytes);
        let mut kernels = BTreeMap::new();
        for entry in file.functions.iter().filter(|function| function.entry && function.body.is_some()) {
            let linked = link::link(&file, memory.address(), &offsets, entry)?;
            kernels.insert(entry.name.to_owned(), Kernel::new(entry.name, linked, Arc::clone(&memory)));
        }
        let variable = |(name, (offset, size)): (&&str, &(usize, usize))| {
            ((*name).to_owned(), Variable { address: memory.address() + *offset as u64, size: *size })
        };
        let variables = offsets.iter().map(variable).collect();
        Ok(Module { version: file.version, target: file.target.to_owned(), kernels, variables })
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

impl std::error::Error for ParseError {}

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
    /// The entry point and what it calls.
    functions: Vec<instruction::Function>,
    /// The module's variables.
    variables: Arc<memory::Bytes>,
}

/// Of the stack, for recursion: without it the frames of all functions fit exactly.
const SPARE_STACK_BYTES: usize = 16 << 10;

impl Kernel {
    fn new(name: &str, linked: link::Linked, variables: Arc<memory::Bytes>) -> Kernel {
        Kernel {
            name: name.to_owned(),
            parameters: linked.parameters,
            parameter_bytes: linked.parameter_bytes,
            shared_bytes: linked.shared_bytes,
            local_bytes: linked.functions.iter().map(|function| function.frame_bytes).sum(),
            registers: linked.registers,
            functions: linked.functions,
            variables,
        }
    }

    /// What a thread gets for local memory and the parameters of calls.
    fn stack_bytes(&self) -> usize {
        self.local_bytes + if self.functions.len() > 1 { SPARE_STACK_BYTES } else { 0 }
    }
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
    /// After so many instructions of all threads the launch is given up as endless.
    pub max_instructions: u64,
    /// What `%globaltimer` shows when the launch starts, in ns. It advances by 1 ns per instruction, and by what
    /// `nanosleep` sleeps.
    pub start_ns: u64,
    /// What `%clock64` shows when the launch starts. It advances as `%globaltimer` does.
    pub start_cycles: u64,
}

/// A limit for launches that say nothing else: some minutes of real time.
pub const MAX_INSTRUCTIONS: u64 = 20_000_000_000;

impl<'a> Launch<'a> {
    /// A launch without dynamic shared memory, with the usual limit.
    pub fn new(kernel: &'a Kernel, grid: [u32; 3], block: [u32; 3], parameters: &'a [u8]) -> Launch<'a> {
        let (dynamic_shared_bytes, max_instructions, start_ns, start_cycles) = (0, MAX_INSTRUCTIONS, 0, 0);
        Launch {
            kernel,
            grid,
            block,
            dynamic_shared_bytes,
            parameters,
            max_instructions,
            start_ns,
            start_cycles,
        }
    }
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
    /// The kernel's name.
    pub kernel: String,
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

impl std::error::Error for Fault {}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [x, y, z] = self.thread;
        let [block_x, block_y, block_z] = self.block;
        write!(
            formatter,
            "{}: thread ({x},{y},{z}) of block ({block_x},{block_y},{block_z}): ",
            self.kernel
        )?;
        match &self.kind {
            FaultKind::IllegalAddress { address, bytes, space, write } => {
                let access = if *write { "write" } else { "read" };
                let outside = match *space {
                    "global" => "outside every allocation".to_owned(),
                    space => format!("outside the {space} memory"),
                };
                write!(formatter, "{access} of {bytes} bytes at {address:#x}: {outside}")?;
            }
            FaultKind::MisalignedAddress { address, bytes } => {
                write!(formatter, "access of {bytes} bytes at {address:#x}: not a multiple of {bytes}")?;
            }
            FaultKind::Trap => write!(formatter, "trap")?,
            FaultKind::Deadlock => write!(formatter, "waits for threads that never arrive")?,
            FaultKind::Endless => write!(formatter, "the launch executed more instructions than it may")?,
        }
        write!(formatter, " (PTX line {}: {})", self.line, self.instruction)
    }
}

/// Executes a launch to its end.
///
/// # Errors
/// The first fault of any thread; what other threads wrote before stays written.
pub fn run(launch: Launch<'_>, memory: &dyn GlobalMemory) -> Result<Work, Fault> {
    schedule::run(&launch, memory)
}
