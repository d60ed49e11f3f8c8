//! The header of one safetensors file: which tensors it holds, in which shape and number format.
//!
//! Reads the header and nothing behind it, so that a file of 140 GB costs as little as one of 1 MB. Knows nothing of what
//! the tensors are for.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use safetensors::tensor::TensorInfo;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::FootprintError;
use super::error::quoted;

/// Headers above this many bytes are refused, as the format's own reader does.
///
/// # Source
/// `MAX_HEADER_SIZE` of the crate safetensors 0.8.
pub const MAX_HEADER_BYTES: u64 = 100_000_000;

/// The length of the header stands before it, in so many bytes.
const LENGTH_BYTES: u64 = 8;

/// The entry that is no tensor.
const METADATA: &str = "__metadata__";

/// How a file begins that stands in for the real one.
const LFS_POINTER: &[u8] = b"version https://git-lfs";

const DAMAGED: &str = "the file is damaged: download or save it again";

/// What one safetensors file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The file.
    pub path: PathBuf,
    /// Its length in bytes.
    pub file_bytes: u64,
    /// Its tensors, in the order of their bytes; they fill the file behind the header without gap or overlap.
    pub tensors: Vec<Tensor>,
}

/// One tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tensor {
    /// Its name.
    pub name: String,
    /// Its number format in the file's own word: `BF16`.
    pub dtype: String,
    /// Bits of one number; 4 and 6 exist.
    pub bits: u64,
    /// Its sizes, the slowest first; empty for a single number.
    pub shape: Vec<u64>,
    /// How many numbers it holds.
    pub numbers: u64,
    /// Its bytes.
    pub bytes: u64,
}

impl Header {
    /// Reads the header of the file at `path`.
    ///
    /// # Errors
    /// [`FootprintError::Read`] for a file that is not there; [`FootprintError::Header`] for one that is no safetensors
    /// file, is cut short, or in which a tensor's shape, number format and place contradict each other or another tensor.
    pub fn read(path: &Path) -> Result<Header, FootprintError> {
        let (text, file_bytes) = text(path)?;
        let fault = Fault { path };
        let entries: Entries = serde_json::from_str(&text).map_err(|error| {
            fault.of(None, format!("it is not a JSON object of tensors ({error})"), DAMAGED)
        })?;
        let mut placed = Vec::with_capacity(entries.0.len());
        for (name, value) in entries.0.into_iter().filter(|(name, _)| name != METADATA) {
            placed.push(Placed::read(&fault, name, &value)?);
        }
        placed.sort_by(|a, b| (a.begin, a.end, &a.tensor.name).cmp(&(b.begin, b.end, &b.tensor.name)));
        in_a_row(&fault, &placed, file_bytes - LENGTH_BYTES - text.len() as u64)?;
        let mut names: Vec<&str> = placed.iter().map(|placed| placed.tensor.name.as_str()).collect();
        names.sort_unstable();
        if let Some(twice) =
            names.windows(2).find_map(|pair| pair.first().filter(|name| Some(*name) == pair.last()))
        {
            return Err(fault.of(Some(twice), "it stands twice in the header".to_owned(), DAMAGED));
        }
        let tensors = placed.into_iter().map(|placed| placed.tensor).collect();
        Ok(Header { path: path.to_owned(), file_bytes, tensors })
    }
}

/// The header's text, and the length of the file.
fn text(path: &Path) -> Result<(String, u64), FootprintError> {
    let unreadable = |error: std::io::Error| FootprintError::Read {
        path: path.to_owned(),
        reason: error.to_string(),
        remedy: "name a safetensors file that is there".to_owned(),
    };
    let fault = Fault { path };
    let mut file = File::open(path).map_err(unreadable)?;
    let about = file.metadata().map_err(unreadable)?;
    if !about.is_file() {
        return Err(fault.of(None, "it is not a plain file".to_owned(), "name a safetensors file"));
    }
    let file_bytes = about.len();
    let mut beginning = Vec::new();
    file.by_ref().take(LENGTH_BYTES).read_to_end(&mut beginning).map_err(unreadable)?;
    let Ok(length) = <[u8; 8]>::try_from(beginning.as_slice()) else {
        let reason =
            format!("the file has {file_bytes} bytes; a safetensors file has at least {LENGTH_BYTES}");
        return Err(fault.of(None, reason, DAMAGED));
    };
    if LFS_POINTER.starts_with(&length) {
        let reason = "it is a Git LFS pointer and not the weights".to_owned();
        return Err(fault.of(None, reason, "get them with `git lfs pull`"));
    }
    let length = u64::from_le_bytes(length);
    if length > MAX_HEADER_BYTES {
        let reason = format!("it should be {length} bytes long; a header has at most {MAX_HEADER_BYTES}");
        return Err(fault.of(None, reason, "check that it is a safetensors file"));
    }
    if length > file_bytes.saturating_sub(LENGTH_BYTES) {
        let reason = format!("it should be {length} bytes long, but the file has {file_bytes} bytes in all");
        return Err(fault.of(None, reason, DAMAGED));
    }
    let mut header = Vec::new();
    file.take(length).read_to_end(&mut header).map_err(unreadable)?;
    if header.len() as u64 != length {
        let reason = format!("it ends after {} of {length} bytes", header.len());
        return Err(fault.of(None, reason, DAMAGED));
    }
    let text = String::from_utf8(header)
        .map_err(|error| fault.of(None, format!("it is not text ({})", error.utf8_error()), DAMAGED))?;
    Ok((text, file_bytes))
}

/// Where a fault was found.
struct Fault<'a> {
    path: &'a Path,
}

impl Fault<'_> {
    fn of(&self, tensor: Option<&str>, reason: String, remedy: &str) -> FootprintError {
        let (path, tensor) = (self.path.to_owned(), tensor.map(str::to_owned));
        FootprintError::Header { path, tensor, reason, remedy: remedy.to_owned() }
    }
}

/// A tensor and its place among the bytes behind the header.
struct Placed {
    tensor: Tensor,
    begin: u64,
    end: u64,
}

impl Placed {
    fn read(fault: &Fault<'_>, name: String, value: &RawValue) -> Result<Placed, FootprintError> {
        let said = |reason: String| fault.of(Some(&name), reason, DAMAGED);
        let info: TensorInfo = serde_json::from_str(value.get()).map_err(|error| {
            // The line and column count within the entry, which is on one line: they lead nowhere.
            let error = error.to_string();
            let words = error.split(" at line ").next().unwrap_or_default();
            let remedy =
                "a newer format or a damaged file: save it again with a format that this version knows";
            fault.of(
                Some(&name),
                format!("it has no dtype, shape and data_offsets that are known ({words})"),
                remedy,
            )
        })?;
        let (begin, end) = (info.data_offsets.0 as u64, info.data_offsets.1 as u64);
        let shape: Vec<u64> = info.shape.iter().map(|size| *size as u64).collect();
        let (dtype, bits) = (info.dtype.to_string(), info.dtype.bitsize() as u64);
        if begin > end {
            return Err(said(format!("its bytes begin at {begin} and end before that, at {end}")));
        }
        let numbers = shape.iter().try_fold(1_u64, |product, size| product.checked_mul(*size));
        let Some((numbers, all_bits)) =
            numbers.and_then(|numbers| Some((numbers, numbers.checked_mul(bits)?)))
        else {
            return Err(said(format!("shape {shape:?} of {dtype} is more than 64 bits count")));
        };
        if !all_bits.is_multiple_of(8) {
            return Err(said(format!(
                "shape {shape:?} of {dtype} takes {all_bits} bits, which is no whole number of bytes"
            )));
        }
        let bytes = all_bits / 8;
        if bytes != end - begin {
            return Err(said(format!(
                "shape {shape:?} of {dtype} takes {bytes} bytes, but its offsets {begin} to {end} hold {}",
                end - begin
            )));
        }
        Ok(Placed { tensor: Tensor { name, dtype, bits, shape, numbers, bytes }, begin, end })
    }
}

/// Whether the tensors fill `data_bytes` one behind the other.
fn in_a_row(fault: &Fault<'_>, placed: &[Placed], data_bytes: u64) -> Result<(), FootprintError> {
    let mut before: Option<&Placed> = None;
    for next in placed {
        let (end, name) = before.map_or((0, None), |before| (before.end, Some(&before.tensor.name)));
        if next.begin != end {
            let after = name
                .map_or_else(|| "the data begin".to_owned(), |name| format!("tensor {} ends", quoted(name)));
            let what = if next.begin < end { "overlap" } else { "leave a gap" };
            let reason = format!("its bytes begin at {}, but {after} at {end}: they {what}", next.begin);
            return Err(fault.of(Some(&next.tensor.name), reason, DAMAGED));
        }
        before = Some(next);
    }
    let (end, name) = before.map_or((0, None), |last| (last.end, Some(last.tensor.name.as_str())));
    if end > data_bytes {
        let reason =
            format!("its bytes end at {end}, but only {data_bytes} follow the header: the file is cut short");
        return Err(fault.of(name, reason, "download it again"));
    }
    if end < data_bytes {
        let reason = format!("{data_bytes} bytes follow it, but the tensors end at {end}");
        return Err(fault.of(None, reason, DAMAGED));
    }
    Ok(())
}

/// The entries of a JSON object as they stand, those of one name included.
struct Entries(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Entries;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }
            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Entries, M::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}
