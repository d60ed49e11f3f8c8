//! A Llama-architecture decoder, written to be read.
//!
//! Read it in the order a model comes to life:
//!
//! 1. [`config`]: the sizes of the network.
//! 2. [`weights`]: named tensors, mapped from safetensors files; [`layout`] says which a model has.
//! 3. [`engine`]: what an engine can do; [`check`] is what every engine refuses.

pub mod check;
pub mod config;
#[cfg(feature = "cuda")]
pub mod cuda;
pub mod engine;
pub mod error;
mod json;
pub mod layout;
pub mod weights;

pub use config::{CONFIG_FILE, Config, RopeScaling};
pub use engine::{Engine, Sequence};
pub use error::Error;
pub use weights::{Dtype, Tensor, Weights};
