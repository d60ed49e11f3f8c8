//! Single instructions on integers, bits and predicates against the same computation in Rust, over all combinations of edge values.
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

/// Whether a comparison holds for an order.
type Outcome = fn(Option<Ordering>) -> bool;

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
