//! Single instructions on floating-point numbers against the same computation in Rust, over all combinations of edge values.
#![allow(missing_docs, reason = "a test")]
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may stop at what it does not expect"
)]

#[path = "ptx/support.rs"]
mod support;

#[path = "ptx/opcode.rs"]
mod opcode;

use std::cmp::Ordering;

use half::{bf16, f16};
use opcode::*;

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
