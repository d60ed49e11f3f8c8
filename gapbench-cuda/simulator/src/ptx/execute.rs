//! Executes the instructions of a thread until it has to wait for others.

use std::ptr::NonNull;
use std::sync::atomic::{AtomicU16, AtomicU32, AtomicU64, Ordering, fence};

use super::FaultKind;
use super::atomic::Atomic;
use super::block::{Block, is_global, misaligned};
use super::instruction::{Access, Operation, Space};
use super::memory::{load, store};
use super::thread::{State, Thread};
use super::types::{low_bits, sign_extend};

/// How many instructions a thread executes before the others get their turn, so that one that spins on what another
/// will write does not spin forever.
const TURN: u64 = 10_000;

impl Thread {
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
                    let holds = compare(instruction.mode, a, b, 1);
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
                    let executed = (block.work.instructions + (start - *remaining)).wrapping_add(block.slept);
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
    low_bits(sign_extend(value, u32::from(access.bytes) * 8) as u64, access.extend.into())
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
