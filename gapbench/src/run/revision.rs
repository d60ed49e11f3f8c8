//! Which revision of the benchmarked repository this is.

use std::path::Path;
use std::process::{Command, Stdio};

/// The commit of `folder`'s repository, with `+` when tracked files differ from it; absent outside a repository or
/// without `git`.
pub fn revision(folder: &Path) -> Option<String> {
    let git = |arguments: &[&str]| {
        let output =
            Command::new("git").args(arguments).current_dir(folder).stderr(Stdio::null()).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let commit = git(&["rev-parse", "--short=12", "HEAD"]).filter(|commit| !commit.is_empty())?;
    let changed =
        git(&["status", "--porcelain", "--untracked-files=no"]).is_some_and(|status| !status.is_empty());
    Some(if changed { commit + "+" } else { commit })
}
