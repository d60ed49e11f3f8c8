//! Why there is no CUDA device.

use std::error::Error;
use std::fmt;
use std::path::PathBuf;

use gapbench::Skip;

use crate::status::Status;

/// The reason, for programs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// No driver library in any of these folders.
    NoDriver {
        /// Where it was looked for, in order.
        searched: Vec<PathBuf>,
    },
    /// The library is a stub, which serves the linker only.
    Stub {
        /// The library.
        library: PathBuf,
    },
    /// The driver is older than what gapbench-cuda can drive.
    TooOld {
        /// The driver's library.
        library: PathBuf,
        /// The version of CUDA that it supports, as 11040 for 11.4.
        version: i32,
        /// The oldest that will do.
        least: i32,
    },
    /// The driver has no device for this process.
    NoDevice {
        /// The driver's library.
        library: PathBuf,
        /// What the driver answered; success where it counted no device.
        code: Status,
    },
    /// A driver is there and does not work.
    Unusable {
        /// The driver's library.
        library: PathBuf,
        /// What is wrong with it.
        what: String,
    },
}

/// There is no CUDA device that could be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absent {
    /// The reason.
    pub reason: Reason,
    skip: Skip,
}

impl Absent {
    /// `searched` says in words where the driver was looked for.
    pub(crate) fn new(reason: Reason, searched: &str) -> Absent {
        let text = match &reason {
            Reason::NoDriver { .. } => format!("no CUDA driver found (no libcuda.so.1 in {searched})"),
            Reason::Stub { library } => format!(
                "{} is a stub for linking, not a CUDA driver; take its folder out of LD_LIBRARY_PATH",
                library.display()
            ),
            Reason::TooOld { library, version, least } => format!(
                "the CUDA driver is too old: {} supports CUDA {}, and {} is needed; update the driver",
                library.display(),
                version_text(*version),
                version_text(*least)
            ),
            Reason::NoDevice { library, code } => {
                let code = match *code {
                    Status::SUCCESS => "it counts 0 devices".to_owned(),
                    code => code.to_string(),
                };
                let visible = match std::env::var("CUDA_VISIBLE_DEVICES") {
                    Ok(value) => format!("CUDA_VISIBLE_DEVICES is {value:?}"),
                    Err(_) => "CUDA_VISIBLE_DEVICES is not set".to_owned(),
                };
                format!("the CUDA driver {} has no device for us: {code}; {visible}", library.display())
            }
            Reason::Unusable { library, what } => {
                format!("the CUDA driver {} cannot be used: {what}", library.display())
            }
        };
        Absent { reason, skip: Skip::absent("cuda", text) }
    }
}

/// 12080 is CUDA 12.8.
pub(crate) fn version_text(version: i32) -> String {
    format!("{}.{}", version / 1000, version % 1000 / 10)
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
    fn each_reason_says_what_was_found() {
        let library = PathBuf::from("/lib/libcuda.so.1");
        let text = |reason| Absent::new(reason, "/a, /b").to_string();
        let no_driver = text(Reason::NoDriver { searched: Vec::new() });
        assert_eq!(no_driver, "no CUDA driver found (no libcuda.so.1 in /a, /b)");
        let old = text(Reason::TooOld { library: library.clone(), version: 11040, least: 12000 });
        assert!(old.contains("supports CUDA 11.4, and 12.0 is needed"), "{old}");
        let none = text(Reason::NoDevice { library, code: Status::NO_DEVICE });
        assert!(none.contains("CUDA_ERROR_NO_DEVICE (100); CUDA_VISIBLE_DEVICES is"), "{none}");
    }

    #[test]
    fn gapbench_recognises_a_skip() {
        let absent = Absent::new(Reason::NoDriver { searched: Vec::new() }, "");
        let error: gapbench::Error = absent.into();
        let skip = error.source().and_then(|source| source.downcast_ref::<Skip>()).unwrap();
        assert_eq!(skip.absent_device.as_deref(), Some("cuda"));
    }
}
