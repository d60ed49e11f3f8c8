//! Integer arithmetic.

use super::decode::{Decoded, Reader};
use super::instruction::{CARRY, Compute, Instruction, Mode, Operation, Part};
use super::types::{Type, low_bits, sign_extend};

/// A machine integer in a slot.
pub(super) trait Integer: Copy + Ord {
    const BITS: u32;
    const ZERO: Self;
    fn read(slot: u64) -> Self;
    /// Zero-extended.
    fn slot(self) -> u64;
    fn exact(self) -> i128;
    /// The low bits of a wider result.
    fn wrap(value: i128) -> Self;
    fn clamped(value: i128) -> Self;
}

macro_rules! integers {
    ($($type:ident $unsigned:ident),*) => {
        $(impl Integer for $type {
            const BITS: u32 = $type::BITS;
            const ZERO: $type = 0;
            fn read(slot: u64) -> $type { slot as $type }
            fn slot(self) -> u64 { u64::from(self as $unsigned) }
            fn exact(self) -> i128 { i128::from(self) }
            fn wrap(value: i128) -> $type { value as $type }
            fn clamped(value: i128) -> $type {
                value.clamp(i128::from($type::MIN), i128::from($type::MAX)) as $type
            }
        })*
    };
}
integers!(u8 u8, u16 u16, u32 u32, u64 u64, i8 u8, i16 u16, i32 u32, i64 u64);

/// The instance of a generic function for an integer type.
macro_rules! for_integer {
    ($type:expr, $function:ident) => {
        match $type {
            Type::U16 => Some($function::<u16> as Compute),
            Type::U32 => Some($function::<u32> as Compute),
            Type::U64 => Some($function::<u64> as Compute),
            Type::S16 => Some($function::<i16> as Compute),
            Type::S32 => Some($function::<i32> as Compute),
            Type::S64 => Some($function::<i64> as Compute),
            _ => None,
        }
    };
}
pub(super) use for_integer;

fn sum<I: Integer>(mode: Mode, a: u64, b: u64, _: u64) -> u64 {
    if mode.saturate {
        return I::clamped(I::read(a).exact() + I::read(b).exact()).slot();
    }
    I::read(a.wrapping_add(b)).slot()
}

fn difference<I: Integer>(mode: Mode, a: u64, b: u64, _: u64) -> u64 {
    if mode.saturate {
        return I::clamped(I::read(a).exact() - I::read(b).exact()).slot();
    }
    I::read(a.wrapping_sub(b)).slot()
}

fn low_product<I: Integer>(_: Mode, a: u64, b: u64, _: u64) -> u64 {
    I::read(a.wrapping_mul(b)).slot()
}

fn low_multiply_add<I: Integer>(_: Mode, a: u64, b: u64, c: u64) -> u64 {
    I::read(a.wrapping_mul(b).wrapping_add(c)).slot()
}

/// `hi` and `wide` products; the product of two `u64` does not fit in `i128`, but wraps to the same bits.
fn part_of_product<I: Integer>(part: Part, a: u64, b: u64) -> u64 {
    let product = I::read(a).exact().wrapping_mul(I::read(b).exact());
    match part {
        Part::Low => I::wrap(product).slot(),
        Part::High => I::wrap(product >> I::BITS).slot(),
        Part::Wide => low_bits(product as u64, 2 * I::BITS),
    }
}

fn product<I: Integer>(mode: Mode, a: u64, b: u64, _: u64) -> u64 {
    part_of_product::<I>(mode.part, a, b)
}

fn multiply_add<I: Integer>(mode: Mode, a: u64, b: u64, c: u64) -> u64 {
    let product = part_of_product::<I>(mode.part, a, b);
    if mode.part == Part::Wide {
        return low_bits(product.wrapping_add(c), 2 * I::BITS);
    }
    if mode.saturate {
        return I::clamped(I::read(product).exact() + I::read(c).exact()).slot();
    }
    I::read(product.wrapping_add(c)).slot()
}

fn low_24_bits<I: Integer>(slot: u64) -> i128 {
    let shift = 128 - 24;
    if I::clamped(-1) < I::ZERO { (i128::from(slot) << shift) >> shift } else { i128::from(slot & 0xff_ffff) }
}

pub(super) fn product_24<I: Integer>(mode: Mode, a: u64, b: u64, c: u64) -> u64 {
    let product = low_24_bits::<I>(a) * low_24_bits::<I>(b);
    let part = if mode.part == Part::High { product >> 16 } else { product };
    I::wrap(part + i128::from(c)).slot()
}

/// Division by zero has no defined result; all ones is what devices give.
fn quotient<I: Integer>(_: Mode, a: u64, b: u64, _: u64) -> u64 {
    match I::read(b).exact() {
        0 => low_bits(u64::MAX, I::BITS),
        divisor => I::wrap(I::read(a).exact() / divisor).slot(),
    }
}

fn remainder<I: Integer>(_: Mode, a: u64, b: u64, _: u64) -> u64 {
    match I::read(b).exact() {
        0 => low_bits(a, I::BITS),
        divisor => I::wrap(I::read(a).exact() % divisor).slot(),
    }
}

fn minimum<I: Integer>(mode: Mode, a: u64, b: u64, _: u64) -> u64 {
    let least = I::read(a).min(I::read(b));
    if mode.relu { least.max(I::ZERO).slot() } else { least.slot() }
}

fn maximum<I: Integer>(mode: Mode, a: u64, b: u64, _: u64) -> u64 {
    let most = I::read(a).max(I::read(b));
    if mode.relu { most.max(I::ZERO).slot() } else { most.slot() }
}

fn absolute<I: Integer>(_: Mode, a: u64, _: u64, _: u64) -> u64 {
    I::wrap(I::read(a).exact().abs()).slot()
}

fn negative<I: Integer>(mode: Mode, a: u64, _: u64, _: u64) -> u64 {
    difference::<I>(mode, 0, a, 0)
}

fn distance<I: Integer>(_: Mode, a: u64, b: u64, c: u64) -> u64 {
    I::wrap((I::read(a).exact() - I::read(b).exact()).abs() + i128::from(c)).slot()
}

pub(super) fn add(t: Type, _: Mode) -> Option<Compute> {
    for_integer!(t, sum)
}
pub(super) fn sub(t: Type, _: Mode) -> Option<Compute> {
    for_integer!(t, difference)
}
pub(super) fn mul(t: Type, mode: Mode) -> Option<Compute> {
    match mode.part {
        Part::Low => for_integer!(t, low_product),
        Part::High => for_integer!(t, product),
        Part::Wide => for_integer!(t, product).filter(|_| t.bits() < 64),
    }
}
pub(super) fn mad(t: Type, mode: Mode) -> Option<Compute> {
    let simple = mode.part == Part::Low && !mode.saturate;
    if simple { for_integer!(t, low_multiply_add) } else { for_integer!(t, multiply_add) }
}
pub(super) fn mul24(t: Type, _: Mode) -> Option<Compute> {
    for_integer!(t, product_24)
}
pub(super) fn div(t: Type, _: Mode) -> Option<Compute> {
    for_integer!(t, quotient)
}
pub(super) fn rem(t: Type, _: Mode) -> Option<Compute> {
    for_integer!(t, remainder)
}
pub(super) fn min(t: Type, _: Mode) -> Option<Compute> {
    for_integer!(t, minimum)
}
pub(super) fn max(t: Type, _: Mode) -> Option<Compute> {
    for_integer!(t, maximum)
}
pub(super) fn abs(t: Type, _: Mode) -> Option<Compute> {
    for_integer!(t, absolute).filter(|_| t.is_signed())
}
pub(super) fn neg(t: Type, _: Mode) -> Option<Compute> {
    for_integer!(t, negative).filter(|_| t.is_signed())
}
pub(super) fn sad(t: Type, _: Mode) -> Option<Compute> {
    for_integer!(t, distance)
}

/// `add.cc`, `addc`, `sub.cc`, `subc`, `mad.cc` and `madc`: `a + b` or `a - b` with the carry in and out.
fn carried(instruction: &Instruction, registers: &mut [u64], bits: u32, a: u64, b: u64, subtract: bool) {
    let carry_in = if instruction.mode.reads_carry { registers[CARRY as usize] } else { 0 };
    let (a, b, carry_in) =
        (i128::from(low_bits(a, bits)), i128::from(low_bits(b, bits)), i128::from(carry_in));
    let total = if subtract { a - b - carry_in } else { a + b + carry_in };
    registers[instruction.outputs[0] as usize] = low_bits(total as u64, bits);
    if instruction.mode.writes_carry {
        registers[CARRY as usize] = u64::from(total < 0 || total >> bits != 0);
    }
}

fn carried_add<I: Integer>(instruction: &Instruction, registers: &mut [u64]) {
    let (a, b) = (instruction.input(0, registers), instruction.input(1, registers));
    carried(instruction, registers, I::BITS, a, b, false);
}

fn carried_sub<I: Integer>(instruction: &Instruction, registers: &mut [u64]) {
    let (a, b) = (instruction.input(0, registers), instruction.input(1, registers));
    carried(instruction, registers, I::BITS, a, b, true);
}

fn carried_mad<I: Integer>(instruction: &Instruction, registers: &mut [u64]) {
    let product = part_of_product::<I>(
        instruction.mode.part,
        instruction.input(0, registers),
        instruction.input(1, registers),
    );
    let c = instruction.input(2, registers);
    carried(instruction, registers, I::BITS, product, c, false);
}

/// Decodes `add.cc`, `addc{.cc}`, `sub.cc`, `subc{.cc}`, `mad.cc` and `madc{.cc}`.
pub(super) fn carry(reader: &mut Reader<'_, '_>) -> Decoded {
    let (opcode, reads_carry) = match reader.opcode().strip_suffix('c') {
        Some(base) => (base, true),
        None => (reader.opcode(), false),
    };
    let part = if opcode == "mad" && reader.take("hi") { Part::High } else { Part::Low };
    if opcode == "mad" && part == Part::Low {
        reader.require("lo")?;
    }
    let writes_carry = reader.take("cc");
    let t = reader.type_of("u32 s32 u64 s64")?;
    let run: fn(&Instruction, &mut [u64]) = match (opcode, t) {
        ("add", Type::U32 | Type::S32) => carried_add::<u32>,
        ("add", _) => carried_add::<u64>,
        ("sub", Type::U32 | Type::S32) => carried_sub::<u32>,
        ("sub", _) => carried_sub::<u64>,
        (_, Type::U32) => carried_mad::<u32>,
        (_, Type::S32) => carried_mad::<i32>,
        (_, Type::U64) => carried_mad::<u64>,
        _ => carried_mad::<i64>,
    };
    let mut instruction = Instruction::new(Operation::Registers(run));
    instruction.mode = Mode { part, reads_carry, writes_carry, ..Mode::default() };
    instruction.outputs[0] = reader.destination()?;
    for index in 0..if opcode == "mad" { 3 } else { 2 } {
        instruction.inputs[index] = reader.source(t)?;
    }
    Ok(instruction)
}

/// The 8- or 16-bit lanes of a 32-bit number, signed or not.
fn lanes<const SIGNED: bool>(slot: u64, bits: u32) -> [i64; 4] {
    std::array::from_fn(|lane| {
        let value = low_bits(slot >> (lane as u32 * bits), bits);
        if SIGNED { sign_extend(value, bits) } else { value as i64 }
    })
}

fn dot<const A: bool, const B: bool>(_: Mode, a: u64, b: u64, c: u64) -> u64 {
    let a = lanes::<A>(a, 8);
    let b = lanes::<B>(b, 8);
    let products: i64 = a.iter().zip(b).map(|(a, b)| a * b).sum();
    low_bits((c as i64).wrapping_add(products) as u64, 32)
}

fn dot_two<const A: bool, const B: bool>(mode: Mode, a: u64, b: u64, c: u64) -> u64 {
    let a = lanes::<A>(a, 16);
    let b = lanes::<B>(b, 8);
    let upper = if mode.part == Part::High { 2 } else { 0 };
    low_bits((c as i64).wrapping_add(a[0] * b[upper] + a[1] * b[upper + 1]) as u64, 32)
}

/// Decodes `dp4a.atype.btype` and `dp2a.mode.atype.btype`.
pub(super) fn dot_product(reader: &mut Reader<'_, '_>) -> Decoded {
    let two = reader.opcode() == "dp2a";
    let part = if two && reader.take("hi") { Part::High } else { Part::Low };
    if two && part == Part::Low {
        reader.require("lo")?;
    }
    let a = reader.type_of("u32 s32")?.is_signed();
    let b = reader.type_of("u32 s32")?.is_signed();
    let compute: Compute = match (two, a, b) {
        (false, false, false) => dot::<false, false>,
        (false, false, true) => dot::<false, true>,
        (false, true, false) => dot::<true, false>,
        (false, true, true) => dot::<true, true>,
        (true, false, false) => dot_two::<false, false>,
        (true, false, true) => dot_two::<false, true>,
        (true, true, false) => dot_two::<true, false>,
        (true, true, true) => dot_two::<true, true>,
    };
    reader.value(Operation::Value(compute), Mode { part, ..Mode::default() }, &[Type::B32; 3])
}
