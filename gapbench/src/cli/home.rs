//! Where results live.

use std::env;
use std::path::{Path, PathBuf};

/// `$GAPBENCH_HOME`, else `gapbench` in cargo's target folder: `$CARGO_TARGET_DIR`, or the folder above `start` (this
/// program, or the current folder) that carries cargo's `CACHEDIR.TAG`, or `target` above the current folder.
pub fn results_folder() -> PathBuf {
    if let Some(home) = env::var_os("GAPBENCH_HOME").filter(|home| !home.is_empty()) {
        return PathBuf::from(home);
    }
    target_folder().join("gapbench")
}

/// cargo's target folder.
pub(super) fn target_folder() -> PathBuf {
    if let Some(target) = env::var_os("CARGO_TARGET_DIR").filter(|target| !target.is_empty()) {
        return PathBuf::from(target);
    }
    let tagged = |start: &Path| {
        start.ancestors().find(|folder| folder.join("CACHEDIR.TAG").is_file()).map(Path::to_owned)
    };
    let beside =
        |start: &Path| start.ancestors().map(|folder| folder.join("target")).find(|target| target.is_dir());
    let program = env::current_exe().ok();
    let current = env::current_dir().ok();
    program
        .as_deref()
        .and_then(tagged)
        .or_else(|| current.as_deref().and_then(beside))
        .unwrap_or_else(|| PathBuf::from("target"))
}
