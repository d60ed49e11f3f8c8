//! What a process of a level of cold is not to find: taken away before it is started.
//!
//! Knows nothing of what the process does.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::plan::JIT_CACHE_VARIABLE;
use crate::record::ColdLevel;

/// The surroundings of one child.
#[derive(Debug, Default)]
pub(super) struct Coldness {
    /// Names and values of environment variables.
    pub(super) variables: Vec<(&'static str, OsString)>,
    /// Empty caches, removed when the child has ended.
    _caches: Option<TempDir>,
}

impl Coldness {
    /// Makes the surroundings of a child that follows a start of this level, or of one that follows none. `files` are the
    /// model's; caches are made in `folder`.
    pub(super) fn make(
        level: Option<ColdLevel>,
        files: &[PathBuf],
        folder: &Path,
    ) -> Result<Coldness, String> {
        match level {
            None | Some(ColdLevel::Process) => Ok(Coldness::default()),
            Some(ColdLevel::Jit) => without_compiled_code(folder),
            Some(ColdLevel::Disk) => {
                drop_files(files)?;
                without_compiled_code(folder)
            }
        }
    }
}

/// Empty folders where compiled device code is looked for: the driver's own cache, which is also turned off, that of what
/// NVRTC made, and one for what the author names.
///
/// # Source
/// CUDA C++ Programming Guide, "CUDA environment variables": `CUDA_CACHE_DISABLE`, `CUDA_CACHE_PATH`.
fn without_compiled_code(folder: &Path) -> Result<Coldness, String> {
    let made = || -> io::Result<_> {
        let caches = tempfile::Builder::new().prefix("caches-").tempdir_in(folder)?;
        let absolute = std::path::absolute(caches.path())?;
        let folders = ["driver", "nvrtc", "authors"].map(|name| absolute.join(name));
        folders.iter().try_for_each(std::fs::create_dir)?;
        Ok((caches, folders))
    };
    let (caches, [driver, nvrtc, authors]) =
        made().map_err(|error| format!("failed to make empty caches in {}: {error}", folder.display()))?;
    Ok(Coldness {
        variables: vec![
            ("CUDA_CACHE_DISABLE", "1".into()),
            ("CUDA_CACHE_PATH", driver.into()),
            ("GAPBENCH_NVRTC_CACHE", nvrtc.into()),
            (JIT_CACHE_VARIABLE, authors.into()),
        ],
        _caches: Some(caches),
    })
}

#[cfg(all(feature = "service", target_os = "linux"))]
fn drop_files(files: &[PathBuf]) -> Result<(), String> {
    super::page_cache::drop_files(files)
}

#[cfg(not(all(feature = "service", target_os = "linux")))]
fn drop_files(_: &[PathBuf]) -> Result<(), String> {
    Err("files are taken out of the page cache on Linux, with gapbench's feature `service`".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caches_are_empty_and_go_with_their_child() {
        let root = tempfile::tempdir().unwrap();
        let of = |level| Coldness::make(level, &[], root.path());
        for level in [None, Some(ColdLevel::Process)] {
            assert_eq!(of(level).unwrap().variables, []);
        }
        let made = of(Some(ColdLevel::Jit)).unwrap();
        let [(_, disable), (path, driver), (_, nvrtc), (_, authors)] = &made.variables[..] else {
            panic!("{made:?}")
        };
        assert_eq!((disable.to_str(), *path), (Some("1"), "CUDA_CACHE_PATH"));
        for folder in [driver, nvrtc, authors] {
            assert!(Path::new(folder).is_absolute());
            assert_eq!(std::fs::read_dir(folder).unwrap().count(), 0);
        }
        drop(made);
        assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 0);
        assert!(of(Some(ColdLevel::Disk)).is_err(), "no file is known");
    }
}
