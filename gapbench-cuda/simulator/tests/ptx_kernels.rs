//! Whole kernels, compiled from the `.cu` files beside them, against references in `f64`.

#![allow(missing_docs, reason = "a test")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test may stop at what it does not expect"
)]

#[path = "ptx/support.rs"]
mod support;

use cuda_simulator::ptx::{FaultKind, Launch, Module, run};
use support::{Buffers, launch, launch_with, noise, parameters};

fn largest_error(found: &[f32], expected: impl Iterator<Item = f64>) -> f64 {
    found
        .iter()
        .zip(expected)
        .map(|(found, expected)| (f64::from(*found) - expected).abs())
        .fold(0.0, f64::max)
}

const REDUCE: &str = include_str!("ptx/reduce.ptx");
const MATMUL: &str = include_str!("ptx/matmul.ptx");
const ELEMENTARY: &str = include_str!("ptx/elementary.ptx");
const HALVES: &str = include_str!("ptx/halves.ptx");
const CALLS: &str = include_str!("ptx/calls.ptx");
const TENSOR: &str = include_str!("ptx/tensor.ptx");

#[test]
fn sums_of_blocks() {
    let mut memory = Buffers::default();
    let x = noise(10_000);
    let (input, output) = (memory.add(&x), memory.zeros::<f32>(4));
    let work = launch(
        REDUCE,
        "block_sums",
        &memory,
        [4, 1, 1],
        [256, 1, 1],
        &parameters().with(input).with(output).with(10_000_i32),
    )
    .unwrap();
    let sums = memory.read::<f32>(output);
    let exact = |block: usize| {
        x.iter().enumerate().filter(|(i, _)| i / 256 % 4 == block).map(|(_, x)| f64::from(*x)).sum::<f64>()
    };
    // 2500 terms below 1, summed in a tree: 12 roundings of partial sums below 64.
    assert!(largest_error(&sums, (0..4).map(exact)) < 12.0 * 64.0 * f64::from(f32::EPSILON));
    assert_eq!((work.bytes_read, work.bytes_written), (40_000, 16));
}

#[test]
fn histogram() {
    let mut memory = Buffers::default();
    let x: Vec<u8> = noise(5000).iter().map(|x| ((x + 1.0) * 60.0) as u8).collect();
    let (input, output) = (memory.add(&x), memory.zeros::<u32>(256));
    let arguments = parameters().with(input).with(output).with(5000_i32);
    launch(REDUCE, "histogram", &memory, [3, 1, 1], [128, 1, 1], &arguments).unwrap();
    let counts = memory.read::<u32>(output);
    for value in 0..=255_u8 {
        assert_eq!(counts[value as usize] as usize, x.iter().filter(|x| **x == value).count());
    }
}

#[test]
fn atomics_on_global_memory() {
    let mut memory = Buffers::default();
    let x: Vec<i32> = noise(1000).iter().map(|x| (x * 500.0) as i32).collect();
    let (input, least, most) = (memory.add(&x), memory.add(&[i32::MAX]), memory.add(&[0_u64]));
    let total = memory.add(&[0_f32]);
    let arguments = parameters().with(input).with(least).with(most).with(total).with(1000_i32);
    launch(REDUCE, "extremes", &memory, [8, 1, 1], [128, 1, 1], &arguments).unwrap();
    assert_eq!(memory.read::<i32>(least)[0], *x.iter().min().unwrap());
    let largest = *x.iter().max().unwrap();
    let at = x.iter().rposition(|x| *x == largest).unwrap() as u64;
    assert_eq!(memory.read::<u64>(most)[0], u64::from(largest as u32 ^ 0x8000_0000) << 32 | at);
    // Integers below 2^24 add exactly.
    assert_eq!(memory.read::<f32>(total)[0], x.iter().sum::<i32>() as f32);
}

#[test]
fn votes_of_a_warp() {
    let mut memory = Buffers::default();
    let x: Vec<i32> = (0..64).map(|i| if i < 32 { i * i % 7 } else { 1200 - i }).collect();
    let (input, odd, equal) = (memory.add(&x), memory.zeros::<u32>(2), memory.zeros::<i32>(8));
    let arguments = parameters().with(input).with(odd).with(equal);
    launch(REDUCE, "votes", &memory, [1, 1, 1], [64, 1, 1], &arguments).unwrap();
    let ballot = |warp: &[i32]| warp.iter().enumerate().fold(0, |mask, (i, x)| mask | ((*x as u32 & 1) << i));
    assert_eq!(memory.read::<u32>(odd), [ballot(&x[..32]), ballot(&x[32..])]);
    let same = x[..32].iter().filter(|value| **value == x[0]).count() as i32;
    assert_eq!(memory.read::<i32>(equal), [same, 0, 1, 0, 1, 1, 0, 1137]);
}

#[test]
fn tiled_product_of_matrices() {
    let mut memory = Buffers::default();
    let n = 50;
    let (a, b) = (noise(n * n), noise(2 * n * n)[n * n..].to_vec());
    let (left, right, output) = (memory.add(&a), memory.add(&b), memory.zeros::<f32>(n * n));
    let arguments = parameters().with(left).with(right).with(output).with(n as i32);
    launch(MATMUL, "matmul_tiled", &memory, [4, 4, 1], [16, 16, 1], &arguments).unwrap();
    let exact = (0..n * n).map(|i| {
        let (row, column) = (i / n, i % n);
        (0..n).map(|k| f64::from(a[row * n + k]) * f64::from(b[k * n + column])).sum::<f64>()
    });
    // 50 roundings of sums below 16.
    assert!(largest_error(&memory.read(output), exact) < 50.0 * 8.0 * f64::from(f32::EPSILON));
}

#[test]
fn softmax_in_dynamic_shared_memory() {
    let mut memory = Buffers::default();
    let columns = 300;
    let x: Vec<f32> = noise(2 * columns).iter().map(|x| x * 20.0).collect();
    let (input, output) = (memory.add(&x), memory.zeros::<f32>(2 * columns));
    let arguments = parameters().with(input).with(output).with(columns as i32);
    let shared = columns * 4;
    launch_with(MATMUL, "softmax_rows", &memory, [2, 1, 1], [96, 1, 1], &arguments, shared).unwrap();
    let exact = (0..2 * columns).map(|i| {
        let row = &x[i / columns * columns..][..columns];
        f64::from(x[i]).exp() / row.iter().map(|x| f64::from(*x).exp()).sum::<f64>()
    });
    // Arguments up to 40 cost 40 roundings of the exponential; the sum a few more.
    assert!(largest_error(&memory.read(output), exact) < 3e-6);
    let fault = launch_with(MATMUL, "softmax_rows", &memory, [2, 1, 1], [96, 1, 1], &arguments, shared - 4);
    assert!(matches!(
        fault.unwrap_err().kind,
        FaultKind::IllegalAddress { space: "shared", write: true, .. }
    ));
}

#[test]
fn sine_and_cosine_of_large_arguments() {
    let mut memory = Buffers::default();
    let mut x: Vec<f32> = noise(100).iter().map(|x| x * 10.0).collect();
    x.extend(noise(100).iter().map(|x| x * 1e9));
    x.extend([0.0, -0.0, 1e38, f32::MAX, 105_615.0, 105_616.0, 1e-30]);
    let n = x.len();
    let (input, sine, cosine) = (memory.add(&x), memory.zeros::<f32>(n), memory.zeros::<f32>(n));
    let arguments = parameters().with(input).with(sine).with(cosine).with(n as i32);
    launch(ELEMENTARY, "sine_cosine", &memory, [2, 1, 1], [128, 1, 1], &arguments).unwrap();
    // The library promises 2 units in the last place of results below 1.
    let bound = 2.0 * f64::from(f32::EPSILON);
    assert!(largest_error(&memory.read(sine), x.iter().map(|x| f64::from(*x).sin())) < bound);
    assert!(largest_error(&memory.read(cosine), x.iter().map(|x| f64::from(*x).cos())) < bound);
}

#[test]
fn powers() {
    let mut memory = Buffers::default();
    let x: Vec<f32> =
        noise(200).iter().map(|x| x.abs() * 50.0 + 0.001).chain([0.0, 2.0, -2.0, -8.0]).collect();
    let y: Vec<f32> = noise(400)[200..].iter().map(|y| y * 8.0).chain([3.0, -149.0, 3.0, 1.5]).collect();
    let n = x.len();
    let (base, exponent, output) = (memory.add(&x), memory.add(&y), memory.zeros::<f32>(n));
    let arguments = parameters().with(base).with(exponent).with(output).with(n as i32);
    launch(ELEMENTARY, "power", &memory, [1, 1, 1], [256, 1, 1], &arguments).unwrap();
    for (found, (x, y)) in memory.read::<f32>(output).iter().zip(x.iter().zip(&y)) {
        let exact = f64::from(*x).powf(f64::from(*y));
        // The library promises 4 units in the last place.
        let close = (f64::from(*found) - exact).abs() <= exact.abs() * 4.0 * f64::from(f32::EPSILON);
        assert!(close || (found.is_nan() && exact.is_nan()), "{x}^{y}: {found}, not {exact}");
    }
}

#[test]
fn double_precision() {
    let mut memory = Buffers::default();
    let x: Vec<f64> = noise(100).iter().map(|x| f64::from(*x) * 30.0).chain([1e6, 3e15, -7e9]).collect();
    let n = x.len();
    let (input, output) = (memory.add(&x), memory.zeros::<f64>(n));
    let arguments = parameters().with(input).with(output).with(n as i32);
    launch(ELEMENTARY, "double_functions", &memory, [1, 1, 1], [128, 1, 1], &arguments).unwrap();
    for (found, x) in memory.read::<f64>(output).iter().zip(&x) {
        let exact = x.sin() + (-x * x).exp() + (1.0 + x.abs()).ln() + x.abs().sqrt() / (1.0 + x * x);
        assert!(
            (found - exact).abs() < 8.0 * f64::EPSILON * exact.abs().max(1.0),
            "{x}: {found}, not {exact}"
        );
    }
}

#[test]
fn vectors_of_four() {
    let mut memory = Buffers::default();
    let x: Vec<f32> = noise(64).iter().map(|x| x * 4.0).collect();
    let (input, output) = (memory.add(&x), memory.zeros::<f32>(64));
    let arguments = parameters().with(input).with(output).with(16_i32);
    launch(ELEMENTARY, "gelu", &memory, [1, 1, 1], [32, 1, 1], &arguments).unwrap();
    // The error function of the reference: a sum of 60 terms of its series, exact to f64 for arguments below 4.
    let erf = |x: f64| {
        let mut term = x;
        let mut sum = x;
        for n in 1..60 {
            term *= -x * x / f64::from(n);
            sum += term / f64::from(2 * n + 1);
        }
        sum * 2.0 / std::f64::consts::PI.sqrt()
    };
    let exact =
        x.iter().map(|x| 0.5 * f64::from(*x) * (1.0 + erf(f64::from(*x) * std::f64::consts::FRAC_1_SQRT_2)));
    assert!(largest_error(&memory.read(output), exact) < 8.0 * f64::from(f32::EPSILON));
}

fn bf16s(values: &[f32]) -> Vec<u16> {
    values.iter().map(|value| half::bf16::from_f32(*value).to_bits()).collect()
}

#[test]
fn pairs_of_bf16() {
    let mut memory = Buffers::default();
    let (x, w) = (bf16s(&noise(64)), bf16s(&noise(128)[64..]));
    let (input, weights, output) = (memory.add(&x), memory.add(&w), memory.zeros::<u16>(64));
    let arguments = parameters().with(input).with(weights).with(output).with(32_i32);
    launch(HALVES, "scale_bf16", &memory, [1, 1, 1], [32, 1, 1], &arguments).unwrap();
    for (found, (x, w)) in memory.read::<u16>(output).iter().zip(x.iter().zip(&w)) {
        let [x, w] = [x, w].map(|bits| f64::from(half::bf16::from_bits(*bits).to_f32()));
        // A product and sum of these few bits is exact in f64, so one rounding must be the correct one.
        assert_eq!(*found, half::bf16::from_f64(x * w + x).to_bits());
    }
}

#[test]
fn pairs_of_f16() {
    let mut memory = Buffers::default();
    let x: Vec<u16> = noise(64).iter().map(|x| half::f16::from_f32(x * 5.0).to_bits()).collect();
    let (input, output) = (memory.add(&x), memory.zeros::<u16>(64));
    launch(
        HALVES,
        "silu_f16",
        &memory,
        [1, 1, 1],
        [32, 1, 1],
        &parameters().with(input).with(output).with(32_i32),
    )
    .unwrap();
    for (found, x) in memory.read::<u16>(output).iter().zip(&x) {
        let x = half::f16::from_bits(*x).to_f64();
        let exact = x / (1.0 + (-x).exp()) + x / 8.0;
        // Three roundings to 11 bits of values below 8.
        assert!((half::f16::from_bits(*found).to_f64() - exact).abs() < 3.0 * 4.0 / 1024.0);
    }
}

#[test]
fn norm_in_bf16() {
    let mut memory = Buffers::default();
    let x = bf16s(&noise(2 * 200));
    let (input, output) = (memory.add(&x), memory.zeros::<u16>(2 * 200));
    let arguments = parameters().with(input).with(output).with(200_i32);
    launch(HALVES, "norm_bf16", &memory, [2, 1, 1], [32, 1, 1], &arguments).unwrap();
    let value = |bits: u16| f64::from(half::bf16::from_bits(bits).to_f32());
    for (i, found) in memory.read::<u16>(output).iter().enumerate() {
        let row = &x[i / 200 * 200..][..200];
        let mean = row.iter().map(|x| value(*x).powi(2)).sum::<f64>() / 200.0;
        let exact = value(x[i]) / (mean + 1e-6).sqrt();
        // Half a unit in the last place of 8 bits, and a little for the sum.
        assert!((value(*found) - exact).abs() <= exact.abs() * (1.0 / 256.0 + 1e-5));
    }
}

#[test]
fn fp8_round_trip() {
    let mut memory = Buffers::default();
    let x: Vec<f32> = noise(64).iter().map(|x| x * 300.0).chain([0.0, 1000.0, -1000.0, 0.001]).collect();
    let n = x.len();
    let (input, output) = (memory.add(&x), memory.zeros::<f32>(n));
    launch(
        HALVES,
        "round_trip_fp8",
        &memory,
        [1, 1, 1],
        [96, 1, 1],
        &parameters().with(input).with(output).with(n as i32),
    )
    .unwrap();
    for (found, x) in memory.read::<f32>(output).iter().zip(&x) {
        let clamped = x.clamp(-448.0, 448.0);
        // Half a unit in the last place of 4 bits, or of the smallest subnormal.
        assert!((found - clamped).abs() <= (clamped.abs() / 16.0).max(1.0 / 1024.0), "{x}: {found}");
    }
}

#[test]
fn structures_by_value() {
    let mut memory = Buffers::default();
    let mut points = Vec::new();
    for i in 0..5_u64 {
        points.extend([(i as f64).to_bits(), (10.0 * i as f64).to_bits(), i + 1]);
    }
    let buffer = memory.add(&points);
    let offset = parameters().with(buffer).with(0.5_f64).with(9.0_f64).with(3_i32).with(0_i32).with(5_i32);
    launch(CALLS, "move_points", &memory, [1, 1, 1], [32, 1, 1], &offset).unwrap();
    for (i, point) in memory.read::<u64>(buffer).chunks(3).enumerate() {
        assert_eq!(f64::from_bits(point[0]), i as f64 + 3.5);
        assert_eq!(f64::from_bits(point[1]), 10.0 * i as f64 - 3.5);
        assert_eq!(point[2] as u32, 2 * (i as u32 + 1));
    }
}

#[test]
fn recursion() {
    let mut memory = Buffers::default();
    let output = memory.zeros::<i32>(12);
    launch(CALLS, "fibonacci_numbers", &memory, [1, 1, 1], [12, 1, 1], &parameters().with(output)).unwrap();
    assert_eq!(memory.read::<i32>(output), [0, 1, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89]);
}

#[test]
fn jump_table() {
    let mut memory = Buffers::default();
    let x: Vec<i32> = (0..9).collect();
    let (input, output) = (memory.add(&x), memory.zeros::<i32>(9));
    launch(
        CALLS,
        "cases",
        &memory,
        [1, 1, 1],
        [32, 1, 1],
        &parameters().with(input).with(output).with(9_i32),
    )
    .unwrap();
    assert_eq!(memory.read::<i32>(output), [7, -2, 0x4000_0000, 30, 64, 0, 2, -1, -1]);
}

#[test]
fn products_of_128_bits() {
    let mut memory = Buffers::default();
    let x = [0, 1, u64::MAX, 1 << 63, 0x1234_5678_9abc_def0, 0xffff_ffff];
    let (input, output) = (memory.add(&x), memory.zeros::<u64>(6));
    launch(
        CALLS,
        "wide_products",
        &memory,
        [1, 1, 1],
        [32, 1, 1],
        &parameters().with(input).with(output).with(6_i32),
    )
    .unwrap();
    let exact: Vec<u64> =
        x.iter().map(|x| ((u128::from(*x) * u128::from(*x) + u128::from(*x)) >> 64) as u64).collect();
    assert_eq!(memory.read::<u64>(output), exact);
}

#[test]
fn module_variables_keep_their_values() {
    let mut memory = Buffers::default();
    let output = memory.zeros::<f32>(4);
    let module = Module::parse(CALLS).unwrap();
    let arguments = parameters().with(output);
    for counter in [5.0, 6.0, 7.0] {
        let kernel = &module.kernels["module_variables"];
        run(Launch::new(kernel, [1, 1, 1], [4, 1, 1], &arguments.0), &memory).unwrap();
        assert_eq!(memory.read::<f32>(output), [0.5, 1.5, 2.5, 3.5].map(|weight| weight * counter));
    }
    assert_eq!(module.variables["weights"].size, 16);
}

fn f16s(values: &[f32]) -> Vec<u16> {
    values.iter().map(|value| half::f16::from_f32(*value).to_bits()).collect()
}

/// Products of short floats are exact in `f32`; 64 sums of them below 16 are rounded.
const TENSOR_BOUND: f64 = 64.0 * 16.0 * f32::EPSILON as f64;

#[test]
fn tiles_of_f16() {
    let mut memory = Buffers::default();
    let k = 80;
    let (a, b) = (f16s(&noise(16 * k)), f16s(&noise(32 * k)[16 * k..]));
    let (left, right, output) = (memory.add(&a), memory.add(&b), memory.zeros::<f32>(256));
    let arguments = parameters().with(left).with(right).with(output).with(k as i32);
    launch(TENSOR, "wmma_f16", &memory, [1, 1, 1], [32, 1, 1], &arguments).unwrap();
    let value = |bits: u16| half::f16::from_bits(bits).to_f64();
    let exact =
        (0..256).map(|i| (0..k).map(|j| value(a[i / 16 * k + j]) * value(b[i % 16 * k + j])).sum::<f64>());
    assert!(largest_error(&memory.read(output), exact) < TENSOR_BOUND);
}

#[test]
fn tiles_of_bf16_from_shared_memory() {
    let mut memory = Buffers::default();
    let k = 48;
    let (a, b) = (bf16s(&noise(16 * k)), bf16s(&noise(32 * k)[16 * k..]));
    let (left, right, output) = (memory.add(&a), memory.add(&b), memory.zeros::<f32>(256));
    let arguments = parameters().with(left).with(right).with(output).with(k as i32);
    launch(TENSOR, "wmma_bf16", &memory, [1, 1, 1], [32, 1, 1], &arguments).unwrap();
    let value = |bits: u16| half::bf16::from_bits(bits).to_f64();
    // Stored by columns, and the sum began at 1.
    let exact = (0..256)
        .map(|i| 1.0 + (0..k).map(|j| value(a[i % 16 * k + j]) * value(b[j * 16 + i / 16])).sum::<f64>());
    assert!(largest_error(&memory.read(output), exact) < TENSOR_BOUND);
}

#[test]
fn fragments_as_the_isa_lays_them_out() {
    let mut memory = Buffers::default();
    let (a, b) = (bf16s(&noise(256)), bf16s(&noise(384)[256..]));
    let (left, right, output) = (memory.add(&a), memory.add(&b), memory.zeros::<f32>(128));
    let arguments = parameters().with(left).with(right).with(output);
    launch(TENSOR, "mma_bf16", &memory, [1, 1, 1], [32, 1, 1], &arguments).unwrap();
    let value = |bits: u16| half::bf16::from_bits(bits).to_f64();
    let exact =
        (0..128).map(|i| (0..16).map(|k| value(a[i / 8 * 16 + k]) * value(b[i % 8 * 16 + k])).sum::<f64>());
    assert!(largest_error(&memory.read(output), exact) < TENSOR_BOUND);
}

/// `cargo test --release -p cuda-simulator --test ptx_kernels -- --ignored --nocapture` prints instructions per second.
#[test]
#[ignore = "it measures this machine's speed and has nothing to hold it against, so it could not fail"]
fn speed() {
    let mut memory = Buffers::default();
    let n = 128;
    let (left, right, output) =
        (memory.add(&noise(n * n)), memory.add(&noise(n * n)), memory.zeros::<f32>(n * n));
    let arguments = parameters().with(left).with(right).with(output).with(n as i32);
    let softmax = parameters().with(left).with(output).with(n as i32);
    let sums = parameters().with(left).with(output).with((n * n) as i32);
    for (text, name, block, grid, arguments) in [
        (MATMUL, "matmul_tiled", [16, 16, 1], [8, 8, 1], &arguments),
        (MATMUL, "softmax_rows", [128, 1, 1], [128, 1, 1], &softmax),
        (REDUCE, "block_sums", [256, 1, 1], [64, 1, 1], &sums),
    ] {
        let start = support::now();
        let work = launch_with(text, name, &memory, grid, block, arguments, n * 4).unwrap();
        let seconds = start.elapsed().as_secs_f64();
        println!("{name}: {:.1} M instructions/s", work.instructions as f64 / seconds / 1e6);
    }
}
