//! Conversions: `cvt` and `cvta`.

use half::{bf16, f16};

use super::decode::{Decoded, Reader};
use super::float::{Float, input};
use super::instruction::{Mode, Operation};
use super::memory::SHARED_WINDOW;
use super::round::{BFLOAT, E4M3, E5M2, Format, HALF, Rounding, TF32, integer_to_odd, saturate};
use super::types::{Type, low_bits, sign_extend};

/// One conversion between two scalar types.
#[derive(Clone, Copy, Debug)]
pub(super) struct Conversion {
    from: Type,
    to: Type,
    /// `.rni` and its like: a float becomes an integral float.
    integral: bool,
    /// `.satfinite`: what is too large becomes the largest finite value.
    finite: bool,
    /// The width of the destination register, to which a signed result is extended.
    width: u32,
}

/// The rounding suffixes, and whether they round to an integer.
const ROUNDINGS: &[(&str, (Rounding, bool))] = &[
    ("rn", (Rounding::Nearest, false)),
    ("rz", (Rounding::Zero, false)),
    ("rm", (Rounding::Down, false)),
    ("rp", (Rounding::Up, false)),
    ("rna", (Rounding::Away, false)),
    ("rni", (Rounding::Nearest, true)),
    ("rzi", (Rounding::Zero, true)),
    ("rmi", (Rounding::Down, true)),
    ("rpi", (Rounding::Up, true)),
];

impl Conversion {
    /// The converted value.
    pub(super) fn apply(self, mode: Mode, value: u64) -> u64 {
        match (self.from.is_float(), self.to.is_float() || self.to == Type::Tf32) {
            (false, false) => self.integer(mode, self.exact(value)),
            (false, true) => self.float(mode, integer_to_odd(self.exact(value)), Some(self.exact(value))),
            (true, false) => self.integer_of_float(mode, self.wide(mode, value)),
            (true, true) => {
                let wide = self.wide(mode, value);
                self.float(mode, if self.integral { mode.rounding.integral(wide) } else { wide }, None)
            }
        }
    }

    fn exact(self, value: u64) -> i128 {
        let bits = self.from.bits();
        if self.from.is_signed() { sign_extend(value, bits).into() } else { low_bits(value, bits).into() }
    }

    fn wide(self, mode: Mode, value: u64) -> f64 {
        match self.from {
            Type::F32 => input::<f32>(mode, value).wide(),
            Type::F16 => f16::read(value).wide(),
            Type::Bf16 => bf16::read(value).wide(),
            _ => f64::read(value),
        }
    }

    fn range(self) -> (i128, i128) {
        let bits = self.to.bits();
        if self.to.is_signed() { (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) } else { (0, (1 << bits) - 1) }
    }

    /// Puts an integer into the destination: clamped if asked for, extended to the register.
    fn integer(self, mode: Mode, value: i128) -> u64 {
        let (least, most) = self.range();
        let value = if mode.saturate { value.clamp(least, most) } else { value };
        let bits = self.to.bits();
        if self.to.is_signed() {
            low_bits(sign_extend(value as u64, bits) as u64, self.width.max(bits))
        } else {
            low_bits(value as u64, bits)
        }
    }

    /// Always clamped; NaN becomes 0.
    fn integer_of_float(self, mode: Mode, value: f64) -> u64 {
        let (least, most) = self.range();
        self.integer(mode, (mode.rounding.integral(value) as i128).clamp(least, most))
    }

    /// Rounds to the destination. An integer source is exact beside its `f64` rounded to odd.
    fn float(self, mode: Mode, value: f64, exact: Option<i128>) -> u64 {
        let value = match mode {
            Mode { saturate: true, .. } => saturate(value),
            Mode { relu: true, .. } if value < 0.0 => 0.0,
            _ => value,
        };
        // A conversion to integral is exact in every destination, or rounds to nearest.
        let rounding = if self.integral { Rounding::Nearest } else { mode.rounding };
        match self.to {
            Type::F32 => {
                let narrow = f32::narrow(value, rounding);
                let flush = mode.ftz && narrow.is_subnormal();
                if flush { 0f32.copysign(narrow).slot() } else { narrow.slot() }
            }
            Type::F16 => HALF.encode(value, rounding, self.finite).into(),
            Type::Bf16 => BFLOAT.encode(value, rounding, self.finite).into(),
            Type::Tf32 => u64::from(TF32.encode(value, rounding, self.finite)) << 13,
            _ => match exact {
                Some(exact) if !mode.saturate => {
                    let nearest = exact as f64;
                    rounding.step(nearest, (exact - nearest as i128) as f64).slot()
                }
                _ => value.slot(),
            },
        }
    }
}

/// The format of each half of a packed type.
fn packed(t: Type) -> Option<Format> {
    match t {
        Type::F16x2 => Some(HALF),
        Type::Bf16x2 => Some(BFLOAT),
        Type::E4m3x2 => Some(E4M3),
        Type::E5m2x2 => Some(E5M2),
        _ => None,
    }
}

/// Two `f32` into the halves of the destination; the first becomes the upper.
fn pack<const FORMAT: usize>(mode: Mode, a: u64, b: u64, _: u64) -> u64 {
    let format = [HALF, BFLOAT, E4M3, E5M2][FORMAT];
    let half = |slot| u64::from(encode(format, mode, f32::read(slot).wide()));
    let bits = if FORMAT < 2 { 16 } else { 8 };
    half(a) << bits | half(b)
}

/// The halves of a packed pair into those of another type.
fn repack<const FROM: usize, const TO: usize>(mode: Mode, a: u64, _: u64, _: u64) -> u64 {
    let (from, to) = ([HALF, BFLOAT, E4M3, E5M2][FROM], [HALF, BFLOAT, E4M3, E5M2][TO]);
    let (from_bits, to_bits) = (if FROM < 2 { 16 } else { 8 }, if TO < 2 { 16 } else { 8 });
    let half = |bits: u64| u64::from(encode(to, mode, from.decode(low_bits(bits, from_bits) as u32)));
    half(a >> from_bits) << to_bits | half(a)
}

fn encode(format: Format, mode: Mode, value: f64) -> u32 {
    let value = if mode.relu && value < 0.0 { 0.0 } else { value };
    format.encode(value, mode.rounding, mode.saturate)
}

/// Decodes `cvt{.rounding}{.ftz}{.sat}.dtype.stype d, a` and the packed forms.
pub(super) fn cvt(reader: &mut Reader<'_, '_>) -> Decoded {
    let rounding = reader.choose(ROUNDINGS);
    let finite = reader.take("satfinite");
    let relu = reader.take("relu");
    let ftz = reader.take("ftz");
    let saturate = reader.take("sat");
    let (to, from) = (reader.type_any()?, reader.type_any()?);
    let no_conversion = || format!("no conversion from {} to {}", from.name(), to.name());
    let mut mode = Mode { ftz, saturate, relu, ..Mode::default() };
    let (chosen, integral) = rounding.unwrap_or_default();
    mode.rounding = chosen;
    if packed(to).is_some() {
        let compute = match (to, from) {
            _ if saturate || rounding.is_none() => return Err(no_conversion()),
            (Type::F16x2, Type::F32) => pack::<0>,
            (Type::Bf16x2, Type::F32) => pack::<1>,
            (Type::E4m3x2, Type::F32) => pack::<2>,
            (Type::E5m2x2, Type::F32) => pack::<3>,
            (Type::E4m3x2, Type::F16x2) => repack::<0, 2>,
            (Type::E5m2x2, Type::F16x2) => repack::<0, 3>,
            (Type::F16x2, Type::E4m3x2) => repack::<2, 0>,
            (Type::F16x2, Type::E5m2x2) => repack::<3, 0>,
            _ => return Err(no_conversion()),
        };
        mode.saturate = finite;
        let inputs: &[Type] = if from == Type::F32 { &[Type::F32, Type::F32] } else { &[from] };
        return reader.value(Operation::Value(compute), mode, inputs);
    }
    let to_float = to.is_float() || to == Type::Tf32;
    let narrows = from.is_float() && to_float && (from.bits() > to.bits() || to == Type::Tf32);
    if to == Type::Pred || from == Type::Pred || !scalar(from) || !scalar(to) || from == Type::Tf32 {
        return Err(no_conversion());
    }
    if rounding.is_none() && (narrows || to_float != from.is_float()) {
        return Err(format!("a conversion from {} to {} needs a rounding", from.name(), to.name()));
    }
    let output = reader.destination()?;
    let conversion = Conversion { from, to, integral, finite, width: reader.width(output) };
    let mut instruction = reader.inputs(Operation::Convert(conversion), mode, &[from])?;
    instruction.outputs[0] = output;
    Ok(instruction)
}

fn scalar(t: Type) -> bool {
    packed(t).is_none() && t.half().is_none()
}

/// Decodes `cvta{.to}.space.u64 d, a`: only shared memory has addresses of its own.
pub(super) fn cvta(reader: &mut Reader<'_, '_>) -> Decoded {
    let to = reader.take("to");
    let shared = reader.one_of(&[
        ("shared::cta", true),
        ("shared", true),
        ("global", false),
        ("local", false),
        ("const", false),
        ("param", false),
    ])?;
    reader.type_of("u64")?;
    let run = match (to, shared) {
        (_, false) => |_, a, _, _| a,
        (true, true) => |_, a, _, _| low_bits(a, 32),
        (false, true) => |_, a, _, _| a | SHARED_WINDOW,
    };
    reader.value(Operation::Value(run), Mode::default(), &[Type::B64])
}
