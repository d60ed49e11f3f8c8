//! Transcendental functions and the tests and parts of a floating-point number.
//!
//! A device approximates these with errors of a few units in the last place. Here they are computed in `f64` and
//! rounded once, so a result may differ from a device's in its last bits.

use half::{bf16, f16};

use super::decode::{Decoded, Reader};
use super::float::{Float, for_float, input, output};
use super::instruction::{Compute, Mode, Operation};
use super::types::Type;

fn function<F: Float>(mode: Mode, a: u64, function: fn(f64) -> f64) -> u64 {
    output(mode, F::narrow(function(input::<F>(mode, a).wide()), mode.rounding))
}

fn power_of_two<F: Float>(mode: Mode, a: u64, _: u64, _: u64) -> u64 {
    function::<F>(mode, a, f64::exp2)
}
fn logarithm<F: Float>(mode: Mode, a: u64, _: u64, _: u64) -> u64 {
    function::<F>(mode, a, f64::log2)
}
fn sine<F: Float>(mode: Mode, a: u64, _: u64, _: u64) -> u64 {
    function::<F>(mode, a, f64::sin)
}
fn cosine<F: Float>(mode: Mode, a: u64, _: u64, _: u64) -> u64 {
    function::<F>(mode, a, f64::cos)
}
fn tangent<F: Float>(mode: Mode, a: u64, _: u64, _: u64) -> u64 {
    function::<F>(mode, a, f64::tanh)
}
fn inverse_root<F: Float>(mode: Mode, a: u64, _: u64, _: u64) -> u64 {
    function::<F>(mode, a, |value| 1.0 / value.sqrt())
}

pub(super) fn ex2(t: Type, _: Mode) -> Option<Compute> {
    for_float!(t, power_of_two).filter(|_| t != Type::F64)
}
pub(super) fn lg2(t: Type, _: Mode) -> Option<Compute> {
    (t == Type::F32).then_some(logarithm::<f32>)
}
pub(super) fn sin(t: Type, _: Mode) -> Option<Compute> {
    (t == Type::F32).then_some(sine::<f32>)
}
pub(super) fn cos(t: Type, _: Mode) -> Option<Compute> {
    (t == Type::F32).then_some(cosine::<f32>)
}
pub(super) fn tanh(t: Type, _: Mode) -> Option<Compute> {
    for_float!(t, tangent).filter(|_| t != Type::F64)
}
pub(super) fn rsqrt(t: Type, _: Mode) -> Option<Compute> {
    for_float!(t, inverse_root).filter(|_| matches!(t, Type::F32 | Type::F64))
}

/// The magnitude of `b` with the sign of `a`.
pub(super) fn copysign(t: Type, _: Mode) -> Option<Compute> {
    match t {
        Type::F32 => Some(|_, a, b, _| (b & 0x7fff_ffff) | (a & 0x8000_0000)),
        Type::F64 => Some(|_, a, b, _| (b & (u64::MAX >> 1)) | (a & (1 << 63))),
        _ => None,
    }
}

fn test<F: Float>(value: u64, holds: fn(F) -> bool) -> u64 {
    u64::from(holds(F::read(value)))
}

/// Decodes `testp.op.type`.
pub(super) fn testp(reader: &mut Reader<'_, '_>) -> Decoded {
    let single: [(&str, Compute); 6] = [
        ("finite", |_, a, _, _| test(a, f32::is_finite)),
        ("infinite", |_, a, _, _| test(a, f32::is_infinite)),
        ("number", |_, a, _, _| test(a, |value: f32| !value.is_nan())),
        ("notanumber", |_, a, _, _| test(a, f32::is_nan)),
        ("normal", |_, a, _, _| test(a, f32::is_normal)),
        ("subnormal", |_, a, _, _| test(a, f32::is_subnormal)),
    ];
    let double: [(&str, Compute); 6] = [
        ("finite", |_, a, _, _| test(a, f64::is_finite)),
        ("infinite", |_, a, _, _| test(a, f64::is_infinite)),
        ("number", |_, a, _, _| test(a, |value: f64| !value.is_nan())),
        ("notanumber", |_, a, _, _| test(a, f64::is_nan)),
        ("normal", |_, a, _, _| test(a, f64::is_normal)),
        ("subnormal", |_, a, _, _| test(a, f64::is_subnormal)),
    ];
    let t = reader.type_of("f32 f64")?;
    let compute = reader.one_of(if t == Type::F32 { &single } else { &double })?;
    reader.value(Operation::Value(compute), Mode::default(), &[t])
}
