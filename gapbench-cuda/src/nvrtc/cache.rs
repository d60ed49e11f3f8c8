//! What NVRTC made, kept in a folder of the user's cache. An entry that is damaged or of something else is none.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Changes with the format.
const MAGIC: &[u8] = b"gapbench-nvrtc 1\n";

/// Names another folder. A start without compiled code gets an empty one.
const VARIABLE: &str = "GAPBENCH_NVRTC_CACHE";

/// The folder, if the environment tells one.
pub(super) fn folder(variable: &dyn Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let absolute = |name| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    if let Some(own) = absolute(VARIABLE) {
        return Some(own);
    }
    let cache = absolute("XDG_CACHE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".cache")))?;
    Some(cache.join("gapbench/nvrtc"))
}

/// FNV-1a of 128 bits: enough to name entries, which hold the whole key besides.
fn hash(bytes: &[u8]) -> u128 {
    const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    bytes.iter().fold(OFFSET, |hash, byte| (hash ^ u128::from(*byte)).wrapping_mul(PRIME))
}

fn path(folder: &Path, key: &[u8]) -> PathBuf {
    folder.join(format!("{:032x}", hash(key)))
}

/// The image of a key.
pub(super) fn read(folder: &Path, key: &[u8]) -> Option<Vec<u8>> {
    let entry = std::fs::read(path(folder, key)).ok()?;
    let rest = entry.strip_prefix(MAGIC)?;
    let (stored, rest) = part(rest)?;
    let (image, rest) = part(rest)?;
    let sum = hash(image).to_le_bytes();
    (stored == key && rest == sum).then(|| image.to_vec())
}

/// A length and as many bytes.
fn part(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<8>()?;
    rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)
}

/// Keeps an image. Where it cannot be written, it is compiled again next time.
pub(super) fn write(folder: &Path, key: &[u8], image: &[u8]) {
    let mut entry = MAGIC.to_vec();
    for part in [key, image] {
        entry.extend_from_slice(&(part.len() as u64).to_le_bytes());
        entry.extend_from_slice(part);
    }
    entry.extend_from_slice(&hash(image).to_le_bytes());
    // Under another name first: who reads finds a whole entry or none.
    let path = path(folder, key);
    let own = path.with_extension(format!("{}-{:?}", std::process::id(), std::thread::current().id()));
    let written = std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(&own, entry))
        .and_then(|()| std::fs::rename(&own, path));
    if written.is_err() {
        std::fs::remove_file(own).ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_read_back_and_a_damaged_one_is_not() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("a/b");
        assert_eq!(read(&folder, b"key"), None);
        write(&folder, b"key", b"image");
        assert_eq!(read(&folder, b"key").unwrap(), b"image");
        assert_eq!(read(&folder, b"other"), None);
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
        let file = path(&folder, b"key");
        let whole = std::fs::read(&file).unwrap();
        for length in 0..whole.len() {
            std::fs::write(&file, &whole[..length]).unwrap();
            assert_eq!(read(&folder, b"key"), None);
            let mut damaged = whole.clone();
            damaged[length] ^= 1;
            std::fs::write(&file, damaged).unwrap();
            assert_eq!(read(&folder, b"key"), None);
        }
        // Written over.
        write(&folder, b"key", b"image");
        assert_eq!(read(&folder, b"key").unwrap(), b"image");
    }

    #[test]
    fn a_hash_is_that_of_the_reference() {
        // The test vector of the authors (Fowler, Noll, Vo) for "a".
        assert_eq!(hash(b"a"), 0xd228_cb69_6f1a_8caf_7891_2b70_4e4a_8964);
    }

    #[test]
    fn the_folder_is_the_users() {
        let of = |pairs: &'static [(&str, &str)]| {
            folder(&|name| pairs.iter().find(|(own, _)| *own == name).map(|(_, value)| value.into()))
        };
        assert_eq!(of(&[("XDG_CACHE_HOME", "/c"), ("HOME", "/h")]), Some("/c/gapbench/nvrtc".into()));
        assert_eq!(of(&[("XDG_CACHE_HOME", "c"), ("HOME", "/h")]), Some("/h/.cache/gapbench/nvrtc".into()));
        assert_eq!(of(&[("GAPBENCH_NVRTC_CACHE", "/n"), ("HOME", "/h")]), Some("/n".into()));
        assert_eq!(
            of(&[("GAPBENCH_NVRTC_CACHE", "n"), ("HOME", "/h")]),
            Some("/h/.cache/gapbench/nvrtc".into())
        );
        assert_eq!(of(&[]), None);
    }
}
