//! A new input set, written item by item: the old file or all of the new one, never a half. Knows nothing of noise.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use gapbench::input::Input;
use gapbench::record::WriteError;
use tempfile::NamedTempFile;

/// A set that is being written.
#[derive(Debug)]
pub(crate) struct Output {
    path: PathBuf,
    target: Target,
}

#[derive(Debug)]
enum Target {
    /// A file beside the one that it will replace.
    File(BufWriter<NamedTempFile>),
    /// A pipe or a device, which must not be replaced by a file.
    Device(BufWriter<File>),
}

impl Output {
    /// Begins the set at `path`, whose folder has to exist.
    pub(crate) fn create(path: &Path) -> Result<Output, String> {
        let target = begin(path).map_err(|source| failed(path, source))?;
        Ok(Output { path: path.to_owned(), target })
    }

    /// Adds an item.
    pub(crate) fn add(&mut self, item: &Input) -> Result<(), String> {
        let out: &mut dyn Write = match &mut self.target {
            Target::File(file) => file,
            Target::Device(device) => device,
        };
        let line = serde_json::to_writer(&mut *out, item).map_err(io::Error::from);
        line.and_then(|()| out.write_all(b"\n")).map_err(|source| failed(&self.path, source))
    }

    /// Puts the set in place of what stood there.
    pub(crate) fn finish(self) -> Result<PathBuf, String> {
        let Output { path, target } = self;
        let finished = match target {
            Target::File(file) => persist(file, &path),
            Target::Device(mut device) => device.flush(),
        };
        finished.map_err(|source| failed(&path, source))?;
        Ok(path)
    }
}

fn begin(path: &Path) -> io::Result<Target> {
    if fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir()) {
        return Ok(Target::Device(BufWriter::new(File::options().write(true).open(path)?)));
    }
    if path.is_dir() {
        return Err(io::Error::from(io::ErrorKind::IsADirectory));
    }
    // A rename is only atomic within one file system, so the temporary file stands in the same folder.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".gapbench-").suffix(".tmp");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // Temporary files are private by default; a set is for everybody, such as a later step of a CI job.
        builder.permissions(fs::Permissions::from_mode(0o644));
    }
    Ok(Target::File(BufWriter::new(builder.tempfile_in(folder)?)))
}

fn persist(file: BufWriter<NamedTempFile>, path: &Path) -> io::Result<()> {
    let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.as_file().sync_data()?;
    file.persist(path)?;
    Ok(())
}

fn failed(path: &Path, source: io::Error) -> String {
    format!("failed to {}", WriteError { path: path.to_owned(), source })
}
