//! Files that are either the old ones or the new ones, never halves.

use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A file that could not be written. What stood at its path before still stands there.
#[derive(Debug)]
pub struct WriteError {
    /// The file.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

impl fmt::Display for WriteError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let WriteError { path, source } = self;
        write!(
            formatter,
            "write {}: {source}; check that its folder is writable and has space",
            path.display()
        )
    }
}

impl std::error::Error for WriteError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// Writes `bytes` to `path` in one step: a reader sees the old content or all of the new, also after a power failure.
/// Creates missing folders. The file is readable by everyone (0644, less what the umask forbids).
///
/// # Errors
/// [`WriteError`] where a folder or the file cannot be written; the old content is then untouched.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    write(path, bytes).map_err(|source| WriteError { path: path.to_owned(), source })
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // A rename is only atomic within one file system, so the temporary file stands in the same folder.
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    fs::create_dir_all(folder)?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".gapbench-").suffix(".tmp");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // Temporary files are private by default; a report is for everybody, such as a later step of a CI job.
        builder.permissions(fs::Permissions::from_mode(0o644));
    }
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_data()?;
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn replaces_the_whole_file_and_leaves_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b/report.json");
        write_atomically(&path, b"a long first version").unwrap();
        write_atomically(&path, b"short").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"short");
        assert_eq!(names(path.parent().unwrap()), ["report.json"]);
    }

    #[cfg(unix)]
    #[test]
    fn everyone_can_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.json");
        write_atomically(&path, b"{}").unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o700, 0o600, "{mode:o}");
        // What the umask of the test run leaves of 0644; no execute bits, not writable by others.
        assert_eq!(mode & 0o133, 0, "{mode:o}");
    }

    #[test]
    fn a_folder_that_cannot_be_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "old").unwrap();
        let below = file.join("report.json");
        let said = write_atomically(&below, b"{}").unwrap_err().to_string();
        assert!(said.starts_with(&format!("write {}: ", below.display())), "{said}");
        assert!(said.ends_with("; check that its folder is writable and has space"), "{said}");
        assert_eq!(fs::read(&file).unwrap(), b"old");
    }

    #[test]
    fn a_folder_in_the_place_of_the_file_stays_and_no_temporary_file_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.json");
        fs::create_dir_all(path.join("inner")).unwrap();
        assert!(write_atomically(&path, b"{}").is_err());
        assert_eq!(names(folder.path()), ["report.json"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_read_only_folder_is_named() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o555)).unwrap();
        if fs::write(folder.path().join("probe"), "").is_ok() {
            return; // The superuser cannot be denied.
        }
        let said = write_atomically(&folder.path().join("report.json"), b"{}").unwrap_err().to_string();
        assert!(said.contains("report.json: "), "{said}");
    }
}
