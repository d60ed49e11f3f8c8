//! A single instruction over all combinations of edge values of its operands.
#![allow(dead_code, reason = "each test file uses what it needs")]

use half::f16;

use super::support::{Buffers, launch, parameters};

pub(crate) const I32: &[u64] = &[
    0,
    1,
    2,
    3,
    7,
    31,
    32,
    33,
    255,
    256,
    0x1234_5678,
    0x7fff_fffe,
    0x7fff_ffff,
    0x8000_0000,
    0x8000_0001,
    0xdead_beef,
    0xffff_fffe,
    0xffff_ffff,
];
pub(crate) const I16: &[u64] = &[0, 1, 2, 15, 16, 17, 0x1234, 0x7fff, 0x8000, 0x8001, 0xfffe, 0xffff];
pub(crate) const I64: &[u64] = &[
    0,
    1,
    2,
    63,
    64,
    65,
    0xffff_ffff,
    0x1_0000_0000,
    0x1234_5678_9abc_def0,
    0x7fff_ffff_ffff_ffff,
    1 << 63,
    (1 << 63) + 1,
    u64::MAX - 1,
    u64::MAX,
];
pub(crate) const PREDICATES: &[u64] = &[0, 1];

pub(crate) fn f32s() -> Vec<u64> {
    let halfway = 1.0 + f32::EPSILON / 2.0;
    [
        0.0,
        1.0,
        1.5,
        2.5,
        3.5,
        0.1,
        0.3,
        1.0 + f32::EPSILON,
        halfway,
        1e-30,
        f32::MIN_POSITIVE,
        1e-40,
        1e-45,
        3e9,
        7e9,
    ]
    .into_iter()
    .chain([5e18, 2e19, 1e30, f32::MAX, f32::INFINITY])
    .flat_map(|value| [value, -value])
    .chain([f32::NAN])
    .map(|value| value.to_bits().into())
    .collect()
}

pub(crate) fn f64s() -> Vec<u64> {
    [
        0.0,
        1.0,
        2.5,
        0.1,
        1.0 + f64::EPSILON,
        f64::MIN_POSITIVE,
        5e-324,
        1e39,
        5e18,
        1e-46,
        65519.9,
        65520.0,
        1.0e300,
    ]
    .into_iter()
    .chain([f64::MAX, f64::INFINITY])
    .flat_map(|value| [value, -value])
    .chain([f64::NAN])
    .map(f64::to_bits)
    .collect()
}

pub(crate) fn f16s() -> Vec<u64> {
    [0, 1, 0x3ff, 0x400, 0x3c00, 0x3c01, 0x3555, 0x4248, 0x7bff, 0x7c00]
        .into_iter()
        .flat_map(|bits| [bits, bits | 0x8000])
        .chain([0x7e00])
        .collect()
}

/// The operand of a type: register type, how to load it from 64 bits, how to widen it, and its edge values.
pub(crate) fn operand(kind: &str) -> (&'static str, &'static str, &'static str, Vec<u64>) {
    match kind {
        "i16" => ("b16", "cvt.u16.u64", "cvt.u64.u16", I16.to_vec()),
        "i32" => ("b32", "cvt.u32.u64", "cvt.u64.u32", I32.to_vec()),
        "i64" => ("b64", "mov.b64", "mov.b64", I64.to_vec()),
        "f16" => ("b16", "cvt.u16.u64", "cvt.u64.u16", f16s()),
        "f32" => ("b32", "cvt.u32.u64", "cvt.u64.u32", f32s()),
        "f64" => ("b64", "mov.b64", "mov.b64", f64s()),
        "pred" => ("pred", "setp.ne.u64", "selp.u64", PREDICATES.to_vec()),
        _ => panic!("no operand of kind {kind}"),
    }
}

/// Executes an instruction from `%a`, `%b`, `%c` to `%d` for every combination of the inputs' edge values, and hands
/// inputs and result to the check.
pub(crate) fn every(instruction: &str, inputs: &str, output: &str, check: impl Fn([u64; 3], u64)) {
    let kinds: Vec<_> = inputs.split(' ').map(operand).collect();
    let mut rows = vec![[0_u64; 3]];
    for (index, kind) in kinds.iter().enumerate() {
        rows = rows
            .iter()
            .flat_map(|row| {
                kind.3.iter().map(move |value| {
                    let mut row = *row;
                    row[index] = *value;
                    row
                })
            })
            .collect();
    }
    let mut text = String::from(
        ".version 8.0\n.target sm_90\n.address_size 64\n.visible .entry one(.param .u64 from, .param .u64 to) {\n\
         .reg .b64 %rd<9>; .reg .b32 %r<9>;\nld.param.u64 %rd1, [from];\nld.param.u64 %rd2, [to];\n\
         mov.u32 %r1, %tid.x;\nmad.wide.u32 %rd1, %r1, 24, %rd1;\nmad.wide.u32 %rd2, %r1, 8, %rd2;\n",
    );
    for (index, (name, (register, load, _, _))) in "abc".chars().zip(&kinds).enumerate() {
        let zero = if *register == "pred" { ", 0" } else { "" };
        text += &format!(
            ".reg .{register} %{name};\nld.global.u64 %rd3, [%rd1+{}];\n{load} %{name}, %rd3{zero};\n",
            8 * index
        );
    }
    let (register, _, widen, _) = operand(output);
    let source = if register == "pred" { "1, 0, %d" } else { "%d" };
    text += &format!(
        ".reg .{register} %d;\n.reg .pred %q;\n{instruction}\n{widen} %rd4, {source};\nst.global.u64 [%rd2], %rd4;\nret;\n}}\n"
    );
    for rows in rows.chunks(1024) {
        let mut memory = Buffers::default();
        let (from, to) = (memory.add(rows.as_flattened()), memory.zeros::<u64>(rows.len()));
        let block = [rows.len() as u32, 1, 1];
        launch(&text, "one", &memory, [1, 1, 1], block, &parameters().with(from).with(to)).unwrap();
        for (row, result) in rows.iter().zip(memory.read::<u64>(to)) {
            check(*row, result);
        }
    }
}

/// The same against one function.
pub(crate) fn same(instruction: &str, inputs: &str, output: &str, expected: impl Fn(u64, u64, u64) -> u64) {
    every(instruction, inputs, output, |[a, b, c], found| {
        let expected = expected(a, b, c);
        let nan = match output {
            "f32" => single(found).is_nan() && single(expected).is_nan(),
            "f64" => f64::from_bits(found).is_nan() && f64::from_bits(expected).is_nan(),
            "f16" => f16::from_bits(found as u16).is_nan() && f16::from_bits(expected as u16).is_nan(),
            _ => false,
        };
        assert!(
            nan || found == expected,
            "{instruction} of {a:#x}, {b:#x}, {c:#x}: {found:#x}, not {expected:#x}"
        );
    });
}

pub(crate) fn single(bits: u64) -> f32 {
    f32::from_bits(bits as u32)
}

pub(crate) fn bits(value: f32) -> u64 {
    value.to_bits().into()
}

pub(crate) fn u(value: u32) -> u64 {
    value.into()
}

pub(crate) fn s(value: i32) -> u64 {
    u64::from(value as u32)
}
