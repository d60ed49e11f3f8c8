//! Which engine answers: what was asked for, or the best that is there, with the reason in one line. Knows neither text nor
//! sampling.

#![allow(clippy::print_stderr, reason = "the choice is never silent")]

use std::path::Path;

use llama::{Config, CpuEngine, Engine, Error, Weights};

/// What can be asked for.
pub(crate) const NAMES: [&str; 3] = ["auto", "cpu", "cuda"];

/// An engine with room for so many tokens of at most `clients` sequences at once.
///
/// # Errors
///
/// Those of loading the engine that was asked for. What was not asked for is passed over only where there is no device,
/// or the model is none for it.
pub(crate) fn load(
    name: &str,
    config: Config,
    folder: &Path,
    tokens: usize,
    clients: usize,
) -> Result<Box<dyn Engine>, Error> {
    let weights = Weights::open(folder)?;
    let why = match name {
        "cpu" => "as asked".to_owned(),
        "cuda" => match device::load(config, &weights, tokens, clients, true)? {
            Loaded::Engine(engine) => return Ok(engine),
            Loaded::Not(reason) => return Err(Error::Device(format!("no engine on CUDA: {reason}"))),
        },
        _ => match device::load(config.clone(), &weights, tokens, clients, false)? {
            Loaded::Engine(engine) => return Ok(engine),
            Loaded::Not(reason) => return on_cpu(config, &weights, tokens, &reason),
        },
    };
    on_cpu(config, &weights, tokens, &why)
}

/// An engine on CUDA, or why there is none.
enum Loaded {
    #[cfg_attr(not(feature = "cuda"), allow(dead_code, reason = "there is no such engine then"))]
    Engine(Box<dyn Engine>),
    Not(String),
}

fn on_cpu(config: Config, weights: &Weights, tokens: usize, why: &str) -> Result<Box<dyn Engine>, Error> {
    eprintln!("llama: engine cpu: {why}");
    Ok(Box::new(CpuEngine::load(config, weights, tokens)?))
}

#[cfg(feature = "cuda")]
mod device {
    use super::{Loaded, eprintln_engine};
    use gapbench_cuda::Cuda;
    use llama::cuda::{CudaEngine, Options};
    use llama::{Config, Error, Weights};

    /// An engine on the first device. One that is only simulated has to be asked for.
    pub(super) fn load(
        config: Config,
        weights: &Weights,
        tokens: usize,
        clients: usize,
        asked: bool,
    ) -> Result<Loaded, Error> {
        let device = match Cuda::find() {
            Ok(device) => device,
            Err(absent) => return Ok(Loaded::Not(absent.to_string())),
        };
        let name = &device.facts().name;
        if device.facts().simulated && !asked {
            return Ok(Loaded::Not(format!("{name} computes slowly; ask for it by --engine cuda")));
        }
        let options = Options { max_batch: clients, ..Options::new(tokens) };
        if !asked && let Err(error) = CudaEngine::plan(&device, &config, weights, &options) {
            return Ok(Loaded::Not(error.to_string()));
        }
        match CudaEngine::load(&device, config, weights, &options) {
            Ok(engine) => {
                let why = if asked { "as asked" } else { "there is a device, and the model fits" };
                eprintln_engine(&format!("{why}: {name}, computing in {}", engine.element().suffix()));
                Ok(Loaded::Engine(Box::new(engine)))
            }
            // One line: the arithmetic is that of `llama plan`.
            Err(Error::Memory { place, available, .. }) if !asked => Ok(Loaded::Not(format!(
                "the model does not fit into {available} B of {place}; see llama plan"
            ))),
            Err(error) => Err(error),
        }
    }
}

#[cfg(feature = "cuda")]
fn eprintln_engine(why: &str) {
    eprintln!("llama: engine cuda: {why}");
}

#[cfg(not(feature = "cuda"))]
mod device {
    use super::Loaded;
    use llama::{Config, Error, Weights};

    pub(super) fn load(_: Config, _: &Weights, _: usize, _: usize, _: bool) -> Result<Loaded, Error> {
        Ok(Loaded::Not("this program was built without the feature `cuda`".into()))
    }
}
