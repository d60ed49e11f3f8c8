//! What a step computes on the way: buffers for the largest step, allocated once.

use gapbench_cuda::{Buffer, Cuda, Staging};

use super::Options;
use super::kernels::{Element, Heads, Kernels};
use super::pages::{pages_per_row, rows};
use crate::{Config, Error};

/// Positions that a block of the decode kernel should have, in a full context: fewer are not worth a launch's tail.
const POSITIONS_PER_BLOCK: usize = 256;
/// Blocks that a multiprocessor should have of it.
const BLOCKS_PER_MULTIPROCESSOR: u32 = 2;
const MAX_SPLITS: u32 = 32;
/// Tokens of a step: a grid has as many blocks along y.
const MAX_ROWS: usize = 65_535;

/// Numbers of each buffer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    /// Tokens of the largest step.
    pub(super) rows: usize,
    /// Sequences of the largest decode step.
    pub(super) batch: usize,
    /// Tokens of a prompt that are computed at once.
    pub(super) chunk: usize,
    hidden: usize,
    query: usize,
    qkv: usize,
    inner: usize,
    vocabulary: usize,
    parts: usize,
    tables: usize,
    /// Bytes of the largest matrix of bytes once widened.
    widened: usize,
    element: Element,
}

/// How many blocks share a sequence in a decode step of `sequences`.
pub(super) fn splits(heads: Heads, multiprocessors: u32, longest: usize, sequences: usize) -> u32 {
    let sequences = u32::try_from(sequences).unwrap_or(u32::MAX);
    let blocks = heads.decode_blocks().saturating_mul(sequences).max(1);
    let useful =
        u32::try_from(longest.div_ceil(POSITIONS_PER_BLOCK)).unwrap_or(u32::MAX).clamp(1, MAX_SPLITS);
    (BLOCKS_PER_MULTIPROCESSOR * multiprocessors / blocks).clamp(1, useful)
}

impl Sizes {
    pub(super) fn new(
        config: &Config,
        options: &Options,
        (element, heads): (Element, Heads),
        multiprocessors: u32,
        widened: u64,
    ) -> Self {
        let batch = options.max_batch.clamp(1, MAX_ROWS);
        let chunk = options.chunk.clamp(1, MAX_ROWS);
        let longest = config.max_position_embeddings.min(options.cache_tokens.max(1));
        let parts = |n| Kernels::parts_len(n, splits(heads, multiprocessors, longest, n), heads);
        Self {
            rows: chunk.max(batch),
            batch,
            chunk,
            hidden: config.hidden_size,
            query: config.query_size(),
            qkv: heads.qkv() as usize,
            inner: config.intermediate_size,
            vocabulary: config.vocab_size,
            parts: (1..=batch).map(parts).max().unwrap_or(0),
            tables: rows(options.cache_tokens) * pages_per_row(config, options.cache_tokens),
            widened: usize::try_from(widened).unwrap_or(usize::MAX),
            element,
        }
    }

    /// Bytes of all buffers, and of the cache's tables.
    pub(super) fn bytes(&self) -> u64 {
        let wide = 3 * self.rows + self.rows * self.hidden + self.batch * (self.vocabulary + 1) + 1;
        let per_row = 2 * self.hidden + self.qkv + self.query + 3 * self.inner;
        (4 * (wide + self.parts + self.tables) + self.element.bytes() * self.rows * per_row) as u64
            + self.widened as u64
    }
}

pub(super) struct Work {
    /// Ids, positions and rows of the tables, one after the other.
    pub(super) inputs: Buffer<i32>,
    /// The sum through all layers, f32.
    pub(super) residual: Buffer<f32>,
    pub(super) normed: Buffer<u8>,
    pub(super) qkv: Buffer<u8>,
    pub(super) attended: Buffer<u8>,
    pub(super) parts: Buffer<f32>,
    /// What a block of a layer adds to the residual.
    pub(super) delta: Buffer<u8>,
    pub(super) gate_up: Buffer<u8>,
    pub(super) gated: Buffer<u8>,
    pub(super) widened: Buffer<u8>,
    pub(super) logits: Buffer<f32>,
    pub(super) best: Buffer<u32>,
    /// Bits that the kernels set.
    pub(super) error: Buffer<u32>,
    pub(super) host_inputs: Staging<i32>,
    pub(super) host_logits: Staging<f32>,
    pub(super) host_words: Staging<u32>,
}

impl Work {
    pub(super) fn new(cuda: &Cuda, sizes: &Sizes) -> Result<Self, Error> {
        let stream = cuda.stream();
        let narrow = |width: usize| stream.allocate::<u8>(sizes.rows * width * sizes.element.bytes());
        Ok(Self {
            inputs: stream.allocate(3 * sizes.rows)?,
            residual: stream.allocate(sizes.rows * sizes.hidden)?,
            normed: narrow(sizes.hidden)?,
            qkv: narrow(sizes.qkv)?,
            attended: narrow(sizes.query)?,
            parts: stream.allocate(sizes.parts)?,
            delta: narrow(sizes.hidden)?,
            gate_up: narrow(2 * sizes.inner)?,
            gated: narrow(sizes.inner)?,
            widened: stream.allocate(sizes.widened)?,
            logits: stream.allocate(sizes.batch * sizes.vocabulary)?,
            best: stream.allocate(sizes.batch)?,
            error: stream.zeros(1)?,
            host_inputs: cuda.staging(3 * sizes.rows)?,
            host_logits: cuda.staging(sizes.batch * sizes.vocabulary)?,
            host_words: cuda.staging(sizes.batch + 1)?,
        })
    }
}
