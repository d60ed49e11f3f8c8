//! Runs each test of the CUDA engine in a process of its own on a simulated device, and makes and compares numbers.
#![allow(dead_code, reason = "each test file uses what it needs")]
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says what it skipped"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use gapbench_cuda::{Buffer, Cuda};
use half::{bf16, f16};
use llama::cuda::kernels::Element;
use llama::cuda::{CudaEngine, Options};
use llama::presets::{self, Preset};
use llama::{Config, Dtype, Weights};

/// Names the scenario that a child process is to run.
const SCENARIO: &str = "LLAMA_CUDA_SCENARIO";

/// All element types.
pub(crate) const ELEMENTS: [Element; 3] = [Element::F32, Element::F16, Element::Bf16];

/// Runs `body` in a child process that finds the simulated libraries, under a script of the simulator: a driver's state
/// belongs to the process, and a process takes its libraries from where it is told when it starts.
pub(crate) fn scenario(name: &str, script: &str, body: fn()) {
    if std::env::var_os(SCENARIO).is_some_and(|scenario| scenario == name) {
        return body();
    }
    let folder = simulated();
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args([name, "--exact", "--nocapture", "--test-threads=1"]).env(SCENARIO, name);
    child.env("GAPBENCH_CUDA_PATH", &folder).env("LD_LIBRARY_PATH", &folder).env("CUDA_SIMULATOR", script);
    let Output { status, stdout, stderr } = child.output().unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "{name}: {status}\n{text}");
    assert!(text.contains("1 passed"), "{name}: no such test\n{text}");
    for line in text.lines().filter(|line| line.contains("skipped:") || line.contains("measured ")) {
        println!("{line}");
    }
}

/// The folder of the simulated libraries.
pub(crate) fn simulated() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("simulated-cuda");
    let program = std::env::current_exe().unwrap();
    cuda_simulator::install(&folder, program.parent().and_then(Path::parent).unwrap()).unwrap();
    folder
}

/// Numbers in [-1, 1), the same everywhere for the same seed: SplitMix64.
pub(crate) fn uniform(seed: u64, count: usize) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    (0..count).map(|_| (next() >> 40) as f32 / (1u32 << 23) as f32 - 1.0).collect()
}

/// The numbers as the element type holds them, and as bytes.
pub(crate) fn rounded(element: Element, values: &[f32]) -> (Vec<f64>, Vec<u8>) {
    let (mut kept, mut bytes) = (Vec::new(), Vec::new());
    for value in values {
        match element {
            Element::F32 => {
                kept.push(f64::from(*value));
                bytes.extend(value.to_le_bytes());
            }
            Element::F16 => {
                let value = f16::from_f32(*value);
                kept.push(value.to_f64());
                bytes.extend(value.to_le_bytes());
            }
            Element::Bf16 => {
                let value = bf16::from_f32(*value);
                kept.push(value.to_f64());
                bytes.extend(value.to_le_bytes());
            }
        }
    }
    (kept, bytes)
}

/// Numbers in the device's memory, and what they are after rounding.
pub(crate) fn on_device(cuda: &Cuda, element: Element, values: &[f32]) -> (Vec<f64>, Buffer<u8>) {
    let (kept, bytes) = rounded(element, values);
    (kept, cuda.upload(&bytes).unwrap())
}

/// What the device's memory holds.
pub(crate) fn read(cuda: &Cuda, element: Element, buffer: &Buffer<u8>) -> Vec<f64> {
    let bytes = cuda.download(buffer).unwrap();
    match element {
        Element::F32 => bytes.as_chunks().0.iter().map(|b| f64::from(f32::from_le_bytes(*b))).collect(),
        Element::F16 => bytes.as_chunks().0.iter().map(|b| f16::from_le_bytes(*b).to_f64()).collect(),
        Element::Bf16 => bytes.as_chunks().0.iter().map(|b| bf16::from_le_bytes(*b).to_f64()).collect(),
    }
}

/// Unit roundoff.
pub(crate) fn roundoff(element: Element) -> f64 {
    match element {
        Element::F32 => 2f64.powi(-24),
        Element::F16 => 2f64.powi(-11),
        Element::Bf16 => 2f64.powi(-8),
    }
}

/// The largest error as a share of `absolute` + `relative` times what is right.
pub(crate) fn worst(got: &[f64], want: &[f64], absolute: f64, relative: f64) -> f64 {
    assert_eq!(got.len(), want.len());
    let share = |(got, want): (&f64, &f64)| {
        let share = (got - want).abs() / (absolute + relative * want.abs());
        if got == want {
            0.0
        } else if share.is_nan() {
            f64::INFINITY
        } else {
            share
        }
    };
    got.iter().zip(want).map(share).fold(0.0, f64::max)
}

/// The largest distance.
pub(crate) fn distance(got: &[f64], want: &[f64]) -> f64 {
    worst(got, want, 1.0, 0.0)
}

/// A model of this test's own that takes a simulated device milliseconds: 96 ids, a context of 128 tokens.
pub(crate) fn small(test: &str, matrices: Dtype) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let tiny = presets::preset("tiny").unwrap();
    let config = Config {
        hidden_size: 48,
        intermediate_size: 36,
        num_hidden_layers: 2,
        num_attention_heads: 6,
        num_key_value_heads: 2,
        head_dim: 8,
        vocab_size: 96,
        max_position_embeddings: 128,
        ..tiny.config.clone()
    };
    presets::write(&folder, &Preset { config, matrices }, 1).unwrap();
    folder
}

/// An engine with small buffers, so that prompts and weights go in several parts.
pub(crate) fn options(cache_tokens: usize) -> Options {
    Options { chunk: 40, max_batch: 16, staging_bytes: 5_000, ..Options::new(cache_tokens) }
}

/// The engine on the simulated device.
pub(crate) fn cuda_engine(folder: &Path, options: &Options) -> CudaEngine {
    let (config, weights) = (Config::load(folder).unwrap(), Weights::open(folder).unwrap());
    CudaEngine::load(&Cuda::find().unwrap(), config, &weights, options).unwrap()
}

/// The largest distance of two logits; infinite where one is NaN.
pub(crate) fn apart(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    let distance = |(a, b): (&f32, &f32)| if (a - b).is_nan() { f32::INFINITY } else { (a - b).abs() };
    a.iter().zip(b).map(distance).fold(0.0, f32::max)
}

/// The first of the largest logits, and how large it is.
pub(crate) fn largest(logits: &[f32]) -> (u32, f32) {
    let larger = |best: (u32, f32), (index, logit): (usize, &f32)| {
        if *logit > best.1 { (index as u32, *logit) } else { best }
    };
    logits.iter().enumerate().fold((u32::MAX, f32::NEG_INFINITY), larger)
}
