//! The engine on an NVIDIA GPU.
//!
//! Weights, cache and intermediate results lie in the device's memory, planned before anything is allocated. A step is a
//! fixed row of kernels: [`kernels`] says which, and each source in `kernels/` what it computes. What changes from step
//! to step (tokens, positions, places in the cache) lies in the device's memory too, so that a decode step of a batch is
//! recorded once as a graph and then launched as a whole.
//!
//! Weights, activations and cache are stored in one type, f32, f16 or bf16; matrices may also be bytes with a scale for
//! each row. Sums, and the sum through the layers, are f32.

mod damage;
mod engine;
mod graphs;
pub mod kernels;
mod launch;
mod load;
mod network;
mod pages;
pub mod ptx;
mod step;
mod work;

use gapbench_cuda::{Buffer, Cuda, CudaError, Graph};

use self::engine::Last;
pub use self::graphs::GraphUse;
use self::graphs::Graphs;
use self::kernels::{Element, Heads, Kernels, MAX_HEAD_DIM, PAGE};
pub use self::load::Loaded;
use self::load::Loader;
use self::network::Network;
use self::pages::Pages;
use self::work::{Sizes, Work};
use crate::{Config, Dtype, Error, Plan, Weights, rope};

/// Memory of the device that the plan leaves to cuBLAS, to the code of the kernels and to graphs.
const RESERVE: u64 = 128 << 20;

impl From<CudaError> for Error {
    fn from(error: CudaError) -> Self {
        let text = error.to_string();
        match error {
            CudaError::OutOfMemory { free, .. } => {
                Self::Memory { place: "the device's memory".into(), available: free, plan: text }
            }
            _ => Self::Device(text),
        }
    }
}

/// Memory that ran out although the plan fitted: somebody else took it meanwhile. The arithmetic is shown all the same.
fn with_plan(error: Error, plan: &Plan) -> Error {
    match error {
        Error::Memory { place, available, plan: what } => {
            Error::Memory { place, available, plan: format!("{plan}\n{what}") }
        }
        other => other,
    }
}

/// What is chosen when an engine is loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Tokens of all sequences together that the cache has room for.
    pub cache_tokens: usize,
    /// Type of weights, activations and cache; that of the weights' files if it is not said.
    pub element: Option<Element>,
    /// Sequences of a decode step. More are decoded in several steps.
    pub max_batch: usize,
    /// Tokens of a prompt that are computed at once.
    pub chunk: usize,
    /// Whether decode steps are recorded and launched as a whole.
    pub graphs: bool,
    /// Bytes of each of the two buffers through which the weights go.
    pub staging_bytes: usize,
}

impl Options {
    /// The usual choices, with a cache for as many tokens.
    #[must_use]
    pub fn new(cache_tokens: usize) -> Self {
        Self {
            cache_tokens,
            element: None,
            max_batch: 64,
            chunk: 2048,
            graphs: true,
            staging_bytes: 32 << 20,
        }
    }
}

/// A decoder on a GPU.
pub struct CudaEngine {
    config: Config,
    device: Cuda,
    kernels: Kernels,
    heads: Heads,
    /// Turns per position of each pair of a head.
    frequencies: Buffer<f64>,
    network: Network,
    pages: Pages,
    work: Work,
    graphs: Graphs,
    max_batch: usize,
    chunk: usize,
    /// What was computed last, for who wants to see it again.
    last: Option<Last>,
    /// The same as a graph, once it was asked for again.
    repeated: Option<Graph>,
    loaded: Loaded,
}

/// Sizes that every part of the engine needs.
struct Shape {
    element: Element,
    heads: Heads,
    sizes: Sizes,
    plan: Plan,
}

fn shape(device: &Cuda, config: &Config, weights: &Weights, options: &Options) -> Result<Shape, Error> {
    let dim = config.head_dim;
    if !dim.is_multiple_of(8) || dim > MAX_HEAD_DIM {
        let what = format!(
            "the attention kernels take heads of a multiple of 8, at most {MAX_HEAD_DIM}, and not of {dim}"
        );
        return Err(Error::Device(what));
    }
    let element = match options.element {
        Some(element) => element,
        None => network::stored_element(config, weights)?,
    };
    let number = |size: usize| {
        u32::try_from(size).map_err(|_| Error::Device(format!("the kernels take no size of {size}")))
    };
    let heads = Heads {
        query: number(config.num_attention_heads)?,
        key: number(config.num_key_value_heads)?,
        dim: number(dim)?,
    };
    for size in
        [config.hidden_size, config.intermediate_size, config.vocab_size, config.max_position_embeddings]
    {
        number(size)?;
    }
    let (held, widened) = network::planned_bytes(config, weights, element)?;
    let sizes =
        Sizes::new(config, options, (element, heads), device.facts().multiprocessors.unsigned_abs(), widened);
    let tokens = options.cache_tokens.next_multiple_of(PAGE);
    let plan = Plan::new(config, held, Dtype::from(element), tokens, sizes.bytes());
    Ok(Shape { element, heads, sizes, plan })
}

impl CudaEngine {
    /// Loads the weights and allocates the cache and all intermediate results.
    ///
    /// # Errors
    ///
    /// Those of [`Weights::check`]; [`Error::Memory`], with the arithmetic, where the plan does not fit into what the
    /// device has free, or memory runs out meanwhile; [`Error::Device`] for what the driver refuses, and for heads of a size that the kernels do not
    /// take.
    pub fn load(device: &Cuda, config: Config, weights: &Weights, options: &Options) -> Result<Self, Error> {
        weights.check(&config)?;
        let Shape { element, heads, sizes, plan } = shape(device, &config, weights, options)?;
        let memory = device.memory();
        // What the pool has reserved and nobody uses is free for us too.
        let unused = memory.reserved_bytes()?.saturating_sub(memory.used_bytes()?);
        let available = (memory.free_bytes()? + unused).saturating_sub(RESERVE);
        if !plan.fits(available) {
            let place = format!("{} (free, less {RESERVE} B for libraries)", device.facts().name);
            return Err(Error::Memory { place, available, plan: plan.to_string() });
        }
        Self::allocate(device, config, weights, options, (element, heads, &sizes))
            .map_err(|error| with_plan(error, &plan))
    }

    fn allocate(
        device: &Cuda,
        config: Config,
        weights: &Weights,
        options: &Options,
        (element, heads, sizes): (Element, Heads, &Sizes),
    ) -> Result<Self, Error> {
        let begin = device.stream().record()?;
        let kernels = Kernels::load(device, element)?;
        let end = device.stream().record()?;
        let mut loader = Loader::new(device, &kernels, weights, options.staging_bytes)?;
        let network = Network::load(&config, &mut loader)?;
        let loaded = Loaded { kernels_s: begin.elapsed(&end)?, ..loader.finish()? };
        let turns: Vec<f64> =
            rope::frequencies(&config).iter().map(|radians| radians / std::f64::consts::TAU).collect();
        let engine = Self {
            frequencies: device.upload(&turns)?,
            pages: Pages::new(device, &config, options.cache_tokens, element.bytes())?,
            work: Work::new(device, sizes)?,
            graphs: Graphs::new(options.graphs),
            max_batch: sizes.batch,
            chunk: sizes.chunk,
            last: None,
            repeated: None,
            device: device.clone(),
            config,
            kernels,
            heads,
            network,
            loaded,
        };
        device.synchronize()?;
        Ok(engine)
    }

    /// What [`CudaEngine::load`] will allocate.
    ///
    /// # Errors
    ///
    /// As [`CudaEngine::load`], for weights and sizes that are not computed here.
    pub fn plan(device: &Cuda, config: &Config, weights: &Weights, options: &Options) -> Result<Plan, Error> {
        Ok(shape(device, config, weights, options)?.plan)
    }

    /// How the time of loading was spent.
    #[must_use]
    pub fn loaded(&self) -> Loaded {
        self.loaded
    }

    /// Whether decode steps are launched as graphs, and if not, why.
    #[must_use]
    pub fn graph_use(&self) -> GraphUse {
        self.graphs.used()
    }

    /// Type of weights, activations and cache.
    #[must_use]
    pub fn element(&self) -> Element {
        self.kernels.element()
    }
}
