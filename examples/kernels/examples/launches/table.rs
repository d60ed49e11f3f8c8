//! What the benchmarks of `benches/kernels` launch, in numbers. `tests/launches.rs` compares it with the benchmarks' own
//! list and with the parameters that the PTX declares.

use kernels::{Launch, attention_decode, gemm_tiled, rms_norm, rope, silu_mul, softmax, vector_add};

/// One case of the benchmark.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// As the list and the record of the bench binary have it.
    pub(crate) name: String,
    pub(crate) work: Work,
    /// As the benchmark declares them.
    pub(crate) bytes: u64,
    pub(crate) flops: Option<u64>,
}

#[derive(Clone, Debug)]
pub(crate) enum Work {
    Kernel(Kernel),
    /// A row-major product by cuBLAS.
    Product {
        dtype: &'static str,
        m: u32,
        n: u32,
        k: u32,
    },
    /// A copy by the driver.
    Copy {
        from_host: bool,
    },
}

/// A kernel of `kernels/`.
#[derive(Clone, Debug)]
pub(crate) struct Kernel {
    /// The file in `kernels/`.
    pub(crate) ptx: &'static str,
    pub(crate) entry: &'static str,
    pub(crate) launch: Launch,
    pub(crate) dtype: &'static str,
    pub(crate) arguments: Vec<Argument>,
}

/// In the order of the kernel's parameters.
#[derive(Clone, Debug)]
pub(crate) enum Argument {
    Buffer { name: &'static str, dtype: &'static str, elements: u64, fill: Fill },
    U32(&'static str, u32),
    U64(&'static str, u64),
    F32(&'static str, f32),
}

/// What is in a buffer before the launch.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fill {
    /// Standard normal.
    Random,
    /// 0, 1, 2, …
    Counting,
    /// The same number everywhere.
    Constant(u32),
    /// Of each position first the cosines, then the sines: `rope::table`.
    Rope { dim: u32, theta: f64 },
    /// Nothing: the kernel writes it.
    Output,
}

impl Fill {
    pub(crate) const fn role(self) -> &'static str {
        match self {
            Fill::Output => "out",
            _ => "in",
        }
    }
}

const MIB: u64 = 1 << 20;
const EPSILON: f32 = 1e-6;
const THETA: f64 = 10_000.0;

const fn buffer(name: &'static str, dtype: &'static str, elements: u64, fill: Fill) -> Argument {
    Argument::Buffer { name, dtype, elements, fill }
}

/// Every case, in the order of the benchmark's source.
pub(crate) fn cases() -> Vec<Case> {
    vec![
        copy("host_to_device", 64, true),
        copy("device_copy", 1024, false),
        added(26),
        softened(2048, 4096),
        normed("rms_norm_f32", "f32", rms_norm::Element::F32, 4096, 16384),
        normed("rms_norm_bf16", "bf16", rms_norm::Element::Bf16, 2048, 16384),
        turned(8192, 32, 128),
        gated(4096, 14336),
        tiled(4096, 4096, 4096),
        product(2048, 2048, 13312),
        attended(1, 4096),
        attended(50, 4096),
    ]
}

/// Copies within the device count twice: read and written.
fn copy(function: &str, mib: u64, from_host: bool) -> Case {
    let bytes = if from_host { mib * MIB } else { 2 * mib * MIB };
    Case {
        name: format!("kernels::cuda::{function}::mib={mib}"),
        work: Work::Copy { from_host },
        bytes,
        flops: None,
    }
}

fn kernel(
    name: String,
    (ptx, entry): (&'static str, &'static str),
    launch: Launch,
    dtype: &'static str,
    (bytes, flops): (u64, u64),
    arguments: Vec<Argument>,
) -> Case {
    let work = Work::Kernel(Kernel { ptx, entry, launch, dtype, arguments });
    Case { name, work, bytes, flops: Some(flops) }
}

/// 2 to that power.
fn added(power: u32) -> Case {
    let n = 1 << power;
    let shape = vector_add::Shape { n };
    kernel(
        format!("kernels::cuda::vector_add_f32::n=1<<{power}"),
        ("vector_add.ptx", vector_add::NAME),
        vector_add::launch(&shape),
        "f32",
        (vector_add::bytes(&shape), vector_add::flops(&shape)),
        vec![
            buffer("a", "f32", n, Fill::Random),
            buffer("b", "f32", n, Fill::Random),
            buffer("c", "f32", n, Fill::Output),
            Argument::U64("n", n),
        ],
    )
}

fn softened(rows: u32, cols: u32) -> Case {
    let shape = softmax::Shape { rows, cols };
    let elements = u64::from(rows) * u64::from(cols);
    kernel(
        format!("kernels::cuda::softmax_f32::rows={rows},hidden={cols}"),
        ("softmax.ptx", softmax::NAME),
        softmax::launch(&shape),
        "f32",
        (softmax::bytes(&shape), softmax::flops(&shape)),
        vec![
            buffer("x", "f32", elements, Fill::Random),
            buffer("y", "f32", elements, Fill::Output),
            Argument::U32("cols", cols),
        ],
    )
}

fn normed(function: &str, dtype: &'static str, element: rms_norm::Element, rows: u32, hidden: u32) -> Case {
    let shape = rms_norm::Shape { rows, hidden, element };
    let elements = u64::from(rows) * u64::from(hidden);
    kernel(
        format!("kernels::cuda::{function}::rows={rows},hidden={hidden}"),
        ("rms_norm.ptx", element.kernel()),
        rms_norm::launch(&shape),
        dtype,
        (rms_norm::bytes(&shape), rms_norm::flops(&shape)),
        vec![
            buffer("x", dtype, elements, Fill::Random),
            buffer("weight", dtype, u64::from(hidden), Fill::Random),
            buffer("y", dtype, elements, Fill::Output),
            Argument::U32("hidden", hidden),
            Argument::F32("epsilon", EPSILON),
        ],
    )
}

fn turned(tokens: u32, heads: u32, dim: u32) -> Case {
    let shape = rope::Shape { tokens, heads, dim };
    let elements = u64::from(tokens) * u64::from(heads) * u64::from(dim);
    let table = u64::from(tokens) * u64::from(dim);
    kernel(
        format!("kernels::cuda::rope_f32::seq_len={tokens},heads={heads},head_dim={dim}"),
        ("rope.ptx", rope::NAME),
        rope::launch(&shape),
        "f32",
        (rope::bytes(&shape), rope::flops(&shape)),
        vec![
            buffer("x", "f32", elements, Fill::Random),
            buffer("positions", "i32", u64::from(tokens), Fill::Counting),
            buffer("table", "f32", table, Fill::Rope { dim, theta: THETA }),
            buffer("y", "f32", elements, Fill::Output),
            Argument::U32("heads", heads),
            Argument::U32("dim", dim),
        ],
    )
}

fn gated(rows: u32, hidden: u32) -> Case {
    let shape = silu_mul::Shape { rows, hidden };
    let elements = shape.elements();
    kernel(
        format!("kernels::cuda::silu_mul_bf16::rows={rows},hidden={hidden}"),
        ("silu_mul.ptx", silu_mul::NAME),
        silu_mul::launch(&shape),
        "bf16",
        (silu_mul::bytes(&shape), silu_mul::flops(&shape)),
        vec![
            buffer("gate", "bf16", elements, Fill::Random),
            buffer("up", "bf16", elements, Fill::Random),
            buffer("y", "bf16", elements, Fill::Output),
            Argument::U64("n", elements),
        ],
    )
}

fn tiled(m: u32, n: u32, k: u32) -> Case {
    let shape = gemm_tiled::Shape { m, n, k };
    let matrix = |rows: u32, cols: u32| u64::from(rows) * u64::from(cols);
    kernel(
        format!("kernels::cuda::gemm_tiled_f32::gemm_m={m},gemm_n={n},gemm_k={k}"),
        ("gemm_tiled.ptx", gemm_tiled::NAME),
        gemm_tiled::launch(&shape),
        "f32",
        (gemm_tiled::bytes(&shape), gemm_tiled::flops(&shape)),
        vec![
            buffer("a", "f32", matrix(m, k), Fill::Random),
            buffer("b", "f32", matrix(k, n), Fill::Random),
            buffer("c", "f32", matrix(m, n), Fill::Output),
            Argument::U32("m", m),
            Argument::U32("n", n),
            Argument::U32("k", k),
        ],
    )
}

fn product(m: u32, n: u32, k: u32) -> Case {
    let shape = gemm_tiled::Shape { m, n, k };
    Case {
        name: format!("kernels::cuda::gemm_cublas_bf16::gemm_m={m},gemm_n={n},gemm_k={k}"),
        work: Work::Product { dtype: "bf16", m, n, k },
        // An element has half the bytes of the f32 that `gemm_tiled` counts.
        bytes: gemm_tiled::bytes(&shape) / 2,
        flops: Some(gemm_tiled::flops(&shape)),
    }
}

fn attended(sequences: u32, length: u32) -> Case {
    let shape =
        attention_decode::Shape { sequences, query_heads: 32, key_heads: 8, dim: 128, max_length: length };
    let lengths = vec![length.cast_signed(); sequences as usize];
    let of = |heads: u32, positions: u32| {
        u64::from(sequences) * u64::from(positions) * u64::from(heads) * u64::from(shape.dim)
    };
    let (token, cache) = (of(shape.query_heads, 1), of(shape.key_heads, length));
    kernel(
        format!("kernels::cuda::attention_decode_bf16::batch={sequences},seq_len={length}"),
        ("attention_decode.ptx", attention_decode::NAME),
        attention_decode::launch(&shape),
        "bf16",
        (attention_decode::bytes(&shape, &lengths), attention_decode::flops(&shape, &lengths)),
        vec![
            buffer("q", "bf16", token, Fill::Random),
            buffer("keys", "bf16", cache, Fill::Random),
            buffer("values", "bf16", cache, Fill::Random),
            buffer("lengths", "i32", u64::from(sequences), Fill::Constant(length)),
            buffer("out", "bf16", token, Fill::Output),
            Argument::U32("key_heads", shape.key_heads),
            Argument::U32("dim", shape.dim),
            Argument::U32("max_length", length),
            Argument::F32("scale", shape.scale()),
        ],
    )
}
