//! Bits: logic, shifts, fields, counts and permutations.

use super::decode::{Decoded, Reader};
use super::instruction::{Compute, Instruction, Mode, Operation};
use super::types::{Type, low_bits, sign_extend};

fn untyped(t: Type) -> bool {
    matches!(t, Type::Pred | Type::B16 | Type::B32 | Type::B64)
}

pub(super) fn and(t: Type, _: Mode) -> Option<Compute> {
    untyped(t).then_some(|_, a, b, _| a & b)
}
pub(super) fn or(t: Type, _: Mode) -> Option<Compute> {
    untyped(t).then_some(|_, a, b, _| a | b)
}
pub(super) fn xor(t: Type, _: Mode) -> Option<Compute> {
    untyped(t).then_some(|_, a, b, _| a ^ b)
}
pub(super) fn not(t: Type, _: Mode) -> Option<Compute> {
    match t {
        Type::Pred => Some(|_, a, _, _| a ^ 1),
        Type::B16 => Some(|_, a, _, _| u64::from(!(a as u16))),
        Type::B32 => Some(|_, a, _, _| u64::from(!(a as u32))),
        Type::B64 => Some(|_, a, _, _| !a),
        _ => None,
    }
}
pub(super) fn cnot(t: Type, _: Mode) -> Option<Compute> {
    (untyped(t) && t != Type::Pred).then_some(|_, a, _, _| u64::from(a == 0))
}

/// A left shift by the width or more gives 0.
pub(super) fn shl(t: Type, _: Mode) -> Option<Compute> {
    fn shifted<const BITS: u32>(_: Mode, a: u64, b: u64, _: u64) -> u64 {
        if b as u32 >= BITS { 0 } else { low_bits(a << (b as u32), BITS) }
    }
    match t {
        Type::B16 => Some(shifted::<16>),
        Type::B32 => Some(shifted::<32>),
        Type::B64 => Some(shifted::<64>),
        _ => None,
    }
}

/// A right shift by the width or more leaves copies of the sign.
pub(super) fn shr(t: Type, _: Mode) -> Option<Compute> {
    fn unsigned<const BITS: u32>(_: Mode, a: u64, b: u64, _: u64) -> u64 {
        if b as u32 >= BITS { 0 } else { low_bits(a, BITS) >> (b as u32) }
    }
    fn signed<const BITS: u32>(_: Mode, a: u64, b: u64, _: u64) -> u64 {
        low_bits((sign_extend(a, BITS) >> (b as u32).min(BITS - 1)) as u64, BITS)
    }
    match t {
        Type::B16 | Type::U16 => Some(unsigned::<16>),
        Type::B32 | Type::U32 => Some(unsigned::<32>),
        Type::B64 | Type::U64 => Some(unsigned::<64>),
        Type::S16 => Some(signed::<16>),
        Type::S32 => Some(signed::<32>),
        Type::S64 => Some(signed::<64>),
        _ => None,
    }
}

/// Decodes `shf.l|r.clamp|wrap.b32 d, low, high, amount`.
pub(super) fn funnel_shift(reader: &mut Reader<'_, '_>) -> Decoded {
    fn amount(mode: Mode, c: u64) -> u32 {
        if mode.variant { c as u32 & 31 } else { (c as u32).min(32) }
    }
    fn left(mode: Mode, low: u64, high: u64, c: u64) -> u64 {
        (high << 32 | low_bits(low, 32)) << amount(mode, c) >> 32
    }
    fn right(mode: Mode, low: u64, high: u64, c: u64) -> u64 {
        low_bits((high << 32 | low_bits(low, 32)) >> amount(mode, c), 32)
    }
    let compute = reader.one_of(&[("l", left as Compute), ("r", right)])?;
    let variant = reader.one_of(&[("wrap", true), ("clamp", false)])?;
    reader.type_of("b32")?;
    reader.value(Operation::Value(compute), Mode { variant, ..Mode::default() }, &[Type::B32; 3])
}

pub(super) fn popc(t: Type, _: Mode) -> Option<Compute> {
    matches!(t, Type::B32 | Type::B64).then_some(|_, a, _, _| u64::from(a.count_ones()))
}

pub(super) fn clz(t: Type, _: Mode) -> Option<Compute> {
    match t {
        Type::B32 => Some(|_, a, _, _| u64::from((a as u32).leading_zeros())),
        Type::B64 => Some(|_, a, _, _| u64::from(a.leading_zeros())),
        _ => None,
    }
}

pub(super) fn brev(t: Type, _: Mode) -> Option<Compute> {
    match t {
        Type::B32 => Some(|_, a, _, _| u64::from((a as u32).reverse_bits())),
        Type::B64 => Some(|_, a, _, _| a.reverse_bits()),
        _ => None,
    }
}

/// The position of the highest bit that differs from the sign, or how far to shift it to the top; all ones if none.
fn highest(value: u64, bits: u32, mode: Mode) -> u64 {
    if value == 0 {
        return u64::from(u32::MAX);
    }
    let position = 63 - value.leading_zeros();
    u64::from(if mode.variant { bits - 1 - position } else { position })
}

pub(super) fn bfind(t: Type, _: Mode) -> Option<Compute> {
    fn flipped(a: u64, bits: u32) -> u64 {
        let value = sign_extend(a, bits);
        if value < 0 { !value as u64 } else { value as u64 }
    }
    match t {
        Type::U32 => Some(|mode, a, _, _| highest(low_bits(a, 32), 32, mode)),
        Type::U64 => Some(|mode, a, _, _| highest(a, 64, mode)),
        Type::S32 => Some(|mode, a, _, _| highest(flipped(a, 32), 32, mode)),
        Type::S64 => Some(|mode, a, _, _| highest(flipped(a, 64), 64, mode)),
        _ => None,
    }
}

/// `bfe d, a, start, length`; a signed field is filled with its sign, which is the top bit where it reaches beyond.
pub(super) fn bfe(t: Type, _: Mode) -> Option<Compute> {
    fn unsigned<const BITS: u32>(_: Mode, a: u64, start: u64, length: u64) -> u64 {
        let (start, length) = (start as u32 & 255, length as u32 & 255);
        if start >= BITS { 0 } else { low_bits(low_bits(a, BITS) >> start, length) }
    }
    fn signed<const BITS: u32>(_: Mode, a: u64, start: u64, length: u64) -> u64 {
        let (start, length) = (start as u32 & 255, length as u32 & 255);
        if length == 0 {
            return 0;
        }
        let field = sign_extend(a, BITS) >> start.min(BITS - 1);
        let kept = length.min(BITS - start.min(BITS - 1));
        low_bits(sign_extend(field as u64, kept) as u64, BITS)
    }
    match t {
        Type::U32 => Some(unsigned::<32>),
        Type::U64 => Some(unsigned::<64>),
        Type::S32 => Some(signed::<32>),
        Type::S64 => Some(signed::<64>),
        _ => None,
    }
}

fn insert_field(instruction: &Instruction, registers: &mut [u64], bits: u32) {
    let [field, base, start, length] = std::array::from_fn(|index| instruction.input(index, registers));
    let (start, length) = (start as u32 & 255, length as u32 & 255);
    let mask = if start >= bits { 0 } else { low_bits(low_bits(u64::MAX, length) << start, bits) };
    let moved = if start >= 64 { 0 } else { field << start };
    registers[instruction.outputs[0] as usize] = (base & !mask) | (moved & mask);
}

/// Decodes `bfi.type d, field, base, start, length`.
pub(super) fn bfi(reader: &mut Reader<'_, '_>) -> Decoded {
    let t = reader.type_of("b32 b64")?;
    let run: fn(&Instruction, &mut [u64]) = match t {
        Type::B32 => |instruction, registers| insert_field(instruction, registers, 32),
        _ => |instruction, registers| insert_field(instruction, registers, 64),
    };
    reader.value(Operation::Registers(run), Mode::default(), &[t, t, Type::U32, Type::U32])
}

/// Decodes `lop3.b32 d, a, b, c, table`.
pub(super) fn lop3(reader: &mut Reader<'_, '_>) -> Decoded {
    fn look_up(instruction: &Instruction, registers: &mut [u64]) {
        let [a, b, c, table] = std::array::from_fn(|index| instruction.input(index, registers));
        let mut result = 0;
        for row in 0..8 {
            if table >> row & 1 == 1 {
                let choose = |value: u64, bit: u32| if row >> bit & 1 == 1 { value } else { !value };
                result |= choose(a, 2) & choose(b, 1) & choose(c, 0);
            }
        }
        registers[instruction.outputs[0] as usize] = low_bits(result, 32);
    }
    let t = reader.type_of("b32")?;
    reader.value(Operation::Registers(look_up), Mode::default(), &[t, t, t, Type::U32])
}

/// Eight bytes, and which four of them a selector picks; a selector's top bit replicates the byte's sign.
fn permute(a: u64, b: u64, selectors: [u64; 4]) -> u64 {
    let bytes = (low_bits(a, 32) | b << 32).to_le_bytes();
    let picked = selectors.map(|selector| {
        let byte = bytes[selector as usize & 7];
        if selector & 8 == 0 { byte } else { ((byte as i8) >> 7) as u8 }
    });
    u64::from(u32::from_le_bytes(picked))
}

/// Decodes `prmt.b32{.mode} d, a, b, selector`.
pub(super) fn prmt(reader: &mut Reader<'_, '_>) -> Decoded {
    let t = reader.type_of("b32")?;
    let modes: [(&str, Compute); 6] = [
        ("f4e", |_, a, b, c| permute(a, b, [0, 1, 2, 3].map(|lane| (c & 3) + lane))),
        ("b4e", |_, a, b, c| permute(a, b, [0, 7, 6, 5].map(|lane| ((c & 3) + lane) & 7))),
        ("rc8", |_, a, b, c| permute(a, b, [c & 3; 4])),
        ("ecl", |_, a, b, c| permute(a, b, [0, 1, 2, 3].map(|lane: u64| lane.max(c & 3)))),
        ("ecr", |_, a, b, c| permute(a, b, [0, 1, 2, 3].map(|lane: u64| lane.min(c & 3)))),
        ("rc16", |_, a, b, c| permute(a, b, [0, 1, 0, 1].map(|lane| (c & 1) * 2 + lane))),
    ];
    let by_nibbles: Compute = |_, a, b, c| permute(a, b, [0, 1, 2, 3].map(|lane| c >> (4 * lane) & 15));
    let compute = reader.choose(&modes).unwrap_or(by_nibbles);
    reader.value(Operation::Value(compute), Mode::default(), &[t; 3])
}
