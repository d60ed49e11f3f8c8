//! Comparisons and what chooses by them: `setp`, `set`, `selp`, `slct`.

use std::cmp::Ordering;

use half::{bf16, f16};

use super::decode::{Decoded, Reader};
use super::float::{Float, for_float, input};
use super::instruction::{Compute, Mode, Operation};
use super::integer::{Integer, for_integer};
use super::types::Type;

/// The outcomes of a comparison for which it holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Relation(u8);

const LESS: u8 = 1;
const EQUAL: u8 = 2;
const GREATER: u8 = 4;
/// One of the two is NaN.
const UNORDERED: u8 = 8;

/// `lo` to `hs` are the names of the unsigned comparisons.
const RELATIONS: &[(&str, Relation)] = &[
    ("eq", Relation(EQUAL)),
    ("ne", Relation(LESS | GREATER)),
    ("lt", Relation(LESS)),
    ("le", Relation(LESS | EQUAL)),
    ("gt", Relation(GREATER)),
    ("ge", Relation(GREATER | EQUAL)),
    ("lo", Relation(LESS)),
    ("ls", Relation(LESS | EQUAL)),
    ("hi", Relation(GREATER)),
    ("hs", Relation(GREATER | EQUAL)),
    ("equ", Relation(EQUAL | UNORDERED)),
    ("neu", Relation(LESS | GREATER | UNORDERED)),
    ("ltu", Relation(LESS | UNORDERED)),
    ("leu", Relation(LESS | EQUAL | UNORDERED)),
    ("gtu", Relation(GREATER | UNORDERED)),
    ("geu", Relation(GREATER | EQUAL | UNORDERED)),
    ("num", Relation(LESS | EQUAL | GREATER)),
    ("nan", Relation(UNORDERED)),
];

impl Relation {
    fn holds(self, ordering: Option<Ordering>) -> u64 {
        let outcome = match ordering {
            Some(Ordering::Less) => LESS,
            Some(Ordering::Equal) => EQUAL,
            Some(Ordering::Greater) => GREATER,
            None => UNORDERED,
        };
        u64::from(self.0 & outcome != 0)
    }
}

/// How `setp` joins a comparison with its third input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Combination {
    join: Join,
    /// The third input is negated.
    negated: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Join {
    And,
    Or,
    Xor,
}

impl Combination {
    /// The combined predicate.
    pub(super) fn apply(self, holds: u64, third: u64) -> u64 {
        let third = third ^ u64::from(self.negated);
        match self.join {
            Join::And => holds & third,
            Join::Or => holds | third,
            Join::Xor => holds ^ third,
        }
    }
}

/// The third input is what a comparison that holds gives; it is 1 for `setp`.
fn integers<I: Integer>(mode: Mode, a: u64, b: u64, truth: u64) -> u64 {
    truth * mode.relation.holds(Some(I::read(a).cmp(&I::read(b))))
}

fn floats<F: Float>(mode: Mode, a: u64, b: u64, truth: u64) -> u64 {
    truth * mode.relation.holds(input::<F>(mode, a).wide().partial_cmp(&input::<F>(mode, b).wide()))
}

fn comparison(t: Type) -> Option<Compute> {
    // Untyped bits are compared as unsigned numbers.
    let t = match t {
        Type::B16 => Type::U16,
        Type::B32 => Type::U32,
        Type::B64 => Type::U64,
        t => t,
    };
    for_integer!(t, integers).or(for_float!(t, floats))
}

/// Decodes `setp.relation{.join}{.ftz}.type p{|q}, a, b{, {!}c}`.
pub(super) fn setp(reader: &mut Reader<'_, '_>) -> Decoded {
    let relation = reader.one_of(RELATIONS)?;
    let join = reader.choose(&[("and", Join::And), ("or", Join::Or), ("xor", Join::Xor)]);
    let mode = Mode { relation, ftz: reader.take("ftz"), ..Mode::default() };
    let t = reader.type_any()?;
    let compute = comparison(t).ok_or("this type has no comparison")?;
    let outputs = reader.destinations()?;
    let mut instruction = reader.inputs(Operation::Value(compute), mode, &[t, t])?;
    instruction.outputs = outputs;
    let combination = match join {
        None => None,
        Some(join) => {
            let (slot, negated) = reader.predicate()?;
            instruction.inputs[2] = slot;
            Some(Combination { join, negated })
        }
    };
    if combination.is_some() || reader.has_second_destination() {
        instruction.operation = Operation::Predicates(compute, combination);
    }
    Ok(instruction)
}

/// Decodes `set.relation{.ftz}.dtype.stype d, a, b`: all ones, or 1.0 for a float.
pub(super) fn set(reader: &mut Reader<'_, '_>) -> Decoded {
    let relation = reader.one_of(RELATIONS)?;
    let mode = Mode { relation, ftz: reader.take("ftz"), ..Mode::default() };
    let (to, t) = (reader.type_any()?, reader.type_any()?);
    let truth = match (to, t.half().is_some()) {
        (Type::U32 | Type::S32, _) => 0xffff_ffff,
        (Type::U16 | Type::S16, false) => 0xffff,
        (Type::F32, false) => 0x3f80_0000,
        (Type::F16, false) => 0x3c00,
        (Type::Bf16, false) => 0x3f80,
        (Type::F16x2, true) => 0x3c00_3c00,
        (Type::Bf16x2, true) => 0x3f80_3f80,
        _ => return Err(format!("a comparison does not give {}", to.name())),
    };
    let compute = comparison(t.half().unwrap_or(t)).ok_or("this type has no comparison")?;
    let operation = if t.half().is_some() { Operation::Pair(compute) } else { Operation::Value(compute) };
    let mut instruction = reader.value(operation, mode, &[t, t])?;
    instruction.inputs[2] = reader.constant(truth);
    Ok(instruction)
}

/// Decodes `selp.type d, a, b, p`.
pub(super) fn selp(reader: &mut Reader<'_, '_>) -> Decoded {
    let t = reader.type_any()?;
    reader.value(
        Operation::Value(|_, a, b, p| if p == 0 { b } else { a }),
        Mode::default(),
        &[t, t, Type::Pred],
    )
}

/// Decodes `slct{.ftz}.dtype.ctype d, a, b, c`: `a` where `c` is at least 0.
pub(super) fn slct(reader: &mut Reader<'_, '_>) -> Decoded {
    let mode = Mode { ftz: reader.take("ftz"), ..Mode::default() };
    let t = reader.type_any()?;
    let by = reader.type_of("s32 f32")?;
    let compute: Compute = match by {
        Type::S32 => |_, a, b, c| if c as i32 >= 0 { a } else { b },
        _ => |mode, a, b, c| if input::<f32>(mode, c) >= 0.0 { a } else { b },
    };
    reader.value(Operation::Value(compute), mode, &[t, t, by])
}
