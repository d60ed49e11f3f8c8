//! Single instructions against the same computation in Rust, over all combinations of edge values.
#![allow(missing_docs, reason = "a test")]
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may stop at what it does not expect"
)]

#[path = "ptx/support.rs"]
mod support;

use std::cmp::Ordering;

use half::{bf16, f16};
use support::{Buffers, launch, parameters};

const I32: &[u64] = &[
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
const I16: &[u64] = &[0, 1, 2, 15, 16, 17, 0x1234, 0x7fff, 0x8000, 0x8001, 0xfffe, 0xffff];
const I64: &[u64] = &[
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
const PREDICATES: &[u64] = &[0, 1];

fn f32s() -> Vec<u64> {
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

fn f64s() -> Vec<u64> {
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

fn f16s() -> Vec<u64> {
    [0, 1, 0x3ff, 0x400, 0x3c00, 0x3c01, 0x3555, 0x4248, 0x7bff, 0x7c00]
        .into_iter()
        .flat_map(|bits| [bits, bits | 0x8000])
        .chain([0x7e00])
        .collect()
}

/// The operand of a type: register type, how to load it from 64 bits, how to widen it, and its edge values.
fn operand(kind: &str) -> (&'static str, &'static str, &'static str, Vec<u64>) {
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
fn every(instruction: &str, inputs: &str, output: &str, check: impl Fn([u64; 3], u64)) {
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
fn same(instruction: &str, inputs: &str, output: &str, expected: impl Fn(u64, u64, u64) -> u64) {
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

fn single(bits: u64) -> f32 {
    f32::from_bits(bits as u32)
}

fn bits(value: f32) -> u64 {
    value.to_bits().into()
}

fn u(value: u32) -> u64 {
    value.into()
}

fn s(value: i32) -> u64 {
    u64::from(value as u32)
}

#[test]
fn integers_of_32_bits() {
    let two = "i32 i32";
    same("add.s32 %d, %a, %b;", two, "i32", |a, b, _| s((a as i32).wrapping_add(b as i32)));
    same("add.sat.s32 %d, %a, %b;", two, "i32", |a, b, _| s((a as i32).saturating_add(b as i32)));
    same("sub.u32 %d, %a, %b;", two, "i32", |a, b, _| u((a as u32).wrapping_sub(b as u32)));
    same("sub.sat.s32 %d, %a, %b;", two, "i32", |a, b, _| s((a as i32).saturating_sub(b as i32)));
    same("mul.lo.s32 %d, %a, %b;", two, "i32", |a, b, _| s((a as i32).wrapping_mul(b as i32)));
    same("mul.hi.s32 %d, %a, %b;", two, "i32", |a, b, _| {
        s(((i64::from(a as i32) * i64::from(b as i32)) >> 32) as i32)
    });
    same("mul.hi.u32 %d, %a, %b;", two, "i32", |a, b, _| (a * b) >> 32);
    same("mul.wide.s32 %d, %a, %b;", two, "i64", |a, b, _| {
        (i64::from(a as i32) * i64::from(b as i32)) as u64
    });
    same("mul.wide.u32 %d, %a, %b;", two, "i64", |a, b, _| a * b);
    same("mul24.lo.s32 %d, %a, %b;", two, "i32", |a, b, _| {
        let low = |value: u64| i64::from((value as i32) << 8 >> 8);
        s((low(a) * low(b)) as i32)
    });
    same("div.s32 %d, %a, %b;", two, "i32", |a, b, _| {
        if b == 0 { 0xffff_ffff } else { s((a as i32).wrapping_div(b as i32)) }
    });
    same("div.u32 %d, %a, %b;", two, "i32", |a, b, _| a.checked_div(b).unwrap_or(0xffff_ffff));
    same(
        "rem.s32 %d, %a, %b;",
        two,
        "i32",
        |a, b, _| if b == 0 { a } else { s((a as i32).wrapping_rem(b as i32)) },
    );
    same("rem.u32 %d, %a, %b;", two, "i32", |a, b, _| a.checked_rem(b).unwrap_or(a));
    same("min.s32 %d, %a, %b;", two, "i32", |a, b, _| s((a as i32).min(b as i32)));
    same("max.u32 %d, %a, %b;", two, "i32", |a, b, _| a.max(b));
    same("max.s32.relu %d, %a, %b;", two, "i32", |a, b, _| s((a as i32).max(b as i32).max(0)));
    same("abs.s32 %d, %a;", "i32", "i32", |a, _, _| s((a as i32).wrapping_abs()));
    same("neg.s32 %d, %a;", "i32", "i32", |a, _, _| s((a as i32).wrapping_neg()));
    let three = "i32 i32 i32";
    same("mad.lo.s32 %d, %a, %b, %c;", three, "i32", |a, b, c| {
        s((a as i32).wrapping_mul(b as i32).wrapping_add(c as i32))
    });
    same("mad.hi.u32 %d, %a, %b, %c;", three, "i32", |a, b, c| {
        u((((a * b) >> 32) as u32).wrapping_add(c as u32))
    });
    same("mad.wide.s32 %d, %a, %b, %c;", "i32 i32 i64", "i64", |a, b, c| {
        (i64::from(a as i32) * i64::from(b as i32)).wrapping_add(c as i64) as u64
    });
    same("sad.u32 %d, %a, %b, %c;", three, "i32", |a, b, c| {
        u((a as u32).abs_diff(b as u32).wrapping_add(c as u32))
    });
    same("sad.s32 %d, %a, %b, %c;", three, "i32", |a, b, c| {
        u((a as i32).abs_diff(b as i32).wrapping_add(c as u32))
    });
    same("dp4a.s32.u32 %d, %a, %b, %c;", three, "i32", |a, b, c| {
        let lanes = (a as u32).to_le_bytes().into_iter().zip((b as u32).to_le_bytes());
        s(lanes.map(|(a, b)| i32::from(a as i8) * i32::from(b)).fold(c as i32, i32::wrapping_add))
    });
}

#[test]
fn integers_of_other_widths() {
    same("add.u16 %d, %a, %b;", "i16 i16", "i16", |a, b, _| u64::from((a as u16).wrapping_add(b as u16)));
    same(
        "mul.wide.s16 %d, %a, %b;",
        "i16 i16",
        "i32",
        |a, b, _| s(i32::from(a as i16) * i32::from(b as i16)),
    );
    same("min.s16 %d, %a, %b;", "i16 i16", "i16", |a, b, _| u64::from((a as i16).min(b as i16) as u16));
    same("div.s64 %d, %a, %b;", "i64 i64", "i64", |a, b, _| {
        if b == 0 { u64::MAX } else { (a as i64).wrapping_div(b as i64) as u64 }
    });
    same("rem.u64 %d, %a, %b;", "i64 i64", "i64", |a, b, _| a.checked_rem(b).unwrap_or(a));
    same("mul.hi.u64 %d, %a, %b;", "i64 i64", "i64", |a, b, _| {
        ((u128::from(a) * u128::from(b)) >> 64) as u64
    });
    same("mul.hi.s64 %d, %a, %b;", "i64 i64", "i64", |a, b, _| {
        ((i128::from(a as i64) * i128::from(b as i64)) >> 64) as u64
    });
    same("mad.hi.u64 %d, %a, %b, %c;", "i64 i64 i64", "i64", |a, b, c| {
        (((u128::from(a) * u128::from(b)) >> 64) as u64).wrapping_add(c)
    });
    // The carry: 128-bit sums, differences and products in two steps.
    same("add.cc.u64 %rd5, %a, %b; addc.u64 %d, %c, 7;", "i64 i64 i64", "i64", |a, b, c| {
        c.wrapping_add(7).wrapping_add(a.checked_add(b).is_none().into())
    });
    same("sub.cc.u32 %r5, %a, %b; subc.u32 %d, %c, 7;", "i32 i32 i32", "i32", |a, b, c| {
        u((c as u32).wrapping_sub(7).wrapping_sub(u32::from(a < b)))
    });
    same("mad.lo.cc.u32 %r5, %a, %b, %c; madc.hi.u32 %d, %a, %b, 0;", "i32 i32 i32", "i32", |a, b, c| {
        (a * b + c) >> 32
    });
}

#[test]
fn bits_and_shifts() {
    same("and.b32 %d, %a, %b;", "i32 i32", "i32", |a, b, _| a & b);
    same("xor.b64 %d, %a, -1;", "i64", "i64", |a, _, _| !a);
    same("not.b16 %d, %a;", "i16", "i16", |a, _, _| u64::from(!(a as u16)));
    same("not.pred %d, %a;", "pred", "pred", |a, _, _| 1 - a);
    same("cnot.b32 %d, %a;", "i32", "i32", |a, _, _| u64::from(a == 0));
    same("shl.b32 %d, %a, %b;", "i32 i32", "i32", |a, b, _| u((a as u32).checked_shl(b as u32).unwrap_or(0)));
    same("shr.u64 %d, %a, %b;", "i64 i32", "i64", |a, b, _| a.checked_shr(b as u32).unwrap_or(0));
    same("shr.s32 %d, %a, %b;", "i32 i32", "i32", |a, b, _| s((a as i32) >> (b as u32).min(31)));
    same("shr.s16 %d, %a, %b;", "i16 i32", "i16", |a, b, _| {
        u64::from(((a as i16) >> (b as u32).min(15)) as u16)
    });
    same("shf.l.wrap.b32 %d, %a, %b, %c;", "i32 i32 i32", "i32", |a, b, c| ((b << 32 | a) << (c & 31)) >> 32);
    same("shf.r.clamp.b32 %d, %a, %b, %c;", "i32 i32 i32", "i32", |a, b, c| {
        (b << 32 | a) >> c.min(32) & 0xffff_ffff
    });
    same("popc.b64 %d, %a;", "i64", "i32", |a, _, _| a.count_ones().into());
    same("clz.b32 %d, %a;", "i32", "i32", |a, _, _| (a as u32).leading_zeros().into());
    same("brev.b32 %d, %a;", "i32", "i32", |a, _, _| (a as u32).reverse_bits().into());
    same(
        "bfind.u32 %d, %a;",
        "i32",
        "i32",
        |a, _, _| if a == 0 { 0xffff_ffff } else { u64::from(a.ilog2()) },
    );
    same("bfind.shiftamt.s32 %d, %a;", "i32", "i32", |a, _, _| {
        let flipped = if (a as i32) < 0 { !(a as u32) } else { a as u32 };
        if flipped == 0 { 0xffff_ffff } else { flipped.leading_zeros().into() }
    });
    // Fields, bit by bit.
    same("bfe.u32 %d, %a, %b, %c;", "i32 i32 i32", "i32", |a, b, c| {
        let (start, length) = (b & 255, c & 255);
        (0..32)
            .filter(|bit| *bit < length && start + bit < 32)
            .map(|bit| (a >> (start + bit) & 1) << bit)
            .sum()
    });
    same("bfe.s32 %d, %a, %b, %c;", "i32 i32 i32", "i32", |a, b, c| {
        let (start, length) = (b & 255, c & 255);
        let sign = if length == 0 { 0 } else { a >> (start + length - 1).min(31) & 1 };
        (0..32)
            .map(|bit| if bit < length && start + bit < 32 { a >> (start + bit) & 1 } else { sign } << bit)
            .sum()
    });
    same("bfi.b32 %d, %a, 305419896, %b, %c;", "i32 i32 i32", "i32", |a, b, c| {
        let (start, length) = (b & 255, c & 255);
        let inside = |bit: u64| bit >= start && bit < start + length;
        (0..32)
            .map(|bit| (if inside(bit) { a >> (bit - start) } else { 0x1234_5678 >> bit } & 1) << bit)
            .sum()
    });
    same("lop3.b32 %d, %a, %b, %c, 0x96;", "i32 i32 i32", "i32", |a, b, c| a ^ b ^ c);
    same("lop3.b32 %d, %a, %b, %c, 0xca;", "i32 i32 i32", "i32", |a, b, c| (a & b) | (!a & c));
    same("prmt.b32 %d, %a, %b, 0x3276;", "i32 i32", "i32", |a, b, _| {
        let byte = |index: u32| (a | b << 32) >> (8 * index) & 255;
        byte(6) | byte(7) << 8 | byte(2) << 16 | byte(3) << 24
    });
    same("prmt.b32 %d, %a, %a, 0xbbbb;", "i32", "i32", |a, _, _| if a >> 31 == 1 { 0xffff_ffff } else { 0 });
}

#[test]
fn floats_of_32_bits() {
    let two = "f32 f32";
    same("add.f32 %d, %a, %b;", two, "f32", |a, b, _| bits(single(a) + single(b)));
    same("sub.rn.f32 %d, %a, %b;", two, "f32", |a, b, _| bits(single(a) - single(b)));
    same("mul.f32 %d, %a, %b;", two, "f32", |a, b, _| bits(single(a) * single(b)));
    same("mul.sat.f32 %d, %a, %b;", two, "f32", |a, b, _| {
        let product = single(a) * single(b);
        bits(if product.is_nan() { 0.0 } else { product.clamp(0.0, 1.0) + 0.0 })
    });
    let flush = |value: f32| if value.is_subnormal() { 0f32.copysign(value) } else { value };
    same("mul.ftz.f32 %d, %a, %b;", two, "f32", |a, b, _| bits(flush(flush(single(a)) * flush(single(b)))));
    same("div.rn.f32 %d, %a, %b;", two, "f32", |a, b, _| bits(single(a) / single(b)));
    same("fma.rn.f32 %d, %a, %b, %c;", "f32 f32 f32", "f32", |a, b, c| {
        bits(single(a).mul_add(single(b), single(c)))
    });
    same("sqrt.rn.f32 %d, %a;", "f32", "f32", |a, _, _| bits(single(a).sqrt()));
    same("rcp.rn.f32 %d, %a;", "f32", "f32", |a, _, _| bits(1.0 / single(a)));
    same("abs.f32 %d, %a;", "f32", "f32", |a, _, _| bits(single(a).abs()));
    same("neg.f32 %d, %a;", "f32", "f32", |a, _, _| bits(-single(a)));
    same("copysign.f32 %d, %a, %b;", two, "f32", |a, b, _| bits(single(b).copysign(single(a))));
    let order = |a: f32, b: f32, less: bool| match (a.is_nan(), b.is_nan()) {
        (true, _) => b,
        (_, true) => a,
        _ => {
            if (a.total_cmp(&b) == Ordering::Less) == less {
                a
            } else {
                b
            }
        }
    };
    same("min.f32 %d, %a, %b;", two, "f32", |a, b, _| bits(order(single(a), single(b), true)));
    same("max.f32 %d, %a, %b;", two, "f32", |a, b, _| bits(order(single(a), single(b), false)));
    same("max.NaN.f32 %d, %a, %b;", two, "f32", |a, b, _| {
        let nan = single(a).is_nan() || single(b).is_nan();
        bits(if nan { f32::NAN } else { order(single(a), single(b), false) })
    });
    // Every NaN result is the one that devices produce.
    every("add.f32 %d, %a, %b;", two, "f32", |_, found| {
        assert!(!single(found).is_nan() || found == 0x7fff_ffff)
    });
}

/// Whether a result is the right one of the two beside the exact value.
type Bracket = fn(f64, f32) -> bool;
/// Whether a comparison holds for an order.
type Outcome = fn(Option<Ordering>) -> bool;

#[test]
fn directed_rounding() {
    // A product of two f32 is exact in f64; the neighbours tell whether the result is the right one of the two.
    let directions: [(&str, Bracket); 3] = [
        ("rm", |exact, found| f64::from(found) <= exact && exact < f64::from(found.next_up())),
        ("rp", |exact, found| f64::from(found) >= exact && exact > f64::from(found.next_down())),
        ("rz", |exact, found| {
            f64::from(found).abs() <= exact.abs() && exact.abs() < f64::from(found.abs().next_up())
        }),
    ];
    for (direction, holds) in directions {
        every(&format!("mul.{direction}.f32 %d, %a, %b;"), "f32 f32", "f32", |[a, b, _], found| {
            let exact = f64::from(single(a)) * f64::from(single(b));
            assert!(
                !exact.is_finite() || holds(exact, single(found)),
                "{direction} {exact:e}: {:e}",
                single(found)
            );
        });
        every(&format!("cvt.{direction}.f32.f64 %d, %a;"), "f64", "f32", |[a, ..], found| {
            let exact = f64::from_bits(a);
            assert!(
                !exact.is_finite() || holds(exact, single(found)),
                "{direction} {exact:e}: {:e}",
                single(found)
            );
        });
    }
    // What is far below the last place still decides.
    let tiny = 2f32.powi(-60).to_bits();
    let (up, down) = (bits(1.0_f32.next_up()), bits(1.0_f32.next_down()));
    for (instruction, expected) in
        [("add.rp", up), ("add.rz", bits(1.0)), ("sub.rm", down), ("sub.rz", down), ("sub.rp", bits(1.0))]
    {
        every(&format!("{instruction}.f32 %d, 0f3F800000, 0f{tiny:08X};"), "pred", "f32", |_, found| {
            assert_eq!(found, expected, "{instruction}");
        });
    }
    let third = 1.0_f64 / 3.0;
    every("div.rp.f64 %d, 0d3FF0000000000000, 0d4008000000000000;", "pred", "f64", |_, found| {
        assert_eq!(f64::from_bits(found), third.next_up());
    });
    every(
        "fma.rm.f64 %d, 0d3FF0000000000000, 0d3FF0000000000000, 0dBC00000000000000;",
        "pred",
        "f64",
        |_, found| {
            assert_eq!(f64::from_bits(found), 1.0_f64.next_down());
        },
    );
}

#[test]
fn floats_of_64_bits() {
    let d = f64::from_bits;
    same("add.f64 %d, %a, %b;", "f64 f64", "f64", |a, b, _| (d(a) + d(b)).to_bits());
    same("mul.rn.f64 %d, %a, %b;", "f64 f64", "f64", |a, b, _| (d(a) * d(b)).to_bits());
    same("div.rn.f64 %d, %a, %b;", "f64 f64", "f64", |a, b, _| (d(a) / d(b)).to_bits());
    same("sqrt.rn.f64 %d, %a;", "f64", "f64", |a, _, _| d(a).sqrt().to_bits());
    same("fma.rn.f64 %d, %a, %b, %b;", "f64 f64", "f64", |a, b, _| d(a).mul_add(d(b), d(b)).to_bits());
}

#[test]
fn short_floats() {
    let h = |bits: u64| f16::from_bits(bits as u16).to_f64();
    let to_h = |value: f64| u64::from(f16::from_f64(value).to_bits());
    // Sums and products of f16 are exact in f64.
    same("add.f16 %d, %a, %b;", "f16 f16", "f16", |a, b, _| to_h(h(a) + h(b)));
    same("mul.rn.f16 %d, %a, %b;", "f16 f16", "f16", |a, b, _| to_h(h(a) * h(b)));
    same("fma.rn.relu.f16 %d, %a, %b, %b;", "f16 f16", "f16", |a, b, _| {
        let exact = h(a) * h(b) + h(b);
        to_h(if exact <= 0.0 { 0.0 } else { exact })
    });
    let pair =
        |a: u64, b: u64, f: &dyn Fn(u64, u64) -> u64| f(a >> 16, b >> 16) << 16 | f(a & 0xffff, b & 0xffff);
    let b = |bits: u64| bf16::from_bits(bits as u16).to_f64();
    every("add.rn.bf16x2 %d, %a, %b;", "i32 i32", "i32", |[x, y, _], found| {
        let expected = pair(x, y, &|x, y| {
            let sum = b(x) + b(y);
            if sum.is_nan() { 0x7fff } else { bf16::from_f64(sum).to_bits().into() }
        });
        assert_eq!(found, expected, "{x:#x} + {y:#x}");
    });
}

#[test]
fn comparisons() {
    // Without an order, one of the two is NaN.
    let relations: [(&str, Outcome); 14] = [
        ("eq", |order| order.is_some_and(Ordering::is_eq)),
        ("ne", |order| order.is_some_and(Ordering::is_ne)),
        ("lt", |order| order.is_some_and(Ordering::is_lt)),
        ("le", |order| order.is_some_and(Ordering::is_le)),
        ("gt", |order| order.is_some_and(Ordering::is_gt)),
        ("ge", |order| order.is_some_and(Ordering::is_ge)),
        ("equ", |order| order.is_none_or(Ordering::is_eq)),
        ("neu", |order| order.is_none_or(Ordering::is_ne)),
        ("ltu", |order| order.is_none_or(Ordering::is_lt)),
        ("leu", |order| order.is_none_or(Ordering::is_le)),
        ("gtu", |order| order.is_none_or(Ordering::is_gt)),
        ("geu", |order| order.is_none_or(Ordering::is_ge)),
        ("num", |order| order.is_some()),
        ("nan", |order| order.is_none()),
    ];
    for (name, holds) in relations {
        same(&format!("setp.{name}.f32 %d, %a, %b;"), "f32 f32", "pred", |a, b, _| {
            holds(single(a).partial_cmp(&single(b))).into()
        });
    }
    same("setp.lt.s32 %d, %a, %b;", "i32 i32", "pred", |a, b, _| u64::from((a as i32) < b as i32));
    same("setp.hs.u64 %d, %a, %b;", "i64 i64", "pred", |a, b, _| u64::from(a >= b));
    let mixed = "i32 i32 pred";
    same("setp.gt.and.u32 %d, %a, %b, %c;", mixed, "pred", |a, b, c| u64::from(a > b) & c);
    same("setp.gt.or.u32 %d, %a, %b, !%c;", mixed, "pred", |a, b, c| u64::from(a > b) | (1 - c));
    same("setp.gt.xor.u32 %q|%d, %a, %b, %c;", mixed, "pred", |a, b, c| u64::from(a <= b) ^ c);
    same("set.eq.u32.s32 %d, %a, %b;", "i32 i32", "i32", |a, b, _| if a == b { 0xffff_ffff } else { 0 });
    same("set.ge.f16.f16 %d, %a, %b;", "f16 f16", "i16", |a, b, _| {
        let [a, b] = [a, b].map(|bits| f16::from_bits(bits as u16));
        if a >= b { 0x3c00 } else { 0 }
    });
    same("set.lt.f32.f32 %d, %a, %b;", "f32 f32", "f32", |a, b, _| {
        bits(if single(a) < single(b) { 1.0 } else { 0.0 })
    });
    same("selp.b32 %d, %a, %b, %c;", mixed, "i32", |a, b, c| if c == 1 { a } else { b });
    same("slct.u32.s32 %d, %a, %b, %c;", "i32 i32 i32", "i32", |a, b, c| if (c as i32) < 0 { b } else { a });
    same("testp.subnormal.f32 %d, %a;", "f32", "pred", |a, _, _| single(a).is_subnormal().into());
    same("testp.finite.f64 %d, %a;", "f64", "pred", |a, _, _| f64::from_bits(a).is_finite().into());
}

#[test]
fn conversions() {
    same("cvt.rzi.s32.f32 %d, %a;", "f32", "i32", |a, _, _| s(single(a) as i32));
    same("cvt.rni.s64.f32 %d, %a;", "f32", "i64", |a, _, _| single(a).round_ties_even() as i64 as u64);
    same("cvt.rpi.u32.f64 %d, %a;", "f64", "i32", |a, _, _| u(f64::from_bits(a).ceil() as u32));
    same("cvt.rmi.f32.f32 %d, %a;", "f32", "f32", |a, _, _| bits(single(a).floor()));
    same("cvt.sat.f32.f32 %d, %a;", "f32", "f32", |a, _, _| {
        bits(if single(a).is_nan() { 0.0 } else { single(a).clamp(0.0, 1.0) + 0.0 })
    });
    same("cvt.rn.f32.s32 %d, %a;", "i32", "f32", |a, _, _| bits(a as i32 as f32));
    same("cvt.rn.f32.u64 %d, %a;", "i64", "f32", |a, _, _| bits(a as f32));
    same("cvt.rn.f64.s64 %d, %a;", "i64", "f64", |a, _, _| (a as i64 as f64).to_bits());
    same("cvt.rz.f64.u64 %d, %a;", "i64", "f64", |a, _, _| {
        let nearest = a as f64;
        if nearest as u128 > u128::from(a) { nearest.next_down().to_bits() } else { nearest.to_bits() }
    });
    same("cvt.f64.f32 %d, %a;", "f32", "f64", |a, _, _| f64::from(single(a)).to_bits());
    same("cvt.rn.f32.f64 %d, %a;", "f64", "f32", |a, _, _| bits(f64::from_bits(a) as f32));
    same("cvt.rn.f16.f32 %d, %a;", "f32", "f16", |a, _, _| f16::from_f32(single(a)).to_bits().into());
    same("cvt.f32.f16 %d, %a;", "f16", "f32", |a, _, _| bits(f16::from_bits(a as u16).to_f32()));
    same("cvt.rn.bf16.f32 %d, %a;", "f32", "f16", |a, _, _| {
        if single(a).is_nan() { 0x7fff } else { bf16::from_f32(single(a)).to_bits().into() }
    });
    same("cvt.s64.s32 %d, %a;", "i32", "i64", |a, _, _| i64::from(a as i32) as u64);
    same("cvt.u64.u32 %d, %a;", "i32", "i64", |a, _, _| a);
    same("cvt.s32.s8 %d, %a;", "i32", "i32", |a, _, _| s(i32::from(a as i8)));
    same("cvt.s8.s32 %d, %a;", "i32", "i32", |a, _, _| s(i32::from(a as i8)));
    same("cvt.sat.s16.s32 %d, %a;", "i32", "i16", |a, _, _| {
        u64::from((a as i32).clamp(-32768, 32767) as i16 as u16)
    });
    same("cvt.sat.u8.s32 %d, %a;", "i32", "i32", |a, _, _| u((a as i32).clamp(0, 255) as u32));
    every("cvt.rn.bf16x2.f32 %d, %a, %b;", "f32 f32", "i32", |[a, b, _], found| {
        let half =
            |x: u64| if single(x).is_nan() { 0x7fff } else { u64::from(bf16::from_f32(single(x)).to_bits()) };
        assert_eq!(found, half(a) << 16 | half(b));
    });
    every("cvt.rz.f16.f32 %d, %a;", "f32", "f16", |[a, ..], found| {
        let (exact, found) = (f64::from(single(a)).abs(), f16::from_bits(found as u16 & 0x7fff));
        let next = f16::from_bits(found.to_bits() + 1).to_f64();
        assert!(!exact.is_finite() || (found.to_f64() <= exact && (exact < next || found == f16::MAX)));
    });
    // The 8-bit formats hold what they can hold, and clamp what they cannot.
    let there_and_back =
        "cvt.rn.satfinite.e4m3x2.f32 %h, %a, %a; cvt.rn.f16x2.e4m3x2 %r5, %h; cvt.u16.u32 %d, %r5;";
    every(&format!(".reg .b16 %h; {there_and_back}"), "f32", "f16", |[a, ..], found| {
        let found = f16::from_bits(found as u16).to_f32();
        let clamped = single(a).clamp(-448.0, 448.0);
        let bound = (clamped.abs() / 16.0).max(2f32.powi(-10));
        assert!(
            (found - clamped).abs() <= bound || (found.is_nan() && single(a).is_nan()),
            "{:e}: {found:e}",
            single(a)
        );
    });
}

#[test]
fn approximations() {
    // Bounds of the PTX ISA, relative where the result is normal.
    let close = |instruction: &str, function: fn(f64) -> f64, absolute: f64| {
        every(instruction, "f32", "f32", |[a, ..], found| {
            let (exact, found) = (function(f64::from(single(a))) as f32, single(found));
            let error = (f64::from(found) - f64::from(exact)).abs();
            let fine = error <= absolute.max(f64::from(exact.abs()) * 2f64.powi(-22)) || found == exact;
            assert!(
                fine || (found.is_nan() && exact.is_nan()),
                "{instruction} {:e}: {found:e}, not {exact:e}",
                single(a)
            );
        });
    };
    close("ex2.approx.f32 %d, %a;", f64::exp2, 0.0);
    close("lg2.approx.f32 %d, %a;", f64::log2, 0.0);
    close("sin.approx.f32 %d, %a;", f64::sin, 2f64.powi(-20));
    close("cos.approx.f32 %d, %a;", f64::cos, 2f64.powi(-20));
    close("tanh.approx.f32 %d, %a;", f64::tanh, 0.0);
    close("rsqrt.approx.f32 %d, %a;", |x| 1.0 / x.sqrt(), 0.0);
    close("rcp.approx.f32 %d, %a;", |x| 1.0 / x, 0.0);
}

#[test]
fn moves_and_vectors() {
    same("mov.b64 %d, {%a, %b};", "i32 i32", "i64", |a, b, _| a | b << 32);
    same("{ .reg .b16 %l, %h; mov.b32 {%l, %h}, %a; mov.b32 %d, {%h, %l}; }", "i32", "i32", |a, _, _| {
        (a << 16 | a >> 16) & 0xffff_ffff
    });
    // Scopes have registers and labels of their own, and inline assembly leaves out blanks.
    let scope = "{.reg.b32 %x; mov.u32 %x, %d; @%b bra OUT; add.u32 %x, %x, 1; OUT: add.u32 %d, %x, 1;}";
    same(&format!("mov.u32 %d, %a; {scope} {scope}"), "i32 pred", "i32", |a, b, _| {
        u((a as u32).wrapping_add(if b == 1 { 2 } else { 4 }))
    });
    same("max.u16x2 %d, %a, %b;", "i32 i32", "i32", |a, b, _| {
        (a >> 16).max(b >> 16) << 16 | (a & 0xffff).max(b & 0xffff)
    });
    same("mov.b32 {_, %d}, %a;", "i32", "i16", |a, _, _| a >> 16);
    same(
        "@!%b bra $skip; mov.u32 %d, %a; bra $end; $skip: mov.u32 %d, WARP_SZ; $end:",
        "i32 pred",
        "i32",
        |a, b, _| {
            if b == 1 { a } else { 32 }
        },
    );
    same("st.global.u64 [%rd2], %a; ld.global.s8 %d, [%rd2];", "i64", "i32", |a, _, _| s(i32::from(a as i8)));
    same(
        "st.global.u64 [%rd2], %a; ld.volatile.global.v2.u16 {%d, _}, [%rd2+4];",
        "i64",
        "i16",
        |a, _, _| a >> 32 & 0xffff,
    );
    same(
        "st.global.u64 [%rd2], %a; atom.global.cas.b64 %d, [%rd2], 64, 5; ld.global.u64 %d, [%rd2];",
        "i64",
        "i64",
        |a, _, _| {
            if a == 64 { 5 } else { a }
        },
    );
    same(
        "st.global.u32 [%rd2], %a; atom.global.inc.u32 %d, [%rd2], 31; ld.global.u32 %d, [%rd2];",
        "i32",
        "i32",
        |a, _, _| {
            if a >= 31 { 0 } else { a + 1 }
        },
    );
    same(
        "st.global.u32 [%rd2], %a; atom.relaxed.gpu.global.add.noftz.bf16x2 %r5, [%rd2], 0; ld.global.u32 %d, [%rd2];",
        "i32",
        "i32",
        |a, _, _| {
            // A sum with zero changes nothing but the sign of a zero and the bits of a NaN.
            let half = |bits: u64| match bf16::from_bits(bits as u16) {
                value if value.is_nan() => 0x7fff,
                value => u64::from((value + bf16::ZERO).to_bits()),
            };
            half(a >> 16) << 16 | half(a & 0xffff)
        },
    );
}
