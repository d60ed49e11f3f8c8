//! The PTX that ships: what its head says, that it is not older than the sources, and that it can be made again.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};
use std::process::Command;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("kernels")
}

/// Every file of the folder with this ending, by name.
fn files(ending: &str) -> Vec<PathBuf> {
    let entries = folder().read_dir().unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries.filter(|path| path.extension().is_some_and(|e| e == ending)).collect();
    files.sort();
    files
}

/// Which drivers can load it follows from these two lines: from 525 on.
#[test]
fn an_old_driver_can_load_them() {
    for path in files("ptx") {
        let ptx = std::fs::read_to_string(&path).unwrap();
        assert!(ptx.contains("\n.version 8.0\n.target sm_80\n"), "{}", path.display());
    }
}

/// The same sum as `fingerprint` of `build.py`.
#[test]
fn no_ptx_is_older_than_its_sources() {
    let headers: Vec<u8> = files("cuh").iter().flat_map(|path| std::fs::read(path).unwrap()).collect();
    let sources = files("cu");
    assert_eq!(sources.len(), files("ptx").len());
    for source in sources {
        let bytes = std::fs::read(&source).unwrap().into_iter().chain(headers.iter().copied());
        let sum = bytes.fold(0xcbf2_9ce4_8422_2325u64, |sum, byte| {
            (sum ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
        });
        let ptx = std::fs::read_to_string(source.with_extension("ptx")).unwrap();
        let stated = format!("\n// Sources {sum:016x}\n");
        assert!(ptx.contains(&stated), "{} has changed: run kernels/build.py", source.display());
    }
}

/// Compiles the sources again where the compiler of that release is installed.
#[test]
fn compiling_again_gives_the_same_ptx() {
    let Ok(output) = Command::new("python3").arg("build.py").arg("--check").current_dir(folder()).output()
    else {
        println!("skipped: no python3");
        return;
    };
    let errors = String::from_utf8_lossy(&output.stderr);
    match output.status.code() {
        Some(0) => {}
        Some(3) => println!("skipped: {errors}"),
        _ => panic!("{errors}"),
    }
}
