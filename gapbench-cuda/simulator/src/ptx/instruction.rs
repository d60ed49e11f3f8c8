//! Decoded instructions, as the interpreter executes them.

use super::atomic::Atomic;
use super::compare::{Combination, Relation};
use super::convert::Conversion;
use super::matrix::{Fragments, Matrix};
use super::round::Rounding;
use super::types::Type;
use super::warp::Collective;

/// A register, constant or special register: an index into a frame's registers.
///
/// Every slot holds a value that is zero-extended from the width of its register to 64 bits, so that constants and
/// special registers are read like any register.
pub(super) type Slot = u32;

/// Always 1: the guard of an instruction that has none.
pub(super) const ALWAYS: Slot = 0;
/// The carry of `add.cc` and its like.
pub(super) const CARRY: Slot = 1;
/// Takes what is written to `_`.
pub(super) const SINK: Slot = 2;
/// The first slot that a function hands out.
pub(super) const FIRST_FREE: usize = 3;

/// A function from up to three inputs to one output.
pub(super) type Compute = fn(Mode, u64, u64, u64) -> u64;

/// Which half of a product `mul` and `mad` keep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Part {
    #[default]
    Low,
    High,
    Wide,
}

/// The suffixes of an instruction that change what it computes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Mode {
    pub(super) rounding: Rounding,
    pub(super) part: Part,
    pub(super) relation: Relation,
    /// Subnormal inputs and results become zeros of their sign.
    pub(super) ftz: bool,
    /// Floats are clamped to [0, 1], integers to their type.
    pub(super) saturate: bool,
    /// `min`/`max` give NaN when an input is NaN.
    pub(super) nan: bool,
    /// `bfind.shiftamt`, `shf.wrap`, `min.xorsign`, and other suffixes of a single opcode.
    pub(super) variant: bool,
    /// A negative result becomes 0.
    pub(super) relu: bool,
    /// `addc` and its like add the carry.
    pub(super) reads_carry: bool,
    /// `.cc`: sets the carry.
    pub(super) writes_carry: bool,
}

/// One instruction.
#[derive(Debug)]
pub(super) struct Instruction {
    /// Executed if this predicate is true…
    pub(super) guard: Slot,
    /// …or false, if this is set.
    pub(super) unless: bool,
    pub(super) mode: Mode,
    pub(super) outputs: [Slot; 2],
    pub(super) inputs: [Slot; 4],
    /// Added to the address in the first input, in bytes.
    pub(super) offset: i64,
    pub(super) operation: Operation,
}

impl Instruction {
    /// An operation without operands.
    pub(super) fn new(operation: Operation) -> Instruction {
        Instruction {
            guard: ALWAYS,
            unless: false,
            mode: Mode::default(),
            outputs: [SINK; 2],
            inputs: [ALWAYS; 4],
            offset: 0,
            operation,
        }
    }

    /// The value of an input.
    pub(super) fn input(&self, index: usize, registers: &[u64]) -> u64 {
        registers[self.inputs[index] as usize]
    }
}

/// Where an access goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Space {
    /// Any window, by the address.
    Generic,
    /// An offset in the block's shared memory.
    Shared,
}

/// The shape of a load or store.
#[derive(Clone, Copy, Debug)]
pub(super) struct Access {
    pub(super) space: Space,
    /// Of one element in memory: 1, 2, 4 or 8.
    pub(super) bytes: u8,
    /// The width to which a loaded signed element is extended; 0 for an unsigned one.
    pub(super) extend: u8,
}

/// Which clock a `mov` reads.
#[derive(Clone, Copy, Debug)]
pub(super) enum Clock {
    Cycles,
    CyclesHigh,
    Nanoseconds,
    NanosecondsHigh,
}

/// What a barrier does for the thread that arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Barrier {
    Wait,
    /// Counts the thread and lets it go on.
    Arrive,
    /// Waits, and gives each thread how many predicates are true.
    Count,
    All,
    Any,
}

/// Bytes copied between frames: where in the caller, where in the callee, how many.
pub(super) type Passed = (usize, usize, usize);

/// What an instruction does.
#[derive(Debug)]
pub(super) enum Operation {
    /// `d = f(a, b, c)`
    Value(Compute),
    /// The same on each 16-bit half.
    Pair(Compute),
    /// Anything else that only touches registers.
    Registers(fn(&Instruction, &mut [u64])),
    /// `setp` with a second predicate or a combination.
    Predicates(Compute, Option<Combination>),
    Convert(Conversion),
    /// `mov` from a vector of elements of this many bits.
    Pack(u32, Box<[Slot]>),
    /// `mov` into a vector of elements of this many bits.
    Unpack(u32, Box<[Slot]>),
    ReadClock(Clock),
    Load(Access),
    LoadVector(Access, Box<[Slot]>),
    Store(Access),
    StoreVector(Access, Box<[Slot]>),
    /// `cp.async` of at most this many bytes; the third input says how many are read.
    CopyAsync(usize),
    Atomic(Atomic),
    Fence,
    /// A hint.
    Nothing,
    Branch(usize),
    BranchTable(Box<[usize]>),
    Call {
        function: usize,
        arguments: Box<[Passed]>,
        results: Box<[Passed]>,
    },
    Return,
    Exit,
    Trap,
    Sleep,
    Barrier(Barrier),
    Collective(Collective),
    Matrix(Matrix, Fragments),
}

/// What the address of a constant is relative to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Relative {
    /// The frame's first byte on the thread's stack.
    Frame,
    /// The first byte behind the block's static shared memory.
    DynamicShared,
}

/// A special register that keeps its value while a thread runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Special {
    Thread(usize),
    BlockSize(usize),
    Block(usize),
    GridSize(usize),
    Lane,
    Warp,
    Warps,
    Multiprocessor,
    Multiprocessors,
    LanesEqual,
    LanesBelow,
    LanesUpTo,
    LanesFrom,
    LanesAbove,
    DynamicSharedBytes,
    TotalSharedBytes,
    Zero,
    One,
}

/// A decoded function.
#[derive(Debug, Default)]
pub(super) struct Function {
    pub(super) code: Vec<Instruction>,
    /// Line and text of each instruction.
    pub(super) source: Vec<(usize, String)>,
    /// What its registers hold on entry: zeros and its constants.
    pub(super) registers: Vec<u64>,
    /// Slots whose constant is an address that is only known when a frame is made.
    pub(super) relative: Vec<(Slot, Relative)>,
    pub(super) specials: Vec<(Slot, Special)>,
    /// Of local memory and parameters, per call.
    pub(super) frame_bytes: usize,
}

/// The result type of an operation and the function that computes it, if the type is one it is defined for.
pub(super) type Select = fn(Type, Mode) -> Option<Compute>;
