//! A file mapped into memory: the pages that are read are loaded, and no others. Unsafe code of this kind is only here.

#![allow(unsafe_code)]

use std::{fs::File, path::Path};

use memmap2::Mmap;

use crate::Error;

/// Maps the file at `path`.
pub(super) fn map(path: &Path) -> Result<Mmap, Error> {
    let file = File::open(path).map_err(|source| Error::read(path, source))?;
    // SAFETY: the map is read-only and private to this process. Nobody may write to or shorten a model's weights
    // while it is served; that is stated in the documentation of `Weights::open`, and no code here does.
    let map = unsafe { Mmap::map(&file) }.map_err(|source| Error::read(path, source))?;
    // A wish: weights are read once, from the first to the last, so that the system may read ahead.
    #[cfg(unix)]
    let _ = map.advise(memmap2::Advice::Sequential);
    Ok(map)
}
