//! Atomic operations: `atom` and `red`.

use half::{bf16, f16};

use super::decode::{Decoded, Reader};
use super::float::Float;
use super::instruction::{Access, Instruction, Operation};
use super::integer::Integer;
use super::memory::{order_and_hints, space};
use super::round::Rounding;
use super::types::{Type, low_bits};

/// A read, a combination and a write that nothing comes between.
#[derive(Clone, Copy, Debug)]
pub(super) struct Atomic {
    pub(super) access: Access,
    /// The new value of the old one and the operands.
    pub(super) combine: fn(u64, u64, u64) -> u64,
}

fn add<I: Integer>(old: u64, b: u64, _: u64) -> u64 {
    I::read(old.wrapping_add(b)).slot()
}
fn min<I: Integer>(old: u64, b: u64, _: u64) -> u64 {
    I::read(old).min(I::read(b)).slot()
}
fn max<I: Integer>(old: u64, b: u64, _: u64) -> u64 {
    I::read(old).max(I::read(b)).slot()
}
fn add_float<F: Float>(old: u64, b: u64, _: u64) -> u64 {
    F::read(old).add(F::read(b), Rounding::Nearest).slot()
}
fn add_halves<F: Float>(old: u64, b: u64, _: u64) -> u64 {
    let half = |shift: u64| add_float::<F>(low_bits(old >> shift, 16), low_bits(b >> shift, 16), 0) << shift;
    half(16) | half(0)
}

/// What an operation does with a type, if it is defined for it.
fn combination(operation: &str, t: Type) -> Option<fn(u64, u64, u64) -> u64> {
    use Type::*;
    Some(match (operation, t) {
        ("add", U32 | S32) => add::<u32>,
        ("add", U64 | S64) => add::<u64>,
        ("add", F32) => add_float::<f32>,
        ("add", F64) => add_float::<f64>,
        ("add", F16) => add_float::<f16>,
        ("add", Bf16) => add_float::<bf16>,
        ("add", F16x2) => add_halves::<f16>,
        ("add", Bf16x2) => add_halves::<bf16>,
        ("min", U32) => min::<u32>,
        ("min", S32) => min::<i32>,
        ("min", U64) => min::<u64>,
        ("min", S64) => min::<i64>,
        ("max", U32) => max::<u32>,
        ("max", S32) => max::<i32>,
        ("max", U64) => max::<u64>,
        ("max", S64) => max::<i64>,
        ("and", B32 | B64) => |old, b, _| old & b,
        ("or", B32 | B64) => |old, b, _| old | b,
        ("xor", B32 | B64) => |old, b, _| old ^ b,
        ("exch", B32 | B64) => |_, b, _| b,
        ("cas", B16 | B32 | B64) => |old, b, c| if old == b { c } else { old },
        ("inc", U32) => |old, b, _| if old >= b { 0 } else { old + 1 },
        ("dec", U32) => |old, b, _| if old == 0 || old > b { b } else { old - 1 },
        _ => return None,
    })
}

/// Decodes `atom{.order}{.scope}{.space}.op.type d, [a], b{, c}` and `red`, which has no `d`.
pub(super) fn atom(reader: &mut Reader<'_, '_>) -> Decoded {
    let space = space(reader);
    order_and_hints(reader);
    let operation = reader.one_of(
        &["add", "min", "max", "and", "or", "xor", "exch", "cas", "inc", "dec"]
            .map(|operation| (operation, operation)),
    )?;
    let t = reader.type_any()?;
    let combine =
        combination(operation, t).ok_or_else(|| format!("`{operation}` is not defined for {}", t.name()))?;
    let access = Access { space, bytes: t.bytes() as u8, extend: 0 };
    let mut instruction = Instruction::new(Operation::Atomic(Atomic { access, combine }));
    if reader.opcode() == "atom" {
        instruction.outputs[0] = reader.destination()?;
    }
    (instruction.inputs[0], instruction.offset) = reader.address()?;
    instruction.inputs[1] = reader.source(t)?;
    if operation == "cas" {
        instruction.inputs[2] = reader.source(t)?;
    }
    Ok(instruction)
}
