//! Runs every benchmark of `benches/llama/cuda.rs` once on a simulated device, with small shapes, and checks what it
//! computes. Takes the words of libtest: `cargo test --test cuda_benches prefill` runs one.

#[cfg(feature = "cuda")]
#[path = "../benches/llama/cuda.rs"]
mod cuda;
#[cfg(feature = "cuda")]
#[path = "../benches/llama/served.rs"]
mod served;

/// The bench binary's own `main`.
mod bench {
    gapbench::main!();

    pub(super) fn run() -> std::process::ExitCode {
        main()
    }
}

use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// Where a program looks for CUDA's libraries first.
const LIBRARIES: &str = "GAPBENCH_CUDA_PATH";

#[allow(clippy::print_stderr, reason = "there is nowhere else to say it")]
fn main() -> ExitCode {
    // A process takes its libraries from where it is told when it starts, so this one starts once more.
    if std::env::var_os(LIBRARIES).is_some() {
        return bench::run();
    }
    let error = simulated().map_or_else(|error| error, |libraries| again(&libraries));
    eprintln!("the simulated device cannot be used: {error}");
    ExitCode::FAILURE
}

/// The folder with the simulated libraries, below this program's own.
fn simulated() -> io::Result<PathBuf> {
    let program = std::env::current_exe()?;
    let deps = program.parent().ok_or(io::ErrorKind::NotFound)?;
    let profile = deps.parent().ok_or(io::ErrorKind::NotFound)?;
    let folder = deps.join("simulated-cuda");
    cuda_simulator::install(&folder, profile)?;
    Ok(folder)
}

/// Only returns where the program could not be started.
fn again(libraries: &Path) -> io::Error {
    let mut words = std::env::args_os();
    let program = words.next().unwrap_or_default();
    Command::new(program).args(words).env(LIBRARIES, libraries).exec()
}
