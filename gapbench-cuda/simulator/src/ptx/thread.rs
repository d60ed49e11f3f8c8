//! A thread: its registers, its stack, and the calls it is in.

use super::block::Block;
use super::instruction::{Function, Instruction, Operation, Passed, Space};
use super::memory::{Bytes, LOCAL_WINDOW, load, store};
use super::{FaultKind, Kernel, Launch};

/// Nested calls of one thread.
const DEEPEST_CALL: usize = 1024;

/// What a thread waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Ready,
    /// It stands at a `bar`.
    Barrier,
    /// It stands at an instruction of its warp.
    Collective,
    Done,
}

/// Where a call returns to.
#[derive(Clone, Copy, Debug)]
struct Frame {
    function: usize,
    at: usize,
    first_register: usize,
    first_byte: usize,
}

/// A thread of the running block.
#[derive(Debug)]
pub(super) struct Thread {
    pub(super) index: usize,
    pub(super) position: [u32; 3],
    pub(super) state: State,
    pub(super) function: usize,
    /// The index of the next instruction.
    pub(super) at: usize,
    pub(super) registers: Vec<u64>,
    pub(super) first_register: usize,
    callers: Vec<Frame>,
    /// Local memory and parameters of calls.
    pub(super) stack: Bytes,
    first_byte: usize,
}

impl Thread {
    pub(super) fn new(launch: &Launch<'_>, index: usize) -> Thread {
        let [x, y, _] = launch.block.map(|threads| threads.max(1) as usize);
        Thread {
            index,
            position: [index % x, index / x % y, index / x / y].map(|position| position as u32),
            state: State::Ready,
            function: 0,
            at: 0,
            registers: Vec::new(),
            first_register: 0,
            callers: Vec::new(),
            stack: Bytes::zeroed(launch.kernel.stack_bytes()),
            first_byte: 0,
        }
    }

    /// Begins the kernel in the block that runs now.
    pub(super) fn start(&mut self, block: &Block<'_>) {
        (self.state, self.function, self.at, self.first_register, self.first_byte) =
            (State::Ready, 0, 0, 0, 0);
        self.registers.clear();
        self.callers.clear();
        self.enter(&block.launch.kernel.functions[0], block);
    }

    /// Lays out the registers and memory of a function's frame.
    fn enter(&mut self, function: &Function, block: &Block<'_>) {
        self.registers.truncate(self.first_register);
        self.registers.extend_from_slice(&function.registers);
        self.stack.poison(self.first_byte, function.frame_bytes);
        let registers = &mut self.registers[self.first_register..];
        for (slot, _) in &function.relative {
            registers[*slot as usize] += self.first_byte as u64;
        }
        for (slot, special) in &function.specials {
            registers[*slot as usize] = special.value(self.index, self.position, block);
        }
    }

    /// The instruction at which the thread stands.
    pub(super) fn instruction<'k>(&self, kernel: &'k Kernel) -> &'k Instruction {
        &kernel.functions[self.function].code[self.at]
    }

    pub(super) fn input(&self, instruction: &Instruction, index: usize) -> u64 {
        instruction.input(index, &self.registers[self.first_register..])
    }

    pub(super) fn register(&self, slot: u32) -> u64 {
        self.registers[self.first_register + slot as usize]
    }

    pub(super) fn set_register(&mut self, slot: u32, value: u64) {
        self.registers[self.first_register + slot as usize] = value;
    }

    /// The address in the instruction at which the thread stands.
    pub(super) fn address(&self, kernel: &Kernel) -> u64 {
        let instruction = self.instruction(kernel);
        self.input(instruction, 0).wrapping_add_signed(instruction.offset)
    }

    /// Loads 1, 2, 4 or 8 bytes.
    pub(super) fn load(
        &self,
        block: &mut Block<'_>,
        space: Space,
        address: u64,
        bytes: usize,
    ) -> Result<u64, FaultKind> {
        let place = block.place(&self.stack, space, address, bytes, false)?;
        // SAFETY: `place` gives readable, aligned bytes.
        Ok(unsafe { load(place, bytes as u8) })
    }

    /// Stores 1, 2, 4 or 8 bytes.
    pub(super) fn store(
        &self,
        block: &mut Block<'_>,
        space: Space,
        address: u64,
        bytes: usize,
        value: u64,
    ) -> Result<(), FaultKind> {
        let place = block.place(&self.stack, space, address, bytes, true)?;
        // SAFETY: `place` gives writable, aligned bytes.
        unsafe { store(place, bytes as u8, value) };
        Ok(())
    }

    /// Leaves the instruction at which the thread waited.
    pub(super) fn go_on(&mut self) {
        self.at += 1;
        self.state = State::Ready;
    }
    pub(super) fn call(
        &mut self,
        block: &Block<'_>,
        callee: usize,
        arguments: &[Passed],
    ) -> Result<(), FaultKind> {
        let functions = &block.launch.kernel.functions;
        let (caller, function) = (&functions[self.function], &functions[callee]);
        let frame = Frame {
            function: self.function,
            at: self.at,
            first_register: self.first_register,
            first_byte: self.first_byte,
        };
        let first_byte = self.first_byte + caller.frame_bytes;
        if self.callers.len() >= DEEPEST_CALL || first_byte + function.frame_bytes > self.stack.length() {
            let address = LOCAL_WINDOW + first_byte as u64;
            return Err(FaultKind::IllegalAddress {
                address,
                bytes: function.frame_bytes,
                space: "local",
                write: true,
            });
        }
        self.callers.push(frame);
        self.first_register += caller.registers.len();
        self.first_byte = first_byte;
        (self.function, self.at) = (callee, 0);
        self.enter(function, block);
        for (from, to, bytes) in arguments {
            self.copy(frame.first_byte + from, first_byte + to, *bytes);
        }
        Ok(())
    }

    /// Returns to the caller with the results, or ends the thread.
    pub(super) fn leave(&mut self, kernel: &Kernel) {
        let Some(frame) = self.callers.pop() else {
            self.state = State::Done;
            return;
        };
        let from = self.first_byte;
        self.registers.truncate(self.first_register);
        (self.function, self.first_register, self.first_byte) =
            (frame.function, frame.first_register, frame.first_byte);
        if let Operation::Call { results, .. } = &kernel.functions[frame.function].code[frame.at].operation {
            for (caller, callee, bytes) in results {
                self.copy(from + callee, frame.first_byte + caller, *bytes);
            }
        }
        self.at = frame.at + 1;
    }

    fn copy(&mut self, from: usize, to: usize, bytes: usize) {
        for index in 0..bytes {
            self.stack.write(to + index, self.stack.read(from + index));
        }
    }
}
