//! Texts that are not PTX, or PTX that the interpreter does not know: an error that says where, and never a panic.
#![allow(missing_docs, reason = "a test")]

use cuda_simulator::ptx::Module;

const TEXTS: [&str; 7] = [
    include_str!("ptx/calls.ptx"),
    include_str!("ptx/elementary.ptx"),
    include_str!("ptx/faults.ptx"),
    include_str!("ptx/halves.ptx"),
    include_str!("ptx/matmul.ptx"),
    include_str!("ptx/reduce.ptx"),
    include_str!("ptx/tensor.ptx"),
];

/// A kernel around one instruction, which stands in line 6.
fn around(instruction: &str) -> String {
    format!(
        ".version 8.0\n.target sm_90\n.address_size 64\n.visible .entry one()\n{{ .reg .b32 %r<9>; .reg .pred %p<3>;\n\
         {instruction}\n}}\n"
    )
}

#[test]
fn what_is_not_known_is_named() {
    let cases = [
        ("frobnicate.s32 %r1, %r2;", "unknown opcode `frobnicate`"),
        ("add.frob.s32 %r1, %r2, %r3;", "unknown modifier `.frob`"),
        ("add.s32 %r1, %r2;", "too few operands"),
        ("add.s32 %r1, %r2, %r3, %r4;", "too many operands"),
        ("add.s32 %r1, %r2, %r9;", "`%r9` is not declared"),
        ("add.b32 %r1, %r2, %r3;", "not defined for b32"),
        ("add.ftz.s32 %r1, %r2, %r3;", "`.ftz` is not defined for s32"),
        ("mul.wide.u64 %r1, %r2, %r3;", "not defined for u64"),
        ("bra $nowhere;", "`$nowhere` is no label"),
        ("cvt.f16.f32 %r1, %r2;", "a conversion from f32 to f16 needs a rounding"),
        ("atom.add.b32 %r1, [%r2], %r3;", "`add` is not defined for b32"),
        ("tex.2d.v4.f32.f32 %r1, %r2;", "unknown opcode `tex`"),
    ];
    for (instruction, expected) in cases {
        let error = Module::parse(&around(instruction)).unwrap_err();
        assert_eq!((error.line, error.message), (6, format!("{expected} in `{instruction}`")));
    }
    let error = Module::parse(&around("add.s32 %r1 %r2;")).unwrap_err();
    assert_eq!(error.to_string(), "line 6: expected `,`, found `%r2`");
}

#[test]
fn headers() {
    let module = Module::parse(TEXTS[5]).unwrap();
    assert_eq!((module.target.as_str(), module.version), ("sm_90", (9, 0)));
    let kernel = &module.kernels["block_sums"];
    assert_eq!(kernel.parameters.iter().map(|parameter| parameter.offset).collect::<Vec<_>>(), [0, 8, 16]);
    assert_eq!((kernel.parameter_bytes, kernel.shared_bytes), (20, 128));
    assert!(Module::parse("").is_err());
    assert!(Module::parse(".version 8.0\n.target sm_90\n.address_size 32\n").is_err());
}

#[test]
fn a_text_that_ends_anywhere() {
    // Every end of the short texts; of the long ones every seventh, which meets every kind of token too.
    for text in TEXTS {
        let whole = Module::parse(text).unwrap();
        for end in (0..text.len()).step_by(if text.len() > 10_000 { 7 } else { 1 }) {
            if let Ok(part) = Module::parse(&text[..end]) {
                assert!(part.kernels.len() <= whole.kernels.len());
            }
        }
    }
    let short = around(
        "{ .reg .f32 %f; mov.f32 %f, 0f3F800000; }\n@%p1 bra $end; st.global.v2.u32 [%r1+4], {%r2, -3}; $end: ret;",
    );
    for end in 0..short.len() {
        let _ = Module::parse(&short[..end]);
    }
}

#[test]
fn a_text_with_any_byte_changed() {
    let mut state = 1_u64;
    let mut random = move |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let bytes = b"{}[]();:,.@!%$<>=+-|/*\"\\ \n\0azAZ0189_";
    for text in TEXTS {
        for _ in 0..150 {
            let mut mutated = text.as_bytes().to_vec();
            for _ in 0..=random(3) {
                let at = random(mutated.len());
                match random(3) {
                    0 => mutated[at] = bytes[random(bytes.len())],
                    1 => drop(mutated.remove(at)),
                    _ => mutated.insert(at, bytes[random(bytes.len())]),
                }
            }
            let _ = Module::parse(&String::from_utf8_lossy(&mutated));
        }
    }
}
