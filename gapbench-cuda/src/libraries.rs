//! Where NVIDIA's libraries are looked for, and how they are opened: by absolute path and for good, so that whoever asks
//! for them by name later gets the same.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_LAZY, RTLD_LOCAL, RTLD_NOW};

/// The variable that names folders to be searched before all others.
pub(crate) const VARIABLE: &str = "GAPBENCH_CUDA_PATH";

/// Where containers, Linux distributions, WSL and NixOS put the driver.
const SYSTEM: &[&str] = &[
    "/usr/local/nvidia/lib64",
    "/usr/local/nvidia/lib",
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib64",
    "/usr/lib",
    "/usr/lib/wsl/lib",
    "/run/opengl-driver/lib",
];

/// Below a toolkit's folder.
const OF_TOOLKIT: &[&str] = &["lib64", "lib", "targets/x86_64-linux/lib", "targets/sbsa-linux/lib"];

/// The folders, in order. `variable` reads the environment.
pub(crate) fn folders(variable: &dyn Fn(&str) -> Option<OsString>) -> Vec<PathBuf> {
    let listed = |name: &str| {
        let list = variable(name).unwrap_or_default();
        std::env::split_paths(&list).filter(|folder| folder.is_absolute()).collect::<Vec<_>>()
    };
    let mut folders: Vec<PathBuf> = [VARIABLE, "LD_LIBRARY_PATH"].into_iter().flat_map(listed).collect();
    folders.extend(SYSTEM.iter().map(PathBuf::from));
    for toolkit in ["CUDA_HOME", "CUDA_PATH", "CUDA_ROOT"].into_iter().flat_map(listed) {
        folders.extend(OF_TOOLKIT.iter().map(|part| toolkit.join(part)));
    }
    folders.push("/usr/local/cuda/lib64".into());
    for environment in ["VIRTUAL_ENV", "CONDA_PREFIX"].into_iter().flat_map(listed) {
        folders.extend(of_python(&environment));
    }
    // A stub serves the linker only.
    folders.retain(|folder| !folder.components().any(|part| part.as_os_str() == "stubs"));
    let mut seen = std::collections::HashSet::new();
    folders.retain(|folder| seen.insert(folder.clone()));
    folders
}

/// Where NVIDIA's packages for Python put their libraries: `nvidia/cublas/lib`, `nvidia/cu13/lib`.
fn of_python(environment: &Path) -> Vec<PathBuf> {
    let entries = |folder: &Path| {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let mut entries: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        entries.sort();
        entries
    };
    let is_python = |folder: &PathBuf| {
        folder.file_name().and_then(OsStr::to_str).is_some_and(|name| name.starts_with("python"))
    };
    let pythons = entries(&environment.join("lib")).into_iter().filter(is_python);
    let packages = pythons.flat_map(|python| entries(&python.join("site-packages/nvidia")));
    packages.map(|package| package.join("lib")).filter(|folder| folder.is_dir()).collect()
}

/// A folder of the user's own variable that is none: a slip of the pen must not become another driver.
pub(crate) fn wrong_folder(variable: &dyn Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let list = variable(VARIABLE).unwrap_or_default();
    std::env::split_paths(&list)
        .filter(|folder| !folder.as_os_str().is_empty())
        .find(|folder| folder.is_relative() || !folder.is_dir())
}

/// An open library.
pub(crate) struct Opened {
    pub(crate) library: Library,
    pub(crate) path: PathBuf,
}

/// Why a library could not be opened.
pub(crate) enum NotOpened {
    /// In none of the folders, nor known to the system's loader.
    Missing,
    /// It is there and the loader refuses it.
    Refused { path: PathBuf, what: String },
}

/// Opens the first of the names that is found, each in all folders before the next, and last by the system's loader.
pub(crate) fn open(names: &[&str], folders: &[PathBuf]) -> Result<Opened, NotOpened> {
    let mut refused = None;
    for name in names {
        for path in folders.iter().map(|folder| folder.join(name)).filter(|path| path.is_file()) {
            match load(path.as_os_str()) {
                Ok(library) => return Ok(Opened { library, path }),
                Err(error) => {
                    // What the loader says is the error's source.
                    let what = std::error::Error::source(&error)
                        .map_or_else(|| error.to_string(), ToString::to_string);
                    refused.get_or_insert(NotOpened::Refused { path, what });
                }
            }
        }
    }
    // The loader's cache knows folders of `/etc/ld.so.conf` besides.
    for name in names {
        if let Ok(library) = load(OsStr::new(name)) {
            return Ok(Opened { library, path: PathBuf::from(name) });
        }
    }
    Err(refused.unwrap_or(NotOpened::Missing))
}

fn load(name: &OsStr) -> Result<Library, libloading::Error> {
    // SAFETY: the initialisers of NVIDIA's libraries may run at any time and in any thread; a library in a folder that
    // the user named is trusted as one on the loader's path is.
    unsafe { Library::open(Some(name), RTLD_NOW | RTLD_GLOBAL) }
}

/// The library that cudarc opens when it is used first: it asks the system's loader for one name after the other, the
/// plain one first, under which a linker's stub or another version may be on the path.
pub(crate) fn of_cudarc(name: &str) -> Option<(Library, String)> {
    cudarc::get_lib_name_candidates(name).into_iter().find_map(|candidate| {
        // SAFETY: cudarc opens the same library next.
        let library = unsafe { Library::open(Some(candidate.as_str()), RTLD_LAZY | RTLD_LOCAL) }.ok()?;
        Some((library, candidate))
    })
}

/// Keeps a library open until the process ends, so that what was found in it stays valid.
pub(crate) fn keep(library: Library) -> &'static Library {
    Box::leak(Box::new(library))
}

/// The folders in words: those of the variables by number, since a reader knows them and cargo fills them with its own.
pub(crate) fn in_words(searched: &[PathBuf], variable: &dyn Fn(&str) -> Option<OsString>) -> String {
    let listed = |name: &str| {
        let list = variable(name).unwrap_or_default();
        std::env::split_paths(&list).filter(|folder| folder.is_absolute()).collect::<Vec<_>>()
    };
    let (own, loader) = (listed(VARIABLE), listed("LD_LIBRARY_PATH"));
    let mut words = Vec::new();
    for (name, folders) in [(VARIABLE, &own), ("LD_LIBRARY_PATH", &loader)] {
        match folders.len() {
            0 => {}
            1 => words.push(format!("the folder of {name}")),
            count => words.push(format!("the {count} folders of {name}")),
        }
    }
    let others = searched.iter().filter(|folder| !own.contains(folder) && !loader.contains(folder));
    words.extend(others.map(|folder| folder.display().to_string()));
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(name: &str) -> Option<OsString> {
        let value = match name {
            "GAPBENCH_CUDA_PATH" => "/own",
            "LD_LIBRARY_PATH" => "/a:relative::/b/stubs:/b",
            "CUDA_HOME" => "/opt/cuda",
            _ => return None,
        };
        Some(value.into())
    }

    #[test]
    fn the_users_folders_come_first_and_stubs_never() {
        let folders = folders(&environment);
        let expected = ["/own", "/a", "/b", "/usr/local/nvidia/lib64"].map(PathBuf::from);
        assert_eq!(folders[..4], expected);
        assert!(folders.contains(&PathBuf::from("/opt/cuda/lib64")));
        assert_eq!(folders.last().unwrap(), Path::new("/usr/local/cuda/lib64"));
    }

    #[test]
    fn packages_of_python_are_found() {
        let environment = tempfile::tempdir().unwrap();
        let packages = environment.path().join("lib/python3.12/site-packages/nvidia");
        for package in ["cu13/lib", "cublas/lib", "empty"] {
            std::fs::create_dir_all(packages.join(package)).unwrap();
        }
        let found = folders(&|name| (name == "VIRTUAL_ENV").then(|| environment.path().into()));
        let expected = ["cu13/lib", "cublas/lib"].map(|package| packages.join(package));
        assert_eq!(found[found.len() - 2..], expected);
    }

    #[test]
    fn a_file_that_is_no_library_is_named() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("libnothing.so.1"), b"text").unwrap();
        let answer = open(&["libnothing.so.1"], &[folder.path().into()]);
        let Err(NotOpened::Refused { path, what }) = answer else { panic!("opened") };
        assert_eq!(path, folder.path().join("libnothing.so.1"));
        assert!(what.contains("libnothing.so.1"), "{what}");
        assert!(matches!(open(&["libnothing.so.2"], &[folder.path().into()]), Err(NotOpened::Missing)));
    }

    #[test]
    fn the_search_in_words() {
        let words = in_words(&folders(&environment), &environment);
        let start =
            "the folder of GAPBENCH_CUDA_PATH, the 3 folders of LD_LIBRARY_PATH, /usr/local/nvidia/lib64, ";
        assert!(words.starts_with(start), "{words}");
    }
}
