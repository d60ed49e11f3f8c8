//! A folder in which programs find the simulated libraries under the names they look for.

use std::io;
use std::path::{Path, PathBuf};

/// The libraries: the name that a program looks for, and the name that cargo gives the file.
const LIBRARIES: [(&str, &str); 3] = [
    ("libcuda.so.1", "libcuda_simulator.so"),
    ("libcublas.so.13", "libcublas_simulator.so"),
    ("libnvidia-ml.so.1", "libnvml_simulator.so"),
];

/// Makes `folder` hold links to the simulated libraries that cargo has built below `profile_dir`, which is
/// `target/debug` in a usual build: the folder of a test's own file, without its last part `deps`.
///
/// # Errors
/// No such library, because the test's package has no dependency on `cublas-simulator` or `nvml-simulator`; or the
/// folder cannot be written.
pub fn install(folder: &Path, profile_dir: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    for (name, file) in LIBRARIES {
        let library = find(profile_dir, file)?;
        // Under another name first: tests that share the folder always find a whole link.
        let link = folder.join(format!("{name}.{:?}-{}", std::thread::current().id(), std::process::id()));
        std::os::unix::fs::symlink(library, &link)?;
        std::fs::rename(link, folder.join(name))?;
    }
    Ok(())
}

/// Cargo puts the libraries of dependencies into `deps`, and those of the package itself one level higher too.
fn find(profile_dir: &Path, file: &str) -> io::Result<PathBuf> {
    let places = [profile_dir.join("deps").join(file), profile_dir.join(file)];
    let found = places.iter().find(|place| place.is_file());
    found.map(std::path::absolute).unwrap_or_else(|| {
        let message =
            format!("no {file} in {}: is its package a dependency of the test?", profile_dir.display());
        Err(io::Error::new(io::ErrorKind::NotFound, message))
    })
}
