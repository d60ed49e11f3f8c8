//! Writing a file so that a reader sees the old or the new one, never half of it.

use std::io::{self, Write};
use std::path::Path;

/// Writes `bytes` to a temporary file in the folder of `path`, then renames it. Creates the folder.
///
/// # Errors
/// Whatever the file system answers; `path` is then untouched.
pub(super) fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    std::fs::create_dir_all(folder)?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".gapbench-");
    // A temporary file is private by default; a report is as readable as the user's umask says.
    #[cfg(unix)]
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    #[cfg(unix)]
    builder.permissions(permissions);
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}
