//! The weights of a model: which files hold them, and what they come to by number format.
//!
//! Knows nothing of the configuration, of caches or of anything that is computed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;

use super::error::quoted;
use super::{FootprintError, Header};

/// Name of the weights inside a model folder, where they are one file.
pub const WEIGHTS_FILE: &str = "model.safetensors";
/// Name of the index that says which tensor is in which of several files.
pub const INDEX_FILE: &str = "model.safetensors.index.json";

/// Weights counted from the headers of their files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Weights {
    /// The files, in the order of their names.
    pub files: Vec<WeightsFile>,
    /// The number formats, the one with most bytes first.
    pub by_dtype: Vec<DtypeShare>,
    /// How many tensors there are.
    pub tensors: u64,
    /// How many numbers are stored. Where a format packs several parameters into one integer (GPTQ, AWQ), these are fewer
    /// than the model's parameters.
    pub numbers: u64,
    /// Bytes of all numbers, headers excluded.
    pub bytes: u64,
    /// The largest tensor, which a loader may have to hold twice for a moment.
    pub largest: LargestTensor,
    /// What an index says that its files do not bear out, without being wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<String>,
}

/// One file of weights.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WeightsFile {
    /// Where it is.
    pub path: PathBuf,
    /// Its length in bytes, header included.
    pub bytes: u64,
}

/// What is stored in one number format.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DtypeShare {
    /// The file's own word: `BF16`.
    pub dtype: String,
    /// Bits of one number.
    pub bits: u64,
    /// How many tensors.
    pub tensors: u64,
    /// How many numbers.
    pub numbers: u64,
    /// Bytes.
    pub bytes: u64,
}

/// The largest tensor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LargestTensor {
    /// Its name.
    pub name: String,
    /// Its bytes.
    pub bytes: u64,
}

impl Weights {
    /// Counts the weights at `path`: a model folder with [`INDEX_FILE`] or [`WEIGHTS_FILE`], an index, or one safetensors
    /// file.
    ///
    /// # Errors
    /// As [`Header::read`]; [`FootprintError::Read`] for a folder without weights or with both an index and a single file;
    /// [`FootprintError::Index`] for an index that names a file that is not there or a tensor that its file does not hold.
    pub fn open(path: &Path) -> Result<Weights, FootprintError> {
        if !path.is_dir() {
            let index = path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(".index.json"));
            return if index { Weights::of_index(path) } else { Weights::of_files(&[path.to_owned()]) };
        }
        let (one, index) = (path.join(WEIGHTS_FILE), path.join(INDEX_FILE));
        match (index.exists(), one.exists()) {
            (true, false) => Weights::of_index(&index),
            (false, true) => Weights::of_files(&[one]),
            (true, true) => Err(FootprintError::Read {
                path: path.to_owned(),
                reason: format!(
                    "it holds both {WEIGHTS_FILE} and {INDEX_FILE}, which may be different weights"
                ),
                remedy: "name the one that is served".to_owned(),
            }),
            (false, false) => Err(nothing(path)),
        }
    }

    /// Counts the weights of these safetensors files together.
    ///
    /// # Errors
    /// As [`Header::read`], and [`FootprintError::Header`] for a tensor that two of the files hold, or for files without
    /// any tensor.
    pub fn of_files(paths: &[PathBuf]) -> Result<Weights, FootprintError> {
        let headers = paths.iter().map(|path| Header::read(path)).collect::<Result<Vec<_>, _>>()?;
        let mut seen = BTreeMap::new();
        for header in &headers {
            for tensor in &header.tensors {
                if let Some(first) = seen.insert(tensor.name.as_str(), &header.path) {
                    return Err(FootprintError::Header {
                        path: header.path.clone(),
                        tensor: Some(tensor.name.clone()),
                        reason: format!("{} holds it too", first.display()),
                        remedy: "name the files of one model only".to_owned(),
                    });
                }
            }
        }
        Weights::count(&headers, |_, _| true, Vec::new())
    }

    /// Counts the weights that the index at `path` names. The files stand beside it.
    ///
    /// # Errors
    /// As [`Weights::open`].
    pub fn of_index(path: &Path) -> Result<Weights, FootprintError> {
        let index = Index::read(path)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let mut headers = Vec::new();
        for (file, tensors) in &index.files {
            let shard = folder.join(file);
            let first = || tensors.first().map(String::as_str);
            if !shard.exists() {
                let reason = format!("its file {} is not there", quoted(file));
                return Err(index.fault(first(), reason, "download the missing file beside the index"));
            }
            let header = Header::read(&shard)?;
            let held: BTreeSet<&str> = header.tensors.iter().map(|tensor| tensor.name.as_str()).collect();
            if let Some(absent) = tensors.iter().find(|tensor| !held.contains(tensor.as_str())) {
                let reason = format!("the file {} does not hold it", quoted(file));
                let remedy = "index and files are of different versions: download both again";
                return Err(index.fault(Some(absent), reason, remedy));
            }
            headers.push(header);
        }
        let named = |path: &Path, tensor: &str| {
            let file = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            index.files.get(&file).is_some_and(|tensors| tensors.contains(tensor))
        };
        let unnamed: Vec<&str> = headers
            .iter()
            .flat_map(|header| header.tensors.iter().map(move |tensor| (header, tensor)))
            .filter(|(header, tensor)| !named(&header.path, &tensor.name))
            .map(|(_, tensor)| tensor.name.as_str())
            .collect();
        let mut remarks = Vec::new();
        if let Some(first) = unnamed.first() {
            let (count, first) = (unnamed.len(), quoted(first));
            remarks.push(format!(
                "tensors in the files that the index does not name are not counted: {count}, such as {first}"
            ));
        }
        let mut weights = Weights::count(&headers, named, remarks)?;
        if let Some(stated) = index.total_size.filter(|stated| *stated != weights.bytes) {
            let remark =
                format!("the index states {stated} bytes in all, the headers come to {}", weights.bytes);
            weights.remarks.push(remark);
        }
        Ok(weights)
    }

    fn count(
        headers: &[Header],
        counts: impl Fn(&Path, &str) -> bool,
        remarks: Vec<String>,
    ) -> Result<Weights, FootprintError> {
        let files = headers
            .iter()
            .map(|header| WeightsFile { path: header.path.clone(), bytes: header.file_bytes })
            .collect();
        let mut formats: BTreeMap<&str, DtypeShare> = BTreeMap::new();
        let mut all = Some((0_u64, 0_u64, 0_u64));
        let mut largest: Option<LargestTensor> = None;
        for header in headers {
            for tensor in header.tensors.iter().filter(|tensor| counts(&header.path, &tensor.name)) {
                let (dtype, bits) = (tensor.dtype.clone(), tensor.bits);
                let empty = DtypeShare { dtype, bits, tensors: 0, numbers: 0, bytes: 0 };
                let share = formats.entry(&tensor.dtype).or_insert(empty);
                // A share is never larger than the sum, and that is checked.
                share.tensors += 1;
                share.numbers = share.numbers.saturating_add(tensor.numbers);
                share.bytes = share.bytes.saturating_add(tensor.bytes);
                all = all.and_then(|(tensors, numbers, bytes)| {
                    Some((
                        tensors + 1,
                        numbers.checked_add(tensor.numbers)?,
                        bytes.checked_add(tensor.bytes)?,
                    ))
                });
                if largest.as_ref().is_none_or(|largest| tensor.bytes > largest.bytes) {
                    largest = Some(LargestTensor { name: tensor.name.clone(), bytes: tensor.bytes });
                }
            }
        }
        let Some((tensors, numbers, bytes)) = all else {
            return Err(FootprintError::Overflow { term: "the sum of all tensors".to_owned() });
        };
        let Some(largest) = largest else {
            return Err(FootprintError::Header {
                path: headers.first().map(|header| header.path.clone()).unwrap_or_default(),
                tensor: None,
                reason: "there is no tensor in it".to_owned(),
                remedy: "name the file that holds the weights".to_owned(),
            });
        };
        let mut by_dtype: Vec<DtypeShare> = formats.into_values().collect();
        by_dtype.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.dtype.cmp(&b.dtype)));
        Ok(Weights { files, by_dtype, tensors, numbers, bytes, largest, remarks })
    }
}

/// What a folder without weights holds instead, so that the way on is clear.
fn nothing(folder: &Path) -> FootprintError {
    let names = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut others: Vec<String> = names
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| [".safetensors", ".bin", ".gguf", ".pth"].iter().any(|end| name.ends_with(end)))
        .collect();
    others.sort();
    let remedy = match others.as_slice() {
        [] => "name a folder with the weights of a model".to_owned(),
        [one] if one.ends_with(".safetensors") => {
            format!("name the file itself: {}", folder.join(one).display())
        }
        several if several.iter().any(|name| name.ends_with(".safetensors")) => {
            format!("download the index of its {} safetensors files", several.len())
        }
        [first, ..] => format!("it holds {}; convert the weights to safetensors", quoted(first)),
    };
    FootprintError::Read {
        path: folder.to_owned(),
        reason: format!("it holds neither {WEIGHTS_FILE} nor {INDEX_FILE}"),
        remedy,
    }
}

/// An index: which tensors are in which file.
struct Index {
    path: PathBuf,
    files: BTreeMap<String, BTreeSet<String>>,
    total_size: Option<u64>,
}

impl Index {
    fn read(path: &Path) -> Result<Index, FootprintError> {
        let mut index = Index { path: path.to_owned(), files: BTreeMap::new(), total_size: None };
        let remedy = "download the index again";
        let text = fs::read(path).map_err(|error| FootprintError::Read {
            path: path.to_owned(),
            reason: error.to_string(),
            remedy: "name an index that is there".to_owned(),
        })?;
        let value: Value = serde_json::from_slice(&text)
            .map_err(|error| index.fault(None, format!("it is not JSON ({error})"), remedy))?;
        let Some(Value::Object(map)) = value.get("weight_map") else {
            return Err(index.fault(None, "it has no object `weight_map`".to_owned(), remedy));
        };
        if map.is_empty() {
            return Err(index.fault(None, "its `weight_map` is empty".to_owned(), remedy));
        }
        for (tensor, file) in map {
            // A plain name: an index must not reach outside its folder.
            let plain = |file: &&str| Path::new(file).file_name().is_some_and(|name| name == *file);
            let Some(file) = file.as_str().filter(plain) else {
                let reason = format!("it is put in {}, which is not a file name", quoted(&file.to_string()));
                return Err(index.fault(Some(tensor), reason, remedy));
            };
            index.files.entry(file.to_owned()).or_default().insert(tensor.clone());
        }
        index.total_size = value.pointer("/metadata/total_size").and_then(Value::as_u64);
        Ok(index)
    }

    fn fault(&self, tensor: Option<&str>, reason: String, remedy: &str) -> FootprintError {
        let tensor = tensor.map(str::to_owned);
        FootprintError::Index { path: self.path.clone(), tensor, reason, remedy: remedy.to_owned() }
    }
}
