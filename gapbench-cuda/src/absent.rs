//! Why there is no CUDA device.

use std::error::Error;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use gapbench::Skip;

/// The driver's library: its soname, which every driver installs.
const DRIVER: &str = "libcuda.so.1";

/// Where Linux distributions, containers and WSL put the driver, besides the loader's own variable.
const USUAL_FOLDERS: &[&str] = &[
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib64",
    "/usr/lib",
    "/usr/local/nvidia/lib64",
    "/usr/lib/wsl/lib",
    "/run/opengl-driver/lib",
];

/// The reason, for programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// No driver library in any of these folders.
    NoDriver {
        /// Where it was looked for, in order.
        searched: Vec<PathBuf>,
    },
    /// A driver is there, and this version of gapbench-cuda cannot drive it.
    NotDriven {
        /// The driver's library.
        library: PathBuf,
    },
}

/// There is no CUDA device that this version could use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absent {
    /// The reason.
    pub reason: Reason,
    skip: Skip,
}

impl Absent {
    /// Looks in the folders of the loader's variable first, as the loader does.
    pub(crate) fn look(loader_path: Option<OsString>) -> Absent {
        let named: Vec<PathBuf> = loader_path
            .iter()
            .flat_map(std::env::split_paths)
            .filter(|folder| folder.is_absolute())
            .collect();
        let folders: Vec<PathBuf> =
            named.iter().cloned().chain(USUAL_FOLDERS.iter().map(PathBuf::from)).collect();
        let found = folders.iter().map(|folder| folder.join(DRIVER)).find(|library| library.exists());
        let (reason, text) = match found {
            Some(library) => {
                let text = format!(
                    "a CUDA driver is installed ({}), but this version of gapbench-cuda cannot drive it yet",
                    library.display()
                );
                (Reason::NotDriven { library }, text)
            }
            None => {
                // Cargo fills the variable with folders of its own; a reader needs their number, not their names.
                let named = if named.is_empty() {
                    String::new()
                } else {
                    format!("the {} folders of LD_LIBRARY_PATH, ", named.len())
                };
                let usual = USUAL_FOLDERS.join(", ");
                let text = format!("no CUDA driver found (no {DRIVER} in {named}{usual})");
                (Reason::NoDriver { searched: folders }, text)
            }
        };
        Absent { reason, skip: Skip::absent("cuda", text) }
    }
}

impl fmt::Display for Absent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.skip.fmt(formatter)
    }
}

impl Error for Absent {
    /// The [`Skip`] by which gapbench recognises that the case is to be skipped, not failed.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.skip)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_where_it_looked() {
        let absent = Absent::look(Some("/nowhere/a:relative:/nowhere/b".into()));
        // A machine with a driver is told apart below.
        let Reason::NoDriver { searched } = &absent.reason else { return };
        assert_eq!(searched[..2], [PathBuf::from("/nowhere/a"), PathBuf::from("/nowhere/b")]);
        assert!(absent.to_string().starts_with(
            "no CUDA driver found (no libcuda.so.1 in the 2 folders of LD_LIBRARY_PATH, /usr/lib/x86_64-linux-gnu, "
        ));
    }

    #[test]
    fn a_driver_that_it_cannot_drive_is_said_to_be_there() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(DRIVER), b"").unwrap();
        let absent = Absent::look(Some(folder.path().into()));
        assert_eq!(absent.reason, Reason::NotDriven { library: folder.path().join(DRIVER) });
        assert!(absent.to_string().contains("cannot drive it yet"));
    }

    #[test]
    fn gapbench_recognises_a_skip() {
        let error: gapbench::Error = Absent::look(None).into();
        let skip = error.source().and_then(|source| source.downcast_ref::<Skip>()).unwrap();
        assert_eq!(skip.absent_device.as_deref(), Some("cuda"));
    }
}
