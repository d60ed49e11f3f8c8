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
fn simulated() -> PathBuf {
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
