//! What moves data between registers and decides what runs next: `mov`, branches, calls, barriers.

use super::decode::{Decoded, Reader};
use super::instruction::{Barrier, Instruction, Mode, Operation, Passed};
use super::names::clock;
use super::types::Type;
use super::warp::Collective;

/// Decodes `mov.type d, a`, where one of the two may be a vector whose elements make up the other.
pub(super) fn mov(reader: &mut Reader<'_, '_>) -> Decoded {
    let t = reader.type_any()?;
    if let Some(lanes) = reader.vector_lanes() {
        let slots = reader.vector_destination(lanes)?.into();
        return reader.inputs(Operation::Unpack(element_bits(t, lanes)?, slots), Mode::default(), &[t]);
    }
    let output = reader.destination()?;
    let mut instruction = if let Some(lanes) = reader.vector_lanes() {
        let bits = element_bits(t, lanes)?;
        let element = if bits == 16 { Type::B16 } else { Type::B32 };
        Instruction::new(Operation::Pack(bits, reader.vector_source(lanes, element)?.into()))
    } else if let Some(clock) = reader.peek_name().and_then(clock) {
        reader.next_operand()?;
        Instruction::new(Operation::ReadClock(clock))
    } else {
        reader.inputs(Operation::Value(|_, a, _, _| a), Mode::default(), &[t])?
    };
    instruction.outputs[0] = output;
    // A clock is cut to the register; everything else has the register's width already.
    instruction.offset = i64::from(t.bits());
    Ok(instruction)
}

fn element_bits(t: Type, lanes: usize) -> Result<u32, String> {
    match (t.bits(), lanes) {
        (bits @ (16 | 32 | 64), 2 | 4) if bits / lanes as u32 >= 8 => Ok(bits / lanes as u32),
        (bits, lanes) => Err(format!("{bits} bits are not moved as {lanes} elements")),
    }
}

/// Decodes `bra{.uni} label`.
pub(super) fn bra(reader: &mut Reader<'_, '_>) -> Decoded {
    reader.take("uni");
    Ok(Instruction::new(Operation::Branch(reader.label()?)))
}

/// Decodes `brx.idx{.uni} index, targets`.
pub(super) fn brx(reader: &mut Reader<'_, '_>) -> Decoded {
    reader.require("idx")?;
    reader.take("uni");
    let index = reader.source(Type::U32)?;
    let mut instruction = Instruction::new(Operation::BranchTable(reader.targets()?.into()));
    instruction.inputs[0] = index;
    Ok(instruction)
}

/// Decodes `call{.uni} {(results),} function{, (arguments)}`.
///
/// Nothing reads what a kernel prints, so `vprintf` does nothing; a failed assertion is a trap.
pub(super) fn call(reader: &mut Reader<'_, '_>) -> Decoded {
    reader.take("uni");
    let into = if reader.at_list() { reader.passed()? } else { Vec::new() };
    let name = reader.peek_name().ok_or("expected the name of a function")?;
    reader.next_operand()?;
    let from = if reader.at_list() { reader.passed()? } else { Vec::new() };
    match name {
        "vprintf" => return Ok(Instruction::new(Operation::Nothing)),
        "__assertfail" => return Ok(Instruction::new(Operation::Trap)),
        _ => {}
    }
    let (function, results, arguments) =
        reader.linker.function(name).ok_or(format!("`{name}` has no body here"))?;
    if results.len() != into.len() || arguments.len() != from.len() {
        return Err(format!("`{name}` has {} results and {} parameters", results.len(), arguments.len()));
    }
    let pass = |(caller, callee): (&(usize, usize), &(usize, usize))| -> Passed {
        (caller.0, callee.0, caller.1.min(callee.1))
    };
    Ok(Instruction::new(Operation::Call {
        function,
        arguments: from.iter().zip(&arguments).map(pass).collect(),
        results: into.iter().zip(&results).map(pass).collect(),
    }))
}

pub(super) fn ret(reader: &mut Reader<'_, '_>) -> Decoded {
    reader.take("uni");
    Ok(Instruction::new(Operation::Return))
}

pub(super) fn exit(_: &mut Reader<'_, '_>) -> Decoded {
    Ok(Instruction::new(Operation::Exit))
}

pub(super) fn trap(_: &mut Reader<'_, '_>) -> Decoded {
    Ok(Instruction::new(Operation::Trap))
}

/// A debugger's stop; there is none.
pub(super) fn brkpt(_: &mut Reader<'_, '_>) -> Decoded {
    Ok(Instruction::new(Operation::Nothing))
}

/// Decodes `nanosleep.u32 t`, which only moves the clocks.
pub(super) fn nanosleep(reader: &mut Reader<'_, '_>) -> Decoded {
    reader.type_of("u32")?;
    reader.inputs(Operation::Sleep, Mode::default(), &[Type::U32])
}

/// Decodes `bar.warp.sync mask`, `bar{rier}{.cta}.sync{.aligned} a{, b}`, `.arrive` and `.red`.
///
/// The inputs are the barrier, how many threads it is for (0: all), and the predicate.
pub(super) fn bar(reader: &mut Reader<'_, '_>) -> Decoded {
    if reader.take("warp") {
        reader.require("sync")?;
        let mut instruction = Instruction::new(Operation::Collective(Collective::Wait));
        instruction.inputs[3] = reader.source(Type::B32)?;
        return Ok(instruction);
    }
    reader.take("cta");
    reader.take("aligned");
    let action =
        reader.one_of(&[("sync", None), ("arrive", Some(Barrier::Arrive)), ("red", Some(Barrier::Count))])?;
    let barrier = match action {
        None => Barrier::Wait,
        Some(Barrier::Arrive) => Barrier::Arrive,
        Some(_) => reader.one_of(&[("popc", Barrier::Count), ("and", Barrier::All), ("or", Barrier::Any)])?,
    };
    let mut instruction = Instruction::new(Operation::Barrier(barrier));
    let reduces = !matches!(barrier, Barrier::Wait | Barrier::Arrive);
    if reduces {
        reader.type_of(if barrier == Barrier::Count { "u32" } else { "pred" })?;
        instruction.outputs[0] = reader.destination()?;
    }
    instruction.inputs[0] = reader.source(Type::U32)?;
    let everyone = reader.constant(0);
    let has_count = reader.operands_left() > usize::from(reduces);
    instruction.inputs[1] = if has_count { reader.source(Type::U32)? } else { everyone };
    if reduces {
        let (predicate, negated) = reader.predicate()?;
        instruction.inputs[2] = predicate;
        instruction.mode.variant = negated;
    }
    Ok(instruction)
}
