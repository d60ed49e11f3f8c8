//! Where results live.

use std::env;
use std::path::{Path, PathBuf};

/// The results folder of a bench binary: `$GAPBENCH_HOME`, else `gapbench` in cargo's target folder.
pub(super) fn of_bench() -> PathBuf {
    named("GAPBENCH_HOME").unwrap_or_else(|| target_of_bench().join("gapbench"))
}

/// The results folder for a command that is typed somewhere in a workspace: `$GAPBENCH_HOME`, or `gapbench` in
/// `$CARGO_TARGET_DIR`, or the nearest `target/gapbench` with a file of this name from the working folder upwards, since
/// benches run in their package's folder and results belong to the workspace.
pub fn of_working_folder(file: &str) -> PathBuf {
    let local = Path::new("target").join("gapbench");
    named("GAPBENCH_HOME")
        .or_else(|| named("CARGO_TARGET_DIR").map(|target| target.join("gapbench")))
        .or_else(|| {
            let here = env::current_dir().unwrap_or_default();
            here.ancestors().map(|folder| folder.join(&local)).find(|folder| folder.join(file).is_file())
        })
        .unwrap_or(local)
}

/// cargo's target folder as a bench binary finds it: `$CARGO_TARGET_DIR`, the folder above the binary that carries
/// cargo's `CACHEDIR.TAG`, or the nearest `target` above the working folder.
pub(super) fn target_of_bench() -> PathBuf {
    let tagged = |program: PathBuf| {
        program.ancestors().find(|folder| folder.join("CACHEDIR.TAG").is_file()).map(Path::to_owned)
    };
    let nearest =
        |here: PathBuf| here.ancestors().map(|folder| folder.join("target")).find(|target| target.is_dir());
    named("CARGO_TARGET_DIR")
        .or_else(|| env::current_exe().ok().and_then(tagged))
        .or_else(|| env::current_dir().ok().and_then(nearest))
        .unwrap_or_else(|| PathBuf::from("target"))
}

fn named(variable: &str) -> Option<PathBuf> {
    env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from)
}
