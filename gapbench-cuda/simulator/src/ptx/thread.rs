//! A thread, and how it executes instructions until it has to wait for others.

use std::ptr::NonNull;
use std::sync::atomic::{AtomicU16, AtomicU32, AtomicU64, Ordering, fence};

use super::atomic::Atomic;
use super::instruction::{Access, Clock, Function, Instruction, Operation, Passed, Space, Special};
use super::memory::{Bytes, LOCAL_WINDOW, PARAMETER_WINDOW, SHARED_WINDOW, WINDOW_BYTES, load, store};
use super::types::low_bits;
use super::warp::LANES;
use super::{FaultKind, GlobalMemory, Kernel, Launch, Work};

/// How many instructions a thread executes before the others get their turn, so that one that spins on what another
/// will write does not spin forever.
const TURN: u64 = 10_000;
/// Nested calls of one thread.
const DEEPEST_CALL: usize = 1024;
/// The multiprocessors of the simulated device, over which blocks are dealt out.
const MULTIPROCESSORS: u64 = 132;

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
    registers: Vec<u64>,
    first_register: usize,
    callers: Vec<Frame>,
    /// Local memory and parameters of calls.
    stack: Bytes,
    first_byte: usize,
}

/// The block that runs, and what its threads share.
pub(super) struct Block<'a> {
    pub(super) launch: &'a Launch<'a>,
    pub(super) memory: &'a dyn GlobalMemory,
    pub(super) parameters: &'a Bytes,
    pub(super) shared: Bytes,
    pub(super) position: [u32; 3],
    pub(super) work: Work,
    /// Nanoseconds of `nanosleep`.
    pub(super) slept: u64,
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

    /// Executes instructions until the thread waits, ends, or has had its turn.
    pub(super) fn run(&mut self, block: &mut Block<'_>) -> Result<(), FaultKind> {
        let left = block.launch.max_instructions.saturating_sub(block.work.instructions);
        let turn = left.min(TURN);
        if turn == 0 {
            return Err(FaultKind::Endless);
        }
        let mut remaining = turn;
        while self.state == State::Ready && remaining > 0 {
            let before = remaining;
            let result = self.run_function(block, &mut remaining);
            block.work.instructions += before - remaining;
            result?;
        }
        Ok(())
    }

    /// Executes instructions of one function, up to a call or a return.
    fn run_function(&mut self, block: &mut Block<'_>, remaining: &mut u64) -> Result<(), FaultKind> {
        let kernel = block.launch.kernel;
        let code = kernel.functions[self.function].code.as_slice();
        let registers = &mut self.registers[self.first_register..];
        let start = *remaining;
        let mut at = self.at;
        while *remaining > 0 {
            *remaining -= 1;
            let instruction = &code[at];
            if (registers[instruction.guard as usize] != 0) == instruction.unless {
                at += 1;
                continue;
            }
            match &instruction.operation {
                Operation::Value(compute) => {
                    let [a, b, c, _] = instruction.inputs.map(|slot| registers[slot as usize]);
                    registers[instruction.outputs[0] as usize] = compute(instruction.mode, a, b, c);
                }
                Operation::Branch(target) => {
                    at = *target;
                    continue;
                }
                Operation::Convert(conversion) => {
                    let value = instruction.input(0, registers);
                    registers[instruction.outputs[0] as usize] = conversion.apply(instruction.mode, value);
                }
                Operation::Load(access) => {
                    self.at = at;
                    let bytes = access.bytes.into();
                    let address = instruction.input(0, registers).wrapping_add_signed(instruction.offset);
                    let place = block.place(&self.stack, access.space, address, bytes, false)?;
                    // SAFETY: `place` gives readable, aligned bytes.
                    registers[instruction.outputs[0] as usize] = unsafe { load_extended(place, *access) };
                }
                Operation::Store(access) => {
                    self.at = at;
                    let bytes = access.bytes.into();
                    let address = instruction.input(0, registers).wrapping_add_signed(instruction.offset);
                    let place = block.place(&self.stack, access.space, address, bytes, true)?;
                    // SAFETY: `place` gives writable, aligned bytes.
                    unsafe { store(place, access.bytes, instruction.input(1, registers)) };
                }
                Operation::LoadVector(access, slots) => {
                    self.at = at;
                    let address = instruction.input(0, registers).wrapping_add_signed(instruction.offset);
                    let width = usize::from(access.bytes);
                    let place =
                        block.place(&self.stack, access.space, address, width * slots.len(), false)?;
                    for (index, slot) in slots.iter().enumerate() {
                        // SAFETY: `place` gives the bytes of all elements, aligned to all of them.
                        registers[*slot as usize] =
                            unsafe { load_extended(place.add(index * width), *access) };
                    }
                }
                Operation::StoreVector(access, slots) => {
                    self.at = at;
                    let address = instruction.input(0, registers).wrapping_add_signed(instruction.offset);
                    let width = usize::from(access.bytes);
                    let place = block.place(&self.stack, access.space, address, width * slots.len(), true)?;
                    for (index, slot) in slots.iter().enumerate() {
                        // SAFETY: as above.
                        unsafe { store(place.add(index * width), access.bytes, registers[*slot as usize]) };
                    }
                }
                Operation::Pair(compute) => {
                    let inputs = instruction.inputs.map(|slot| registers[slot as usize]);
                    let half = |shift: u32| {
                        let [a, b, c, _] = inputs.map(|value| low_bits(value >> shift, 16));
                        compute(instruction.mode, a, b, c) << shift
                    };
                    registers[instruction.outputs[0] as usize] = half(16) | half(0);
                }
                Operation::Registers(run) => run(instruction, registers),
                Operation::Predicates(compare, combination) => {
                    let [a, b, third, _] = instruction.inputs.map(|slot| registers[slot as usize]);
                    let holds = compare(instruction.mode, a, b, 0);
                    let both = [holds, holds ^ 1].map(|holds| match combination {
                        Some(combination) => combination.apply(holds, third),
                        None => holds,
                    });
                    registers[instruction.outputs[1] as usize] = both[1];
                    registers[instruction.outputs[0] as usize] = both[0];
                }
                Operation::Pack(bits, slots) => {
                    let packed = slots
                        .iter()
                        .rev()
                        .fold(0, |packed, slot| packed << bits | low_bits(registers[*slot as usize], *bits));
                    registers[instruction.outputs[0] as usize] = packed;
                }
                Operation::Unpack(bits, slots) => {
                    let mut packed = instruction.input(0, registers);
                    for slot in slots {
                        registers[*slot as usize] = low_bits(packed, *bits);
                        packed >>= bits;
                    }
                }
                Operation::ReadClock(clock) => {
                    let executed = block.work.instructions + (start - *remaining) + block.slept;
                    registers[instruction.outputs[0] as usize] =
                        low_bits(clock.read(block.launch, executed), instruction.offset as u32);
                }
                Operation::Atomic(atomic) => {
                    self.at = at;
                    let [address, b, c, _] = instruction.inputs.map(|slot| registers[slot as usize]);
                    let address = address.wrapping_add_signed(instruction.offset);
                    let bytes = usize::from(atomic.access.bytes);
                    let place = block.place(&self.stack, atomic.access.space, address, bytes, true)?;
                    block.work.bytes_read +=
                        if is_global(address, atomic.access.space) { bytes as u64 } else { 0 };
                    // SAFETY: `place` gives writable, aligned bytes.
                    registers[instruction.outputs[0] as usize] = unsafe { exchange(place, atomic, b, c) };
                }
                Operation::CopyAsync(bytes) => {
                    self.at = at;
                    let [to, from, read, _] = instruction.inputs.map(|slot| registers[slot as usize]);
                    let offset = instruction.offset;
                    let (to_offset, from_offset) =
                        if instruction.mode.variant { (0, offset) } else { (offset, 0) };
                    let read = (read as usize).min(*bytes);
                    let (to, from) =
                        (to.wrapping_add_signed(to_offset), from.wrapping_add_signed(from_offset));
                    let to = block.place(&self.stack, Space::Shared, to, *bytes, true)?;
                    let source = if read == 0 {
                        None
                    } else {
                        misaligned(from, *bytes)?;
                        Some(block.place_bytes(&self.stack, Space::Generic, from, read, false)?)
                    };
                    for index in 0..*bytes {
                        // SAFETY: both ranges were checked; what is not read is zero.
                        unsafe {
                            let byte =
                                source.filter(|_| index < read).map_or(0, |from| load(from.add(index), 1));
                            store(to.add(index), 1, byte);
                        }
                    }
                }
                Operation::Fence => fence(Ordering::SeqCst),
                Operation::Nothing => {}
                Operation::Sleep => block.slept = block.slept.saturating_add(instruction.input(0, registers)),
                Operation::BranchTable(targets) => {
                    // An index beyond the table is undefined; the last target is as good as any.
                    let index = instruction.input(0, registers).min(targets.len().saturating_sub(1) as u64);
                    at = targets.get(index as usize).copied().unwrap_or(at + 1);
                    continue;
                }
                Operation::Call { function, arguments, .. } => {
                    self.at = at;
                    return self.call(block, *function, arguments);
                }
                Operation::Return => {
                    self.at = at;
                    self.leave(kernel);
                    return Ok(());
                }
                Operation::Exit => {
                    self.state = State::Done;
                    return Ok(());
                }
                Operation::Trap => {
                    self.at = at;
                    return Err(FaultKind::Trap);
                }
                Operation::Barrier(_) => {
                    self.at = at;
                    self.state = State::Barrier;
                    return Ok(());
                }
                Operation::Collective(_) | Operation::Matrix(..) => {
                    self.at = at;
                    self.state = State::Collective;
                    return Ok(());
                }
            }
            at += 1;
        }
        self.at = at;
        Ok(())
    }

    fn call(&mut self, block: &Block<'_>, callee: usize, arguments: &[Passed]) -> Result<(), FaultKind> {
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
    fn leave(&mut self, kernel: &Kernel) {
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

/// Loads one element and extends its sign.
///
/// # Safety
/// As `load`.
unsafe fn load_extended(place: NonNull<u8>, access: Access) -> u64 {
    // SAFETY: the caller answers for it.
    let value = unsafe { load(place, access.bytes) };
    if access.extend == 0 {
        return value;
    }
    low_bits(super::types::sign_extend(value, u32::from(access.bytes) * 8) as u64, access.extend.into())
}

/// Replaces a value by its combination, atomically for host threads too; the old value.
///
/// # Safety
/// The bytes are writable, and the address is a multiple of their number.
unsafe fn exchange(place: NonNull<u8>, atomic: &Atomic, b: u64, c: u64) -> u64 {
    macro_rules! update {
        ($atomic:ident, $type:ty) => {{
            // SAFETY: the caller answers for the range and its alignment.
            let cell = unsafe { $atomic::from_ptr(place.as_ptr().cast()) };
            let combine = |old: $type| Some((atomic.combine)(old.into(), b, c) as $type);
            let (Ok(old) | Err(old)) = cell.fetch_update(Ordering::SeqCst, Ordering::SeqCst, combine);
            old.into()
        }};
    }
    match atomic.access.bytes {
        2 => update!(AtomicU16, u16),
        4 => update!(AtomicU32, u32),
        _ => update!(AtomicU64, u64),
    }
}

fn is_global(address: u64, space: Space) -> bool {
    space == Space::Generic && address < WINDOW_BYTES
}

fn misaligned(address: u64, bytes: usize) -> Result<(), FaultKind> {
    if address.is_multiple_of(bytes as u64) {
        Ok(())
    } else {
        Err(FaultKind::MisalignedAddress { address, bytes })
    }
}

impl Block<'_> {
    /// The host address of an access, after every check; counts global memory traffic.
    fn place(
        &mut self,
        stack: &Bytes,
        space: Space,
        address: u64,
        bytes: usize,
        write: bool,
    ) -> Result<NonNull<u8>, FaultKind> {
        misaligned(address, bytes)?;
        self.place_bytes(stack, space, address, bytes, write)
    }

    /// The same for any alignment.
    fn place_bytes(
        &mut self,
        stack: &Bytes,
        space: Space,
        address: u64,
        bytes: usize,
        write: bool,
    ) -> Result<NonNull<u8>, FaultKind> {
        let (name, place) = match (space, address / WINDOW_BYTES) {
            (Space::Shared, _) => ("shared", self.shared.at(address, bytes)),
            (Space::Generic, 0) => {
                let variables = &self.launch.kernel.variables;
                let inside = address.wrapping_sub(variables.address());
                let place = if inside < variables.length() as u64 {
                    variables.at(inside, bytes)
                } else {
                    self.memory.at(address, bytes)
                };
                let counter = if write { &mut self.work.bytes_written } else { &mut self.work.bytes_read };
                *counter += bytes as u64;
                ("global", place)
            }
            (Space::Generic, window) => match window * WINDOW_BYTES {
                SHARED_WINDOW => ("shared", self.shared.at(address - SHARED_WINDOW, bytes)),
                LOCAL_WINDOW => ("local", stack.at(address - LOCAL_WINDOW, bytes)),
                PARAMETER_WINDOW if !write => {
                    ("param", self.parameters.at(address - PARAMETER_WINDOW, bytes))
                }
                PARAMETER_WINDOW => ("param", None),
                _ => ("global", None),
            },
        };
        place.ok_or(FaultKind::IllegalAddress { address, bytes, space: name, write })
    }
}

impl Clock {
    /// Both clocks advance by one per executed instruction.
    fn read(self, launch: &Launch<'_>, executed: u64) -> u64 {
        match self {
            Clock::Cycles => executed,
            Clock::CyclesHigh => executed >> 32,
            Clock::Nanoseconds => launch.start_ns.wrapping_add(executed),
            Clock::NanosecondsHigh => launch.start_ns.wrapping_add(executed) >> 32,
        }
    }
}

impl Special {
    fn value(self, thread: usize, position: [u32; 3], block: &Block<'_>) -> u64 {
        let launch = block.launch;
        let lane = thread % LANES;
        let below = (1_u64 << lane) - 1;
        let threads: u64 = launch.block.iter().map(|threads| u64::from(*threads)).product();
        let [x, y, z] = block.position.map(u64::from);
        let [width, height, _] = launch.grid.map(u64::from);
        let value = match self {
            Special::Thread(axis) => position[axis].into(),
            Special::BlockSize(axis) => launch.block[axis].into(),
            Special::Block(axis) => block.position[axis].into(),
            Special::GridSize(axis) => launch.grid[axis].into(),
            Special::Lane => lane as u64,
            Special::Warp => (thread / LANES) as u64,
            Special::Warps => threads.div_ceil(LANES as u64),
            Special::Multiprocessor => (x + width * (y + height * z)) % MULTIPROCESSORS,
            Special::Multiprocessors => MULTIPROCESSORS,
            Special::LanesEqual => below + 1,
            Special::LanesBelow => below,
            Special::LanesUpTo => below << 1 | 1,
            Special::LanesFrom => !below,
            Special::LanesAbove => !(below << 1 | 1),
            Special::DynamicSharedBytes => launch.dynamic_shared_bytes as u64,
            Special::TotalSharedBytes => block.shared.length() as u64,
            Special::Zero => 0,
            Special::One => 1,
        };
        low_bits(value, 32)
    }
}
