//! Memory: its windows, its bytes, and the instructions that load and store.
//!
//! Global, constant and module-scope variables are addressed by number as the driver hands them out. The other
//! spaces are windows that no allocation reaches; only shared memory is also addressed by its offset.

use std::ptr::NonNull;
use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering};

use super::decode::{Decoded, Reader};
use super::instruction::{Access, Instruction, Mode, Operation, Slot, Space};
use super::types::Type;

/// Where the windows of the generic address space begin, and how long each is.
pub(super) const SHARED_WINDOW: u64 = 1 << 56;
pub(super) const LOCAL_WINDOW: u64 = 2 << 56;
pub(super) const PARAMETER_WINDOW: u64 = 3 << 56;
pub(super) const WINDOW_BYTES: u64 = 1 << 56;

/// What fresh shared and local memory holds, so that a read before a write shows up: NaN as a float.
const POISON: u64 = u64::MAX;

/// A zone of memory, aligned to 8 bytes, whose bytes may change behind a shared reference.
#[derive(Debug, Default)]
pub(super) struct Bytes {
    words: Box<[AtomicU64]>,
    length: usize,
}

impl Bytes {
    /// This many zero bytes.
    pub(super) fn zeroed(length: usize) -> Bytes {
        Bytes { words: (0..length.div_ceil(8)).map(|_| AtomicU64::new(0)).collect(), length }
    }

    /// A copy of these bytes.
    pub(super) fn copy(from: &[u8]) -> Bytes {
        let bytes = Bytes::zeroed(from.len());
        for (offset, byte) in from.iter().enumerate() {
            bytes.write(offset, *byte);
        }
        bytes
    }

    /// Fills a range, which begins at a multiple of 8, with the poison.
    pub(super) fn poison(&self, offset: usize, bytes: usize) {
        for word in self.words.iter().skip(offset / 8).take(bytes.div_ceil(8)) {
            word.store(POISON, Ordering::Relaxed);
        }
    }

    pub(super) fn length(&self) -> usize {
        self.length
    }

    /// The address of the first byte.
    pub(super) fn address(&self) -> u64 {
        self.words.as_ptr() as u64
    }

    /// The host address of a range, if it lies inside.
    pub(super) fn at(&self, offset: u64, bytes: usize) -> Option<NonNull<u8>> {
        let end = offset.checked_add(bytes as u64)?;
        if end > self.length as u64 {
            return None;
        }
        // SAFETY: the offset is at most the length of the words that the pointer comes from.
        NonNull::new(unsafe { self.words.as_ptr().cast_mut().cast::<u8>().add(offset as usize) })
    }

    /// The byte at an offset; 0 outside.
    pub(super) fn read(&self, offset: usize) -> u8 {
        // SAFETY: `at` gives only addresses inside.
        self.at(offset as u64, 1).map_or(0, |byte| unsafe { load(byte, 1) } as u8)
    }

    /// Sets the byte at an offset, if it lies inside.
    pub(super) fn write(&self, offset: usize, value: u8) {
        if let Some(byte) = self.at(offset as u64, 1) {
            // SAFETY: `at` gives only addresses inside.
            unsafe { store(byte, 1, value.into()) };
        }
    }
}

/// Loads 1, 2, 4 or 8 bytes, so that a host thread may write them meanwhile.
///
/// # Safety
/// The bytes are readable, and the address is a multiple of their number.
pub(super) unsafe fn load(at: NonNull<u8>, bytes: u8) -> u64 {
    // SAFETY: the caller answers for the range and its alignment.
    unsafe {
        match bytes {
            1 => AtomicU8::from_ptr(at.as_ptr()).load(Ordering::Acquire).into(),
            2 => AtomicU16::from_ptr(at.as_ptr().cast()).load(Ordering::Acquire).into(),
            4 => AtomicU32::from_ptr(at.as_ptr().cast()).load(Ordering::Acquire).into(),
            _ => AtomicU64::from_ptr(at.as_ptr().cast()).load(Ordering::Acquire),
        }
    }
}

/// Stores the low 1, 2, 4 or 8 bytes of a value.
///
/// # Safety
/// The bytes are writable, and the address is a multiple of their number.
pub(super) unsafe fn store(at: NonNull<u8>, bytes: u8, value: u64) {
    // SAFETY: the caller answers for the range and its alignment.
    unsafe {
        match bytes {
            1 => AtomicU8::from_ptr(at.as_ptr()).store(value as u8, Ordering::Release),
            2 => AtomicU16::from_ptr(at.as_ptr().cast()).store(value as u16, Ordering::Release),
            4 => AtomicU32::from_ptr(at.as_ptr().cast()).store(value as u32, Ordering::Release),
            _ => AtomicU64::from_ptr(at.as_ptr().cast()).store(value, Ordering::Release),
        }
    }
}

/// Reads the state space of an access.
pub(super) fn space(reader: &mut Reader<'_, '_>) -> Space {
    if reader.take("shared") || reader.take("shared::cta") {
        return Space::Shared;
    }
    for window in ["global", "local", "const", "param", "param::entry", "param::func"] {
        if reader.take(window) {
            break;
        }
    }
    Space::Generic
}

/// Reads what orders an access and what hints at caches: every access here is ordered and nothing is cached.
pub(super) fn order_and_hints(reader: &mut Reader<'_, '_>) {
    let sets: [&[&str]; 4] = [
        &["weak", "volatile", "relaxed", "acquire", "release", "acq_rel", "mmio"],
        &["cta", "cluster", "gpu", "sys"],
        &["ca", "cg", "cs", "lu", "cv", "wb", "wt", "nc", "noftz"],
        &[
            "L1::evict_normal",
            "L1::evict_unchanged",
            "L1::evict_first",
            "L1::evict_last",
            "L1::no_allocate",
            "L2::64B",
            "L2::128B",
            "L2::256B",
        ],
    ];
    for set in sets {
        for suffix in set {
            reader.take(suffix);
        }
    }
}

fn lanes(reader: &mut Reader<'_, '_>) -> usize {
    reader.choose(&[("v2", 2), ("v4", 4), ("v8", 8)]).unwrap_or(1)
}

/// Decodes `ld{.order}{.space}{.hints}{.vec}.type d, [a]`.
pub(super) fn ld(reader: &mut Reader<'_, '_>) -> Decoded {
    let space = space(reader);
    order_and_hints(reader);
    let lanes = lanes(reader);
    let t = memory_type(reader)?;
    let destinations: Vec<Slot> =
        if lanes == 1 { vec![reader.destination()?] } else { reader.vector_destination(lanes)? };
    let extend = if t.is_signed() { reader.width(destinations[0]) as u8 } else { 0 };
    let access = Access { space, bytes: t.bytes() as u8, extend };
    let mut instruction = Instruction::new(Operation::Load(access));
    instruction.outputs[0] = destinations[0];
    if lanes > 1 {
        instruction.operation = Operation::LoadVector(access, destinations.into());
    }
    (instruction.inputs[0], instruction.offset) = reader.address()?;
    Ok(instruction)
}

/// Decodes `st{.order}{.space}{.hints}{.vec}.type [a], b`.
pub(super) fn st(reader: &mut Reader<'_, '_>) -> Decoded {
    let space = space(reader);
    order_and_hints(reader);
    let lanes = lanes(reader);
    let t = memory_type(reader)?;
    let access = Access { space, bytes: t.bytes() as u8, extend: 0 };
    let (base, offset) = reader.address()?;
    let mut instruction = Instruction::new(Operation::Store(access));
    (instruction.inputs[0], instruction.offset) = (base, offset);
    if lanes == 1 {
        instruction.inputs[1] = reader.source(t)?;
    } else {
        instruction.operation = Operation::StoreVector(access, reader.vector_source(lanes, t)?.into());
    }
    Ok(instruction)
}

fn memory_type(reader: &mut Reader<'_, '_>) -> Result<Type, String> {
    match reader.type_any()? {
        Type::Pred => Err("a predicate has no place in memory".into()),
        t => Ok(t),
    }
}

/// Decodes `cp.async.ca|cg.shared.global{.hints} [a], [b], bytes{, read}`, and its groups, which are done at once.
pub(super) fn cp(reader: &mut Reader<'_, '_>) -> Decoded {
    reader.require("async")?;
    if reader.take("commit_group") || reader.take("wait_all") {
        return Ok(Instruction::new(Operation::Nothing));
    }
    if reader.take("wait_group") {
        reader.integer()?;
        return Ok(Instruction::new(Operation::Nothing));
    }
    reader.one_of(&[("ca", ()), ("cg", ())])?;
    reader.one_of(&[("shared", ()), ("shared::cta", ())])?;
    reader.require("global")?;
    order_and_hints(reader);
    let (to, to_offset) = reader.address()?;
    let (from, from_offset) = reader.address()?;
    if from_offset != 0 && to_offset != 0 {
        return Err("only one of the two addresses may have an offset".into());
    }
    let bytes = match reader.integer()? {
        bytes @ (4 | 8 | 16) => bytes,
        bytes => return Err(format!("{bytes} bytes cannot be copied at once")),
    };
    let mut instruction = Instruction::new(Operation::CopyAsync(bytes as usize));
    let read = if reader.has_operand() { reader.source(Type::U32)? } else { reader.constant(bytes) };
    // The mode tells to which address the offset belongs.
    instruction.mode = Mode { variant: from_offset != 0, ..Mode::default() };
    instruction.offset = to_offset.wrapping_add(from_offset);
    instruction.inputs = [to, from, read, read];
    Ok(instruction)
}

/// Decodes hints: `prefetch`, `prefetchu`, `applypriority`, `discard`.
pub(super) fn hint(reader: &mut Reader<'_, '_>) -> Decoded {
    for suffix in ["global", "local", "L1", "L2", "L2::evict_normal", "L2::evict_last", "L2::128"] {
        reader.take(suffix);
    }
    reader.address()?;
    if reader.has_operand() {
        reader.integer()?;
    }
    Ok(Instruction::new(Operation::Nothing))
}

/// Decodes `membar` and `fence`.
pub(super) fn fence(reader: &mut Reader<'_, '_>) -> Decoded {
    for suffix in [
        "sc", "acq_rel", "acquire", "release", "proxy", "alias", "async", "cta", "cluster", "gpu", "gl",
        "sys",
    ] {
        reader.take(suffix);
    }
    Ok(Instruction::new(Operation::Fence))
}

/// Decodes `isspacep.space p, a`.
pub(super) fn isspacep(reader: &mut Reader<'_, '_>) -> Decoded {
    fn within(address: u64, window: u64) -> u64 {
        u64::from(address.wrapping_sub(window) < WINDOW_BYTES)
    }
    let compute = reader.one_of(&[
        ("global", (|_, a, _, _| within(a, 0)) as super::instruction::Compute),
        ("shared", |_, a, _, _| within(a, SHARED_WINDOW)),
        ("shared::cta", |_, a, _, _| within(a, SHARED_WINDOW)),
        ("local", |_, a, _, _| within(a, LOCAL_WINDOW)),
        ("param", |_, a, _, _| within(a, PARAMETER_WINDOW)),
        ("const", |_, _, _, _| 0),
    ])?;
    reader.value(Operation::Value(compute), Mode::default(), &[Type::B64])
}
