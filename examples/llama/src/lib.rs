//! A Llama-architecture decoder, written to be read.
//!
//! Read it in the order a model comes to life:
//!
//! 1. [`config`]: the sizes of the network.
//! 2. [`weights`]: named tensors, mapped from safetensors files; [`layout`] says which a model has.
//! 3. [`plan`]: the memory it will take, counted before it is taken.
//! 4. [`engine`]: what an engine can do; [`check`] is what every engine refuses, and [`cpu`] is the engine to read.
//! 5. [`tokenizer`], [`sample`], [`mod@generate`]: from a text to an answer; [`serve`]: many at once.
//!
//! ```no_run
//! use llama::{Config, CpuEngine, Sampler, Tokenizer, Weights, generate};
//! use std::path::Path;
//!
//! # fn main() -> Result<(), llama::Error> {
//! let folder = Path::new("model");
//! let config = Config::load(folder)?;
//! let tokenizer = Tokenizer::load(folder, &config)?;
//! let mut engine = CpuEngine::load(config, &Weights::open(folder)?, 512)?;
//! let prompt = tokenizer.encode("Once upon a time")?;
//! let answer = generate(&mut engine, &prompt, 100, &mut Sampler::greedy(), |_| ())?;
//! println!("{}", tokenizer.decode(&answer.tokens)?);
//! # Ok(())
//! # }
//! ```
//!
//! [`presets`] writes models of well-known shapes with random weights, to measure what they cost.

pub mod check;
pub mod config;
pub mod cpu;
#[cfg(feature = "cuda")]
pub mod cuda;
pub mod engine;
pub mod error;
pub mod generate;
mod json;
pub mod layout;
mod pack;
pub mod plan;
pub mod presets;
pub mod rope;
pub mod sample;
pub mod serve;
pub mod tokenizer;
pub mod weights;

pub use config::{CONFIG_FILE, Config, RopeScaling};
pub use cpu::CpuEngine;
pub use engine::{Engine, Sequence};
pub use error::Error;
pub use generate::{End, Generation, generate};
pub use plan::Plan;
pub use sample::Sampler;
pub use serve::{Request, answer_all};
pub use tokenizer::{TOKENIZER_FILE, Tokenizer};
pub use weights::{Dtype, Tensor, Weights};
