//! CUDA kernels of language models, with all that is needed to measure them and to check what they compute.
//!
//! A module per kernel: its PTX and name, the shapes it takes, how to launch it, how many bytes and operations count
//! for it, the same computation in f64, and how far the kernel may be from it. Nothing here needs a GPU.
//!
//! ```
//! use kernels::softmax;
//!
//! let shape = softmax::Shape { rows: 2048, cols: 4096 };
//! assert_eq!(softmax::launch(&shape).grid, [2048, 1, 1]);
//! assert_eq!(softmax::bytes(&shape), 2 * 2048 * 4096 * 4);
//! ```

pub mod attention_decode;
pub mod gemm_tiled;
pub mod inputs;
pub mod rms_norm;
pub mod rope;
pub mod silu_mul;
pub mod softmax;
mod tolerance;
pub mod vector_add;

pub use tolerance::Tolerance;

/// How a kernel is launched. None of the kernels takes dynamic shared memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Launch {
    /// Blocks in x, y, z.
    pub grid: [u32; 3],
    /// Threads per block in x, y, z.
    pub block: [u32; 3],
}

/// Threads for a row of `vectors` 16-byte pieces in one block: whole warps, and at most 512, so that a thread of a
/// longer row has several loads under way and several rows share a multiprocessor.
fn threads_per_row(vectors: u32) -> u32 {
    vectors.div_ceil(32).saturating_mul(32).clamp(32, 512)
}

/// Blocks of 256 threads for `elements` taken `per_thread` at a time. At least one: a grid of none is an error.
fn blocks_over(elements: u64, per_thread: u64) -> u32 {
    let blocks = elements.div_ceil(256 * per_thread).max(1);
    // The limit of a grid in x. The kernels then walk over the rest.
    u32::try_from(blocks).unwrap_or(u32::MAX).min(i32::MAX as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_gets_whole_warps() {
        for (vectors, threads) in
            [(0, 32), (1, 32), (32, 32), (33, 64), (512, 512), (2048, 512), (u32::MAX, 512)]
        {
            assert_eq!(threads_per_row(vectors), threads, "{vectors}");
        }
    }

    #[test]
    fn blocks_cover_without_a_spare_one() {
        for (elements, blocks) in
            [(0, 1), (1, 1), (1024, 1), (1025, 2), (1 << 30, 1 << 20), (u64::MAX, 0x7fff_ffff)]
        {
            assert_eq!(blocks_over(elements, 4), blocks, "{elements}");
        }
    }
}
