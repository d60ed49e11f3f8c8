//! How each kernel is launched.

use gapbench_cuda::{Arg, CudaError, Grid, Stream};

use crate::cuda::kernels::{Cache, Element, Heads, Kernels, MAX_GEMV_ROWS};

fn count(size: usize) -> Result<u32, CudaError> {
    u32::try_from(size).map_err(|_| CudaError::Length { what: format!("a kernel takes no size of {size}") })
}

impl Kernels {
    /// Rows of the table, one for each id, as f32.
    ///
    /// # Errors
    /// Those of a launch, as of all kernels here.
    #[allow(clippy::too_many_arguments, reason = "the kernel's parameters")]
    pub fn embed(
        &self,
        stream: &Stream,
        tokens: usize,
        ids: impl Arg,
        table: impl Arg,
        residual: impl Arg,
        error: impl Arg,
        (vocab, hidden): (u32, u32),
    ) -> Result<(), CudaError> {
        let grid = Grid::new(count(tokens)?, 256);
        self.embed.launch(stream, grid, (ids, table, residual, error, vocab, hidden))
    }

    /// `residual += delta; y = norm(residual) * weight`. A `delta` of `Pointer(0)` is none.
    ///
    /// # Errors
    /// Those of a launch.
    #[allow(clippy::too_many_arguments, reason = "the kernel's parameters")]
    pub fn add_rms_norm(
        &self,
        stream: &Stream,
        rows: usize,
        delta: impl Arg,
        residual: impl Arg,
        weight: impl Arg,
        y: impl Arg,
        (hidden, epsilon): (u32, f32),
    ) -> Result<(), CudaError> {
        // Eight elements a thread and turn; more than 512 threads would leave fewer rows on a multiprocessor.
        let threads = hidden.div_ceil(8).next_multiple_of(32).clamp(32, 512);
        let grid = Grid::new(count(rows)?, threads);
        self.add_rms_norm.launch(stream, grid, (delta, residual, weight, y, hidden, epsilon))
    }

    /// Turns queries in place and puts keys and values into the cache.
    ///
    /// # Errors
    /// Those of a launch.
    #[allow(clippy::too_many_arguments, reason = "the kernel's parameters")]
    pub fn rope_append(
        &self,
        stream: &Stream,
        tokens: usize,
        qkv: impl Arg,
        frequencies: impl Arg,
        (positions, rows): (impl Arg, impl Arg),
        cache: Cache<impl Arg, impl Arg>,
        error: impl Arg,
        heads: Heads,
    ) -> Result<(), CudaError> {
        let blocks = (heads.qkv() / 2).div_ceil(128).max(1);
        let grid = Grid::new((count(tokens)?, blocks), 128);
        let Cache { keys, values, tables, pages_per_row } = cache;
        let Heads { query, key, dim } = heads;
        let arguments =
            (qkv, frequencies, positions, rows, tables, keys, values, error, query, key, dim, pages_per_row);
        self.rope_append.launch(stream, grid, arguments)
    }

    /// Attention of one query a sequence. With `splits` above 1, `parts` holds what [`Kernels::parts_len`] says.
    ///
    /// # Errors
    /// Those of a launch.
    #[allow(clippy::too_many_arguments, reason = "the kernel's parameters")]
    pub fn attention_decode<P: Arg + Copy, O: Arg + Copy>(
        &self,
        stream: &Stream,
        sequences: usize,
        splits: u32,
        qkv: impl Arg,
        cache: Cache<impl Arg, impl Arg>,
        (positions, rows): (impl Arg, impl Arg),
        (out, parts): (O, P),
        heads: Heads,
    ) -> Result<(), CudaError> {
        let sequences = count(sequences)?;
        let [single, by_four] = &self.attention_decode;
        let kernel = if heads.by_four() { by_four } else { single };
        let grid = Grid::new((heads.decode_blocks(), sequences, splits), 256);
        let Cache { keys, values, tables, pages_per_row } = cache;
        let (keys_of, dim, scale) = (heads.key, heads.dim, heads.scale());
        let arguments =
            (qkv, keys, values, positions, rows, tables, out, parts, keys_of, dim, pages_per_row, scale);
        kernel.launch(stream, grid, arguments)?;
        if splits > 1 {
            let grid = Grid::new((heads.query, sequences), 128);
            self.attention_merge.launch(stream, grid, (parts, out, dim, splits))?;
        }
        Ok(())
    }

    /// Numbers in f32 that the parts of a split attention take.
    pub fn parts_len(sequences: usize, splits: u32, heads: Heads) -> usize {
        if splits > 1 {
            sequences * splits as usize * heads.query as usize * (heads.dim as usize + 2)
        } else {
            0
        }
    }

    /// Causal attention of `tokens` tokens from position `first` on, whose keys and values are in the cache.
    ///
    /// # Errors
    /// Those of a launch.
    #[allow(clippy::too_many_arguments, reason = "the kernel's parameters")]
    pub fn attention_prefill(
        &self,
        stream: &Stream,
        (first, tokens): (usize, usize),
        qkv: impl Arg,
        cache: Cache<impl Arg, impl Arg>,
        out: impl Arg,
        heads: Heads,
    ) -> Result<(), CudaError> {
        let (first, tokens) = (count(first)?, count(tokens)?);
        let dim = heads.dim;
        let [small, large] = &self.attention_prefill;
        let kernel = if dim <= 64 { small } else { large };
        let grid = match self.element() {
            Element::F32 => {
                let shared = 4 * (32 * dim + 32 * (dim + 4) + 1024);
                Grid::new((tokens.div_ceil(32), heads.query), 128).shared(shared)
            }
            Element::F16 | Element::Bf16 => Grid::new((tokens.div_ceil(64), heads.query), 128),
        };
        let Cache { keys, values, tables, pages_per_row } = cache;
        let arguments =
            (qkv, keys, values, tables, out, first, tokens, heads.key, dim, pages_per_row, heads.scale());
        kernel.launch(stream, grid, arguments)
    }

    /// `y = silu(gate) * up` of the halves of each token's `gate_up`.
    ///
    /// # Errors
    /// Those of a launch.
    pub fn silu_mul(
        &self,
        stream: &Stream,
        tokens: usize,
        gate_up: impl Arg,
        y: impl Arg,
        width: u32,
    ) -> Result<(), CudaError> {
        let grid = Grid::new((width.div_ceil(8 * 128).max(1), count(tokens)?), 128);
        self.silu_mul.launch(stream, grid, (gate_up, y, width))
    }

    /// `y = x * weightᵗ` of `m` rows, at most [`MAX_GEMV_ROWS`]. With `scales` the weight has eight bits; otherwise pass
    /// `None::<Pointer>`. `wide` makes `y` f32.
    ///
    /// # Errors
    /// Those of a launch.
    #[allow(clippy::too_many_arguments, reason = "the kernel's parameters")]
    pub fn gemv(
        &self,
        stream: &Stream,
        (m, n, k): (usize, usize, usize),
        weight: impl Arg,
        scales: Option<impl Arg>,
        x: impl Arg,
        y: impl Arg,
        wide: bool,
    ) -> Result<(), CudaError> {
        let [one, four, eight] = if scales.is_some() { &self.gemv_i8 } else { &self.gemv };
        let kernel = match m {
            1 => one,
            2..=4 => four,
            5..=MAX_GEMV_ROWS => eight,
            _ => return Err(CudaError::Length { what: format!("{} takes no {m} rows", eight.name()) }),
        };
        let (m, n, k) = (count(m)?, count(n)?, count(k)?);
        let (grid, wide) = (Grid::new(n.div_ceil(16).max(1), 256), u32::from(wide));
        match scales {
            Some(scales) => kernel.launch(stream, grid, (weight, scales, x, y, n, k, m, wide)),
            None => kernel.launch(stream, grid, (weight, 0_u64, x, y, n, k, m, wide)),
        }
    }

    /// Elements from eight bits and a scale for each row.
    ///
    /// # Errors
    /// Those of a launch.
    pub fn dequantize(
        &self,
        stream: &Stream,
        (rows, columns): (usize, usize),
        q: impl Arg,
        scales: impl Arg,
        y: impl Arg,
    ) -> Result<(), CudaError> {
        self.dequantize.launch(stream, Grid::new(count(rows)?, 256), (q, scales, y, count(columns)?))
    }

    /// The index of the largest of each row of f32.
    ///
    /// # Errors
    /// Those of a launch.
    pub fn argmax(
        &self,
        stream: &Stream,
        (rows, columns): (usize, usize),
        x: impl Arg,
        index: impl Arg,
    ) -> Result<(), CudaError> {
        self.argmax.launch(stream, Grid::new(count(rows)?, 1024), (x, index, count(columns)?))
    }
}
