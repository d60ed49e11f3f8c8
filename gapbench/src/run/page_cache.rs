//! Takes files out of the system's page cache, and looks whether they are gone.
//!
//! Knows nothing of what the files are for. Reads a byte here and there, never a file.

use std::fs::File;
use std::io::{self, IoSliceMut};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Advice, fadvise};
use rustix::io::{Errno, ReadWriteFlags, preadv2};

/// The smallest page of any system; a larger one is looked at more than once.
const PAGE: u64 = 4096;

/// One page of so many is looked at: a look at a page that is gone reads it again.
const ONE_OF: u64 = 64;

/// Most looks at one file. If a share of 2 % of its pages stayed, one of so many misses them all with a chance of
/// 0.98^256 = 0.6 %.
const MOST_LOOKS: u64 = 256;

/// Takes the files out of the page cache. Says so if one of them is still there, or if nobody can tell.
pub(super) fn drop_files(files: &[PathBuf]) -> Result<(), String> {
    if files.is_empty() {
        return Err("no files of the model are known; name them with `serve.model_files(...)`".to_owned());
    }
    files.iter().try_for_each(|path| drop_file(path))
}

fn drop_file(path: &Path) -> Result<(), String> {
    let place = |what: String| format!("{}: {what}", path.display());
    let failed = |error: io::Error| place(format!("failed to take it out of the page cache: {error}"));
    let file = File::open(path).map_err(failed)?;
    let length = file.metadata().map_err(failed)?.len();
    // A page that was written and is not on storage yet cannot be dropped. Where this fails, the look shows what stays.
    let _ = file.sync_all();
    advise(&file, Advice::DontNeed).map_err(failed)?;
    // What is read to look must not be read ahead.
    advise(&file, Advice::Random).map_err(failed)?;
    let places = places(length);
    let mut cached = 0;
    for place_of in &places {
        match is_cached(&file, *place_of) {
            Ok(here) => cached += usize::from(here),
            Err(Errno::OPNOTSUPP) => {
                let what = "its file system keeps what was read, or does not say (a tmpfs lies in memory)";
                return Err(place(format!("{what}; put the file on a disk")));
            }
            Err(error) => return Err(failed(error.into())),
        }
    }
    if cached > 0 {
        let what = format!("{cached} of the {} pages looked at stay in the page cache", places.len());
        return Err(place(format!("{what}; does another process have the file mapped?")));
    }
    // The looks have begun to read their pages, which can be dropped once they are there.
    for place_of in &places {
        file.read_at(&mut [0], *place_of).map_err(failed)?;
    }
    advise(&file, Advice::DontNeed).map_err(failed)
}

fn advise(file: &File, advice: Advice) -> io::Result<()> {
    fadvise(file, 0, None, advice).map_err(Into::into)
}

/// Offsets to look at, spread over a file of so many bytes; none in an empty one.
fn places(length: u64) -> Vec<u64> {
    let pages = length.div_ceil(PAGE);
    let looks = (pages / ONE_OF).clamp(1, MOST_LOOKS).min(pages);
    (0..looks).map(|look| look * pages / looks * PAGE).collect()
}

/// Whether the byte can be had without waiting for storage.
///
/// # Source
/// `preadv2(2)`, `RWF_NOWAIT`: a read that would have to wait for data answers `EAGAIN`.
fn is_cached(file: &File, offset: u64) -> Result<bool, Errno> {
    let mut byte = [0];
    loop {
        match preadv2(file, &mut [IoSliceMut::new(&mut byte)], offset, ReadWriteFlags::NOWAIT) {
            Ok(_) => return Ok(true),
            Err(Errno::AGAIN) => return Ok(false),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn looks_are_spread_over_the_file() {
        assert_eq!(places(0), [] as [u64; 0]);
        assert_eq!(places(1), [0]);
        assert_eq!(places(64 * PAGE), [0]);
        assert_eq!(places(256 * PAGE), [0, 64, 128, 192].map(|page| page * PAGE));
        let many = places(1 << 40);
        assert_eq!((many.len(), many[1]), (256, 1 << 32));
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = drop_files(&["/no/such/file".into()]).unwrap_err();
        assert!(error.starts_with("/no/such/file: failed to take it out of the page cache"), "{error}");
        assert!(drop_files(&[]).unwrap_err().contains("model_files"));
    }

    /// Beside the program, which is on a disk where anything is.
    #[test]
    fn a_file_that_was_just_written_is_gone_or_refused() {
        let program = std::env::current_exe().unwrap();
        let folder = tempfile::tempdir_in(program.parent().unwrap()).unwrap();
        let path = folder.path().join("weights");
        fs::write(&path, vec![7; 1 << 20]).unwrap();
        let file = File::open(&path).unwrap();
        if let Err(why) = drop_files(std::slice::from_ref(&path)) {
            println!("SKIPPED a_file_that_was_just_written_is_gone_or_refused: {why}");
            return;
        }
        advise(&file, Advice::Random).unwrap();
        assert_eq!(is_cached(&file, 512 << 10), Ok(false));
        fs::read(&path).unwrap();
        assert_eq!(is_cached(&file, 512 << 10), Ok(true));
    }
}
