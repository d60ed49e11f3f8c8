//! Instructions that the threads of a warp execute together: `shfl`, `vote`, `match`, `redux`, `elect`, `activemask`.

use super::decode::{Decoded, Reader};
use super::instruction::{Instruction, Mode, Operation};
use super::matrix::Matrix;
use super::types::{Type, low_bits};

/// The threads of a warp.
pub(super) const LANES: usize = 32;

/// What the members of a mask do together. The mask is the fourth input of the instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Collective {
    Shuffle(Shuffle),
    Vote(Vote),
    MatchAny(Type),
    MatchAll(Type),
    Reduce(Reduction, Type),
    Elect,
    /// `bar.warp.sync`
    Wait,
    /// The threads that stand at the same instruction; it waits for nobody.
    ActiveMask,
    Matrix(Matrix),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shuffle {
    Up,
    Down,
    Butterfly,
    Index,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Vote {
    All,
    Any,
    Uniform,
    Ballot,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reduction {
    Add,
    Min,
    Max,
    And,
    Or,
    Xor,
}

/// The inputs of each lane that takes part.
pub(super) type Inputs = [Option<[u64; 4]>; LANES];

/// What a lane receives where nobody sends: NaN as a float, so that its use shows up.
const UNDEFINED: u64 = 0xffff_ffff;

impl Collective {
    /// Both outputs for one of the lanes.
    pub(super) fn outputs(self, lane: usize, inputs: &Inputs) -> [u64; 2] {
        let taking_part =
            || inputs.iter().enumerate().filter_map(|(lane, inputs)| Some((lane, (*inputs)?[0])));
        let lanes_where = |test: &dyn Fn(u64) -> bool| {
            taking_part().filter(|(_, value)| test(*value)).fold(0_u64, |mask, (lane, _)| mask | 1 << lane)
        };
        let own = inputs[lane].map_or(0, |inputs| inputs[0]);
        match self {
            Collective::Shuffle(shuffle) => shuffle.outputs(lane, inputs),
            Collective::Vote(Vote::All) => [u64::from(taking_part().all(|(_, value)| value != 0)), 0],
            Collective::Vote(Vote::Any) => [u64::from(taking_part().any(|(_, value)| value != 0)), 0],
            Collective::Vote(Vote::Uniform) => [u64::from(taking_part().all(|(_, value)| value == own)), 0],
            Collective::Vote(Vote::Ballot) => [lanes_where(&|value| value != 0), 0],
            Collective::MatchAny(_) => [lanes_where(&|value| value == own), 0],
            Collective::MatchAll(_) => {
                let all = taking_part().all(|(_, value)| value == own);
                [if all { lanes_where(&|_| true) } else { 0 }, u64::from(all)]
            }
            Collective::Reduce(reduction, t) => {
                let values = taking_part().map(|(_, value)| value);
                [values.reduce(|a, b| reduction.apply(t, a, b)).unwrap_or(0), 0]
            }
            Collective::Elect => {
                let leader = taking_part().next().map_or(0, |(lane, _)| lane);
                [leader as u64, u64::from(leader == lane)]
            }
            Collective::ActiveMask => [lanes_where(&|_| true), 0],
            Collective::Wait | Collective::Matrix(_) => [0, 0],
        }
    }
}

impl Shuffle {
    /// The value of the lane that is read, and whether it lies inside the segment.
    fn outputs(self, lane: usize, inputs: &Inputs) -> [u64; 2] {
        let [own, distance, clamp_and_segment, _] = inputs[lane].unwrap_or_default();
        let (lane, distance) = (lane as i64, (distance & 31) as i64);
        let (clamp, segment) = ((clamp_and_segment & 31) as i64, (clamp_and_segment >> 8 & 31) as i64);
        let last = (lane & segment) | (clamp & !segment);
        let (source, inside) = match self {
            Shuffle::Up => (lane - distance, lane - distance >= last),
            Shuffle::Down => (lane + distance, lane + distance <= last),
            Shuffle::Butterfly => (lane ^ distance, lane ^ distance <= last),
            Shuffle::Index => {
                let source = (lane & segment) | (distance & !segment);
                (source, source <= last)
            }
        };
        if !inside {
            return [own, 0];
        }
        let sent = usize::try_from(source).ok().and_then(|source| *inputs.get(source)?);
        [sent.map_or(UNDEFINED, |inputs| inputs[0]), 1]
    }
}

impl Reduction {
    fn apply(self, t: Type, a: u64, b: u64) -> u64 {
        let signed = t.is_signed();
        let result = match self {
            Reduction::Add => a.wrapping_add(b),
            Reduction::Min if signed => (a as i32).min(b as i32) as u64,
            Reduction::Max if signed => (a as i32).max(b as i32) as u64,
            Reduction::Min => a.min(b),
            Reduction::Max => a.max(b),
            Reduction::And => a & b,
            Reduction::Or => a | b,
            Reduction::Xor => a ^ b,
        };
        low_bits(result, 32)
    }
}

/// Decodes `shfl.sync.mode.b32 d{|p}, a, b, c, mask`.
pub(super) fn shfl(reader: &mut Reader<'_, '_>) -> Decoded {
    reader.require("sync")?;
    let shuffle = reader.one_of(&[
        ("up", Shuffle::Up),
        ("down", Shuffle::Down),
        ("bfly", Shuffle::Butterfly),
        ("idx", Shuffle::Index),
    ])?;
    reader.type_of("b32")?;
    let outputs = reader.destinations()?;
    let operation = Operation::Collective(Collective::Shuffle(shuffle));
    let mut instruction = reader.inputs(operation, Mode::default(), &[Type::B32; 4])?;
    instruction.outputs = outputs;
    Ok(instruction)
}

/// Decodes `vote.sync.mode.type d, {!}a, mask`.
pub(super) fn vote(reader: &mut Reader<'_, '_>) -> Decoded {
    reader.require("sync")?;
    let vote = reader.one_of(&[
        ("all", Vote::All),
        ("any", Vote::Any),
        ("uni", Vote::Uniform),
        ("ballot", Vote::Ballot),
    ])?;
    reader.type_of(if vote == Vote::Ballot { "b32" } else { "pred" })?;
    let mut instruction = Instruction::new(Operation::Collective(Collective::Vote(vote)));
    instruction.outputs[0] = reader.destination()?;
    let (predicate, negated) = reader.predicate()?;
    instruction.inputs[0] = predicate;
    instruction.mode.variant = negated;
    instruction.inputs[3] = reader.source(Type::B32)?;
    Ok(instruction)
}

/// Decodes `match.any|all.sync.type d{|p}, a, mask`.
pub(super) fn matching(reader: &mut Reader<'_, '_>) -> Decoded {
    let all = reader.one_of(&[("any", false), ("all", true)])?;
    reader.require("sync")?;
    let t = reader.type_of("b32 b64")?;
    let collective = if all { Collective::MatchAll(t) } else { Collective::MatchAny(t) };
    with_value_and_mask(reader, collective, t)
}

/// Decodes `redux.sync.op.type d, a, mask`.
pub(super) fn redux(reader: &mut Reader<'_, '_>) -> Decoded {
    reader.require("sync")?;
    let reduction = reader.one_of(&[
        ("add", Reduction::Add),
        ("min", Reduction::Min),
        ("max", Reduction::Max),
        ("and", Reduction::And),
        ("or", Reduction::Or),
        ("xor", Reduction::Xor),
    ])?;
    let t = reader.type_of("u32 s32 b32")?;
    with_value_and_mask(reader, Collective::Reduce(reduction, t), t)
}

fn with_value_and_mask(reader: &mut Reader<'_, '_>, collective: Collective, t: Type) -> Decoded {
    let outputs = reader.destinations()?;
    let mut instruction = reader.inputs(Operation::Collective(collective), Mode::default(), &[t])?;
    instruction.inputs[3] = reader.source(Type::B32)?;
    instruction.outputs = outputs;
    Ok(instruction)
}

/// Decodes `elect.sync d|p, mask`.
pub(super) fn elect(reader: &mut Reader<'_, '_>) -> Decoded {
    reader.require("sync")?;
    let mut instruction = Instruction::new(Operation::Collective(Collective::Elect));
    instruction.outputs = reader.destinations()?;
    instruction.inputs[3] = reader.source(Type::B32)?;
    Ok(instruction)
}

/// Decodes `activemask.b32 d`.
pub(super) fn activemask(reader: &mut Reader<'_, '_>) -> Decoded {
    reader.type_of("b32")?;
    let mut instruction = Instruction::new(Operation::Collective(Collective::ActiveMask));
    instruction.outputs[0] = reader.destination()?;
    Ok(instruction)
}
