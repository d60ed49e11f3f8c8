//! The kernels of `kernels/`, loaded, and what they are told about sizes. What they compute stands in the head of each
//! source; how they are launched, in `launch.rs`.

use gapbench_cuda::{Cuda, CudaError, Function, Grid};

use crate::{Dtype, cuda::ptx};

/// Positions of a page of the cache: `PAGE` in `cache.cuh`.
pub const PAGE: usize = 16;
/// The largest head that the attention kernels take.
pub const MAX_HEAD_DIM: usize = 128;
/// The most rows of a product by [`Kernels::gemv`].
pub const MAX_GEMV_ROWS: usize = 8;

/// Bit of the error word: a token id that the embedding does not have.
pub const ID_OUT_OF_RANGE: u32 = 1;
/// Bit of the error word: a position that the sequence has no page for.
pub const POSITION_WITHOUT_PAGE: u32 = 2;

/// What weights, activations and cache are stored as. Sums are f32 throughout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Element {
    /// 32 bits.
    F32,
    /// 16 bits, of which 5 are the exponent.
    F16,
    /// The upper half of an f32.
    Bf16,
}

impl Element {
    /// In the names of the kernels.
    pub fn suffix(self) -> &'static str {
        match self {
            Element::F32 => "f32",
            Element::F16 => "f16",
            Element::Bf16 => "bf16",
        }
    }

    /// Of one element.
    pub fn bytes(self) -> usize {
        match self {
            Element::F32 => 4,
            Element::F16 | Element::Bf16 => 2,
        }
    }
}

impl TryFrom<Dtype> for Element {
    type Error = Dtype;

    /// Bytes are no element: they need scales.
    fn try_from(dtype: Dtype) -> Result<Self, Dtype> {
        match dtype {
            Dtype::F32 => Ok(Self::F32),
            Dtype::F16 => Ok(Self::F16),
            Dtype::Bf16 => Ok(Self::Bf16),
            Dtype::I8 => Err(dtype),
        }
    }
}

impl From<Element> for Dtype {
    fn from(element: Element) -> Self {
        match element {
            Element::F32 => Self::F32,
            Element::F16 => Self::F16,
            Element::Bf16 => Self::Bf16,
        }
    }
}

/// The heads of an attention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heads {
    /// Of queries.
    pub query: u32,
    /// Of keys and of values; divides the former.
    pub key: u32,
    /// Elements of each: a multiple of 8, at most [`MAX_HEAD_DIM`].
    pub dim: u32,
}

impl Heads {
    /// Elements of a token's queries, keys and values together.
    pub fn qkv(self) -> u32 {
        (self.query + 2 * self.key) * self.dim
    }

    pub(super) fn scale(self) -> f32 {
        1.0 / (self.dim as f32).sqrt()
    }

    /// Whether a block of the decode kernel takes four heads of one key head.
    pub(super) fn by_four(self) -> bool {
        (self.query / self.key.max(1)).is_multiple_of(4)
    }

    /// Blocks of the decode kernel for one sequence that is not split.
    pub fn decode_blocks(self) -> u32 {
        if self.by_four() { self.query / 4 } else { self.query }
    }
}

/// The cache of one layer and the tables that say whose pages are where.
#[derive(Clone, Copy, Debug)]
pub struct Cache<K, R> {
    /// Keys and values.
    pub keys: K,
    /// As large as the keys.
    pub values: K,
    /// Pages of each sequence, or the one row of the sequence.
    pub tables: R,
    /// Entries of a row.
    pub pages_per_row: u32,
}

/// The kernels of one element type, loaded.
#[derive(Clone, Debug)]
pub struct Kernels {
    element: Element,
    pub(super) argmax: Function,
    pub(super) attention_decode: [Function; 2],
    pub(super) attention_merge: Function,
    /// In 16 bits for heads of at most 64 and of more; in f32 twice the same.
    pub(super) attention_prefill: [Function; 2],
    pub(super) embed: Function,
    pub(super) gemv: [Function; 3],
    pub(super) gemv_i8: [Function; 3],
    pub(super) dequantize: Function,
    pub(super) add_rms_norm: Function,
    pub(super) rope_append: Function,
    pub(super) silu_mul: Function,
}

impl Kernels {
    /// Loads all kernels of the element type.
    ///
    /// # Errors
    /// What [`Cuda::kernel`] says.
    pub fn load(cuda: &Cuda, element: Element) -> Result<Kernels, CudaError> {
        let t = element.suffix();
        let load = |ptx, name: String| cuda.kernel(ptx, &name);
        let gemvs = |ptx, name: &str| -> Result<[Function; 3], CudaError> {
            Ok([
                load(ptx, format!("{name}_{t}_1"))?,
                load(ptx, format!("{name}_{t}_4"))?,
                load(ptx, format!("{name}_{t}_8"))?,
            ])
        };
        Ok(Kernels {
            element,
            argmax: load(ptx::ARGMAX, "argmax".to_owned())?,
            attention_decode: [
                load(ptx::ATTENTION_DECODE, format!("attention_decode_{t}_1"))?,
                load(ptx::ATTENTION_DECODE, format!("attention_decode_{t}_4"))?,
            ],
            attention_merge: load(ptx::ATTENTION_DECODE, format!("attention_merge_{t}"))?,
            attention_prefill: match element {
                Element::F32 => {
                    let kernel = load(ptx::ATTENTION_PREFILL, "attention_prefill_f32".to_owned())?;
                    [kernel.clone(), kernel]
                }
                Element::F16 | Element::Bf16 => [
                    load(ptx::ATTENTION_PREFILL_MMA, format!("attention_prefill_{t}_64"))?,
                    load(ptx::ATTENTION_PREFILL_MMA, format!("attention_prefill_{t}_128"))?,
                ],
            },
            embed: load(ptx::EMBED, format!("embed_{t}"))?,
            gemv: gemvs(ptx::GEMV, "gemv")?,
            gemv_i8: gemvs(ptx::GEMV_I8, "gemv_i8")?,
            dequantize: load(ptx::DEQUANTIZE, format!("dequantize_{t}"))?,
            add_rms_norm: load(ptx::RMS_NORM, format!("add_rms_norm_{t}"))?,
            rope_append: load(ptx::ROPE_APPEND, format!("rope_append_{t}"))?,
            silu_mul: load(ptx::SILU_MUL, format!("silu_mul_{t}"))?,
        })
    }

    /// What the kernels' buffers hold.
    pub fn element(&self) -> Element {
        self.element
    }
}

/// The kernel that turns `count` elements of one type into another; none where they are the same.
///
/// # Errors
/// What [`Cuda::kernel`] says.
pub fn cast(cuda: &Cuda, from: Element, to: Element) -> Result<Option<Function>, CudaError> {
    if from == to {
        return Ok(None);
    }
    cuda.kernel(ptx::CAST, &format!("cast_{}_{}", from.suffix(), to.suffix())).map(Some)
}

/// The kernel that says whether an element is infinite or not a number: it takes the elements, the word that it sets to
/// 1, and how many elements there are.
///
/// # Errors
/// What [`Cuda::kernel`] says.
pub fn finite(cuda: &Cuda, element: Element) -> Result<Function, CudaError> {
    cuda.kernel(ptx::FINITE, &format!("finite_{}", element.suffix()))
}

/// How the kernels of [`cast`] and [`finite`] are launched for as many elements.
pub fn cast_grid(elements: usize) -> Grid {
    Grid::cover(elements.div_ceil(8).min(1 << 20), 256)
}
