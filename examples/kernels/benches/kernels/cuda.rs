//! Each kernel on the device, held against what others published. See README.md for what the numbers are.

use gapbench::prelude::*;
use gapbench_cuda::{Buffer, Closeness, Cuda, Element, Grid, Kernel, Random, close};
use half::bf16;
use kernels::{
    Launch, Tolerance, attention_decode, gemm_tiled, rms_norm, rope, silu_mul, softmax, vector_add,
};

fn grid(launch: Launch) -> Grid {
    Grid::new(launch.grid, launch.block)
}

/// A run that only sees whether a kernel works takes a small shape, so that it is over in a second without a GPU.
fn rows(bench: &Kernel<Cuda>, rows: u32) -> u32 {
    if bench.is_test() { rows.min(3) } else { rows }
}

fn within<T>(tolerance: Tolerance, expected: &[f64], actual: &[T]) -> Result<Closeness>
where
    T: Copy + Into<f64> + std::fmt::Display,
{
    Ok(close(expected, actual, tolerance.absolute, tolerance.relative)?)
}

/// The largest distance from zero.
fn largest<T: Copy + Into<f64>>(values: &[T]) -> f64 {
    values.iter().map(|value| (*value).into().abs()).fold(0.0, f64::max)
}

/// From the host's pinned memory to the device: what loading weights cannot beat.
#[gap_bench(paper = "papers/nvbandwidth.toml", mib = [64])]
fn host_to_device(bench: &mut Kernel<Cuda>, mib: usize) -> Result<()> {
    let device = bench.device().clone();
    let bytes = if bench.is_test() { 1_003 } else { mib << 20 };
    // Every residue occurs, so that a shifted copy shows.
    let from = device.pinned(&(0..bytes).map(|at| (at % 251) as u8).collect::<Vec<u8>>())?;
    let mut to = device.uninit::<u8>(bytes)?;
    bench.writes(&to).bytes(bytes as u64);
    bench.launch(|stream| stream.copy_pinned(&mut to, &from))?;
    bench.check(|| Ok::<_, gapbench::Error>(device.download(&to)? == from.values()))
}

/// Within the device's memory, by the driver's own copy; reading and writing both count.
#[gap_bench(mib = [1024])]
fn device_copy(bench: &mut Kernel<Cuda>, mib: usize) -> Result<()> {
    let device = bench.device().clone();
    let bytes = if bench.is_test() { 1_003 } else { mib << 20 };
    let from = device.upload(&(0..bytes).map(|at| (at % 251) as u8).collect::<Vec<u8>>())?;
    let to = device.uninit::<u8>(bytes)?;
    bench.reads(&from).writes(&to);
    bench.launch(|stream| stream.copy(to.ptr(), from.ptr(), bytes))?;
    bench.check(|| Ok::<_, gapbench::Error>(device.download(&to)? == device.download(&from)?))
}

#[gap_bench(n = [1 << 26])]
fn vector_add_f32(bench: &mut Kernel<Cuda>, n: u64) -> Result<()> {
    let shape = vector_add::Shape { n: if bench.is_test() { 1_003 } else { n } };
    let (kernel, seed) = (bench.kernel(vector_add::PTX, vector_add::NAME)?, bench.seed());
    let device = bench.device().clone();
    let len = usize::try_from(shape.n)?;
    let (a, b) = (device.random::<f32>(len, seed)?, device.random::<f32>(len, seed + 1)?);
    let mut c = device.uninit::<f32>(len)?;
    bench.condition(Condition::Dtype, "f32").reads(&a).reads(&b).writes(&c);
    bench.bytes(vector_add::bytes(&shape)).flops(vector_add::flops(&shape));
    bench.launch(|stream| {
        kernel.launch(stream, grid(vector_add::launch(&shape)), (&a, &b, &mut c, shape.n))
    })?;
    bench.check(|| {
        let expected = vector_add::reference(&device.download(&a)?, &device.download(&b)?);
        within(vector_add::tolerance(), &expected, &device.download(&c)?)
    })
}

#[gap_bench(
    paper = ["papers/liger.toml#softmax-f32-3090", "papers/liger.toml#softmax-bf16-3090"],
    rows = [2048],
    hidden = [4096]
)]
fn softmax_f32(bench: &mut Kernel<Cuda>, rows: u32, hidden: u32) -> Result<()> {
    let shape = softmax::Shape { rows: self::rows(bench, rows), cols: hidden };
    let (kernel, seed) = (bench.kernel(softmax::PTX, softmax::NAME)?, bench.seed());
    let device = bench.device().clone();
    let len = shape.rows as usize * shape.cols as usize;
    let x = device.random::<f32>(len, seed)?;
    let mut y = device.uninit::<f32>(len)?;
    bench.condition(Condition::Dtype, "f32").reads(&x).writes(&y);
    bench.bytes(softmax::bytes(&shape)).flops(softmax::flops(&shape));
    bench.launch(|stream| kernel.launch(stream, grid(softmax::launch(&shape)), (&x, &mut y, shape.cols)))?;
    bench.check(|| {
        let x = device.download(&x)?;
        let tolerance = softmax::tolerance(&shape, 2.0 * largest(&x));
        within(tolerance, &softmax::reference(&shape, &x), &device.download(&y)?)
    })
}

/// Of all three buffers of an RMSNorm.
const EPSILON: f32 = 1e-6;

#[gap_bench(rows = [4096], hidden = [16384])]
fn rms_norm_f32(bench: &mut Kernel<Cuda>, rows: u32, hidden: u32) -> Result<()> {
    norm::<f32>(bench, rms_norm::Element::F32, "f32", rows, hidden)
}

#[gap_bench(
    paper = ["papers/liger.toml#rms-norm-bf16-a100", "papers/liger.toml#rms-norm-bf16-a100-rate", "papers/liger.toml#rms-norm-huggingface-bf16-a100"],
    rows = [2048],
    hidden = [16384]
)]
fn rms_norm_bf16(bench: &mut Kernel<Cuda>, rows: u32, hidden: u32) -> Result<()> {
    norm::<bf16>(bench, rms_norm::Element::Bf16, "bf16", rows, hidden)
}

fn norm<T>(
    bench: &mut Kernel<Cuda>,
    element: rms_norm::Element,
    dtype: &str,
    rows: u32,
    hidden: u32,
) -> Result<()>
where
    T: Element + Random + Into<f64> + std::fmt::Display,
{
    let shape = rms_norm::Shape { rows: self::rows(bench, rows), hidden, element };
    let (kernel, seed) = (bench.kernel(rms_norm::PTX, element.kernel())?, bench.seed());
    let device = bench.device().clone();
    let (width, len) = (hidden as usize, shape.rows as usize * hidden as usize);
    let (x, weight) = (device.random::<T>(len, seed)?, device.random::<T>(width, seed + 1)?);
    let mut y = device.uninit::<T>(len)?;
    bench.condition(Condition::Dtype, dtype).reads(&x).reads(&weight).writes(&y);
    bench.bytes(rms_norm::bytes(&shape)).flops(rms_norm::flops(&shape));
    let grid = grid(rms_norm::launch(&shape));
    bench.launch(|stream| kernel.launch(stream, grid, (&x, &weight, &mut y, hidden, EPSILON)))?;
    bench.check(|| {
        let (x, weight) = (device.download(&x)?, device.download(&weight)?);
        let expected = rms_norm::reference(&shape, &x, &weight, EPSILON);
        within(rms_norm::tolerance(&shape), &expected, &device.download(&y)?)
    })
}

/// RoFormer's, which Llama 2 keeps.
const THETA: f64 = 10_000.0;

#[gap_bench(seq_len = [8192], heads = [32], head_dim = [128])]
fn rope_f32(bench: &mut Kernel<Cuda>, seq_len: u32, heads: u32, head_dim: u32) -> Result<()> {
    let shape = rope::Shape { tokens: rows(bench, seq_len), heads, dim: head_dim };
    let (kernel, seed) = (bench.kernel(rope::PTX, rope::NAME)?, bench.seed());
    let device = bench.device().clone();
    let len = shape.tokens as usize * heads as usize * head_dim as usize;
    let positions: Vec<i32> = (0..i32::try_from(shape.tokens)?).collect();
    let table = device.upload(&rope::table(shape.tokens, head_dim, THETA))?;
    let at = device.upload(&positions)?;
    let x = device.random::<f32>(len, seed)?;
    let mut y = device.uninit::<f32>(len)?;
    bench.condition(Condition::Dtype, "f32").reads(&x).reads(&at).reads(&table).writes(&y);
    bench.bytes(rope::bytes(&shape)).flops(rope::flops(&shape));
    let grid = grid(rope::launch(&shape));
    bench.launch(|stream| kernel.launch(stream, grid, (&x, &at, &table, &mut y, heads, head_dim)))?;
    bench.check(|| {
        let x = device.download(&x)?;
        let expected = rope::reference(&shape, &x, &positions, THETA);
        within(rope::tolerance(largest(&x)), &expected, &device.download(&y)?)
    })
}

#[gap_bench(rows = [4096], hidden = [14336])]
fn silu_mul_bf16(bench: &mut Kernel<Cuda>, rows: u32, hidden: u32) -> Result<()> {
    let shape = silu_mul::Shape { rows: self::rows(bench, rows), hidden };
    let (kernel, seed) = (bench.kernel(silu_mul::PTX, silu_mul::NAME)?, bench.seed());
    let device = bench.device().clone();
    let len = usize::try_from(shape.elements())?;
    let (gate, up) = (device.random::<bf16>(len, seed)?, device.random::<bf16>(len, seed + 1)?);
    let mut y = device.uninit::<bf16>(len)?;
    bench.condition(Condition::Dtype, "bf16").reads(&gate).reads(&up).writes(&y);
    bench.bytes(silu_mul::bytes(&shape)).flops(silu_mul::flops(&shape));
    let grid = grid(silu_mul::launch(&shape));
    bench.launch(|stream| kernel.launch(stream, grid, (&gate, &up, &mut y, shape.elements())))?;
    bench.check(|| {
        let expected = silu_mul::reference(&device.download(&gate)?, &device.download(&up)?);
        within(silu_mul::tolerance(), &expected, &device.download(&y)?)
    })
}

#[gap_bench(gemm_m = [4096], gemm_n = [4096], gemm_k = [4096])]
fn gemm_tiled_f32(bench: &mut Kernel<Cuda>, gemm_m: u32, gemm_n: u32, gemm_k: u32) -> Result<()> {
    let shape = product(bench, gemm_m, gemm_n, gemm_k);
    let (kernel, seed) = (bench.kernel(gemm_tiled::PTX, gemm_tiled::NAME)?, bench.seed());
    let device = bench.device().clone();
    let (a, b, mut c) = operands::<f32>(&device, &shape, seed)?;
    bench.condition(Condition::Dtype, "f32").reads(&a).reads(&b).writes(&c);
    bench.bytes(gemm_tiled::bytes(&shape)).flops(gemm_tiled::flops(&shape));
    let grid = grid(gemm_tiled::launch(&shape));
    bench.launch(|stream| kernel.launch(stream, grid, (&a, &b, &mut c, shape.m, shape.n, shape.k)))?;
    bench.check(|| {
        let (a, b, c) = (device.download(&a)?, device.download(&b)?, device.download(&c)?);
        let tolerance = gemm_tiled::tolerance(&shape, largest(&a), largest(&b));
        let places = places(&shape);
        within(tolerance, &elements(&shape, &a, &b, &places), &at(&c, &places))
    })
}

/// The shape at which MAMF's search found an H100 fastest.
#[gap_bench(
    paper = ["papers/mamf.toml#bf16-h100", "papers/mamf.toml#bf16-a100"],
    gemm_m = [2048],
    gemm_n = [2048],
    gemm_k = [13312]
)]
fn gemm_cublas_bf16(bench: &mut Kernel<Cuda>, gemm_m: u32, gemm_n: u32, gemm_k: u32) -> Result<()> {
    let shape = product(bench, gemm_m, gemm_n, gemm_k);
    let seed = bench.seed();
    let device = bench.device().clone();
    let blas = device.blas()?;
    let (a, b, mut c) = operands::<bf16>(&device, &shape, seed)?;
    bench.condition(Condition::Dtype, "bf16").reads(&a).reads(&b).writes(&c);
    bench.bytes(gemm_tiled::bytes(&shape) / 2).flops(gemm_tiled::flops(&shape));
    let [m, n, k] = [shape.m, shape.n, shape.k].map(|size| size as usize);
    bench.launch(|_| blas.gemm(m, n, k, 1.0, &a, &b, 0.0, &mut c))?;
    bench.check(|| {
        let (a, b, c) = (device.download(&a)?, device.download(&b)?, device.download(&c)?);
        // Sums in f32 in an order that cuBLAS chooses, and one rounding to bf16.
        let sums = gemm_tiled::tolerance(&shape, largest(&a), largest(&b)).absolute;
        let tolerance = Tolerance { absolute: sums, relative: 1.0 / 256.0 };
        let places = places(&shape);
        within(tolerance, &elements(&shape, &a, &b, &places), &at(&c, &places))
    })
}

/// A product that is the same for any size: that a test sees whether it works, a small one with odd edges.
fn product(bench: &Kernel<Cuda>, m: u32, n: u32, k: u32) -> gemm_tiled::Shape {
    if bench.is_test() { gemm_tiled::Shape { m: 33, n: 70, k: 65 } } else { gemm_tiled::Shape { m, n, k } }
}

type Operands<T> = (Buffer<T>, Buffer<T>, Buffer<T>);

fn operands<T: Element + Random>(device: &Cuda, shape: &gemm_tiled::Shape, seed: u64) -> Result<Operands<T>> {
    let [m, n, k] = [shape.m as usize, shape.n as usize, shape.k as usize];
    Ok((device.random(m * k, seed)?, device.random(k * n, seed + 1)?, device.uninit(m * n)?))
}

/// Of a small product every element, of a large one some from all over it: all of them in f64 would take minutes.
fn places(shape: &gemm_tiled::Shape) -> Vec<usize> {
    const SOME: usize = 4096;
    let all = shape.m as usize * shape.n as usize;
    // A stride that shares no factor with usual sizes meets every row and column.
    let stride = (all / SOME).max(1) | 1;
    (0..all).step_by(stride).collect()
}

fn elements<T: Copy + Into<f64>>(shape: &gemm_tiled::Shape, a: &[T], b: &[T], places: &[usize]) -> Vec<f64> {
    let (n, k) = (shape.n as usize, shape.k as usize);
    let element = |place: &usize| {
        let row = a.iter().skip(place / n * k).take(k);
        let column = b.iter().skip(place % n).step_by(n);
        row.zip(column).map(|(a, b)| (*a).into() * (*b).into()).sum()
    };
    places.iter().map(element).collect()
}

fn at<T: Copy>(values: &[T], places: &[usize]) -> Vec<T> {
    places.iter().filter_map(|place| values.get(*place).copied()).collect()
}

/// Llama 3 8B: 32 query heads share 8 key heads of 128.
#[gap_bench(paper = "papers/flash-attention-3.toml", batch = [1, 50], seq_len = [4096])]
fn attention_decode_bf16(bench: &mut Kernel<Cuda>, batch: u32, seq_len: u32) -> Result<()> {
    let max_length = if bench.is_test() { 40 } else { seq_len };
    let sequences = if bench.is_test() { batch.min(2) } else { batch };
    let shape = attention_decode::Shape { sequences, query_heads: 32, key_heads: 8, dim: 128, max_length };
    let (kernel, seed) = (bench.kernel(attention_decode::PTX, attention_decode::NAME)?, bench.seed());
    let device = bench.device().clone();
    let [sequences, heads, kept, dim] =
        [shape.sequences, shape.query_heads, shape.key_heads, shape.dim].map(|size| size as usize);
    let lengths = vec![i32::try_from(max_length)?; sequences];
    let cache = sequences * max_length as usize * kept * dim;
    let q = device.random::<bf16>(sequences * heads * dim, seed)?;
    let (keys, values) = (device.random::<bf16>(cache, seed + 1)?, device.random::<bf16>(cache, seed + 2)?);
    let filled = device.upload(&lengths)?;
    let mut out = device.uninit::<bf16>(sequences * heads * dim)?;
    bench.condition(Condition::Dtype, "bf16").condition(Condition::HeadDim, f64::from(shape.dim));
    bench.reads(&q).reads(&keys).reads(&values).reads(&filled).writes(&out);
    bench.bytes(attention_decode::bytes(&shape, &lengths)).flops(attention_decode::flops(&shape, &lengths));
    let grid = grid(attention_decode::launch(&shape));
    bench.launch(|stream| {
        let shape = (shape.key_heads, shape.dim, shape.max_length, shape.scale());
        kernel.launch(
            stream,
            grid,
            (&q, &keys, &values, &filled, &mut out, shape.0, shape.1, shape.2, shape.3),
        )
    })?;
    bench.check(|| {
        let (q, keys, values) = (device.download(&q)?, device.download(&keys)?, device.download(&values)?);
        let scale = shape.scale();
        let expected = attention_decode::reference(&shape, &q, &keys, &values, &lengths, scale);
        let tolerance = attention_decode::tolerance(
            &shape,
            f64::from(scale),
            largest(&q),
            largest(&keys),
            largest(&values),
        );
        within(tolerance, &expected, &device.download(&out)?)
    })
}
