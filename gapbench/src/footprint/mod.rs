//! What a model takes in memory, counted from its files before anything is loaded.
//!
//! A Hugging Face folder says it all: the headers of its safetensors files hold every tensor's shape and number format,
//! and `config.json` holds what a token leaves in the cache. [`Plan`] multiplies these out for a number of clients and a
//! length, [`Plan::largest_clients`] and [`Plan::largest_length`] turn it around for a memory of a given size, and
//! [`check()`] holds the size that a model's page states against the files and against what was measured.
//!
//! Knows nothing of devices, of what is measured, or of the weights themselves: only headers are read.
//!
//! ```no_run
//! use gapbench::footprint::{Demand, ModelShape, Plan, Weights};
//!
//! let weights = Weights::open("model".as_ref())?;
//! let shape = ModelShape::open("model".as_ref())?;
//! let plan = Plan::new(&weights, &shape, &Demand::new(50, 2_048))?;
//! println!("{plan}");
//! println!("{:?}", plan.largest_clients(80 << 30));
//! # Ok::<(), gapbench::footprint::FootprintError>(())
//! ```

mod activations;
mod cache;
mod check;
mod config;
mod error;
mod fit;
mod format;
mod header;
mod keys;
mod lines;
mod plan;
mod size;
mod weights;
mod window;

pub use activations::Activations;
pub use cache::Cache;
pub use check::{Check, CheckKind, Checks, IDLE_RATIO, MEASURED_RATIO, STATED_RATIO, Sizes, check};
pub use config::{CONFIG_FILE, Kind, ModelShape};
pub use error::FootprintError;
pub use fit::{Largest, budget};
pub use format::NumberFormat;
pub use header::{Header, MAX_HEADER_BYTES, Tensor};
pub use lines::Line;
pub use plan::{Demand, FormatSource, MOST_CLIENTS, MOST_TOKENS, Plan};
pub use size::parse_bytes;
pub use weights::{DtypeShare, INDEX_FILE, LargestTensor, WEIGHTS_FILE, Weights, WeightsFile};
