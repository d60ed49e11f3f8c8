//! Named tensors out of one or many safetensors files, mapped into memory. Knows nothing of what they are for, except
//! in [`Weights::check`], which holds them against a configuration.

mod dtype;
mod map;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use memmap2::Mmap;
use safetensors::{SafeTensors, tensor::Metadata};
use serde_json::Value;

pub use self::dtype::Dtype;
use crate::{Config, Error, json::read_object, layout};

/// Name of the weights inside a model folder, where they are one file.
pub const WEIGHTS_FILE: &str = "model.safetensors";
/// Name of the index that says which tensor is in which of several weights files.
pub const INDEX_FILE: &str = "model.safetensors.index.json";
/// What the name of an i8 tensor's scales ends with.
pub const SCALE_SUFFIX: &str = ".scale";

/// The weights of a model.
#[derive(Debug)]
pub struct Weights {
    /// What a missing tensor is missing from: the one file, or the index.
    source: PathBuf,
    shards: Vec<Shard>,
    /// Which shard a tensor is in.
    places: BTreeMap<String, usize>,
}

/// One safetensors file.
#[derive(Debug)]
struct Shard {
    path: PathBuf,
    map: Mmap,
    header: Metadata,
    /// Where the header ends and the numbers begin.
    start: usize,
}

/// One tensor, as stored.
#[derive(Debug, Clone, Copy)]
pub struct Tensor<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its number format.
    pub dtype: Dtype,
    /// Its sizes, the slowest first; `[outputs, inputs]` for a matrix.
    pub shape: &'a [usize],
    /// Its numbers, row by row, little-endian.
    pub bytes: &'a [u8],
    /// Of an i8 tensor the f32 scale of each row, little-endian; else nothing.
    pub scale: &'a [u8],
}

impl Weights {
    /// Opens the weights of a model folder: [`INDEX_FILE`] and the files that it names, or else [`WEIGHTS_FILE`]. Only
    /// headers are read; the rest is mapped. The files must not be changed while the weights are in use.
    ///
    /// # Errors
    ///
    /// The error names the file, and the tensor where there is one: a file that is missing or cut short, an index that
    /// names a file that is not there or a tensor that the file does not have.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let (one, index) = (folder.join(WEIGHTS_FILE), folder.join(INDEX_FILE));
        if index.exists() {
            Self::open_indexed(folder, index)
        } else if one.exists() {
            let map = map::map(&one)?;
            Self::of_map(one, map)
        } else {
            Err(Error::NoWeights { path: folder.into() })
        }
    }

    /// The weights in a file that is mapped already, or was made in memory.
    pub(crate) fn of_map(path: PathBuf, map: Mmap) -> Result<Self, Error> {
        let shard = Shard::new(&path, map)?;
        let places = shard.header.tensors().into_keys().map(|name| (name, 0)).collect();
        Ok(Self { source: path, shards: vec![shard], places })
    }

    fn open_indexed(folder: &Path, index: PathBuf) -> Result<Self, Error> {
        let object = read_object(&index)?;
        let fault = |reason: String| Error::Index { path: index.clone(), reason };
        let Some(Value::Object(map)) = object.get("weight_map") else {
            return Err(fault("it has no object `weight_map`".into()));
        };
        let (mut shards, mut numbers, mut places) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
        for (tensor, file) in map {
            // A plain name: an index must not reach outside its folder.
            let plain =
                file.as_str().filter(|file| Path::new(file).file_name().is_some_and(|name| name == *file));
            let Some(file) = plain else {
                return Err(fault(format!("tensor `{tensor}` is put in {file}, which is not a file name")));
            };
            let path = folder.join(file);
            let number = match numbers.get(file) {
                Some(number) => *number,
                None if !path.exists() => {
                    let (shard, tensor) = (file.into(), tensor.clone());
                    return Err(Error::MissingShard { path: index, shard, tensor });
                }
                None => {
                    shards.push(Shard::open(&path)?);
                    numbers.insert(file, shards.len() - 1);
                    shards.len() - 1
                }
            };
            if shards.get(number).is_none_or(|shard| shard.header.info(tensor).is_none()) {
                return Err(Error::NotInShard { path, tensor: tensor.clone() });
            }
            places.insert(tensor.clone(), number);
        }
        Ok(Self { source: index, shards, places })
    }

    /// The tensor of this name.
    ///
    /// # Errors
    ///
    /// [`Error::MissingTensor`], or [`Error::NumberFormat`] for a format other than those of [`Dtype`]. For an i8 tensor
    /// also where its scales are missing, or not one f32 per row.
    pub fn tensor(&self, name: &str) -> Result<Tensor<'_>, Error> {
        let tensor = self.plain(name)?;
        if tensor.dtype != Dtype::I8 {
            return Ok(tensor);
        }
        let scale = self.plain(&format!("{name}{SCALE_SUFFIX}"))?;
        let path = self.path(name);
        if scale.dtype != Dtype::F32 {
            let (tensor, found) = (scale.name.into(), scale.dtype.to_string());
            return Err(Error::NumberFormat { path, tensor, found, expected: "f32" });
        }
        let rows = tensor.shape.first().copied().unwrap_or(1);
        if scale.shape != [rows] {
            let (tensor, found) = (scale.name.into(), scale.shape.into());
            return Err(Error::Shape { path, tensor, found, expected: vec![rows] });
        }
        Ok(Tensor { scale: scale.bytes, ..tensor })
    }

    fn plain(&self, name: &str) -> Result<Tensor<'_>, Error> {
        let found = self.places.get_key_value(name).and_then(|(name, number)| {
            let shard = self.shards.get(*number)?;
            let info = shard.header.info(name)?;
            let (start, end) = info.data_offsets;
            let bytes = shard.map.get(shard.start + start..shard.start + end)?;
            Some((name, shard, info, bytes))
        });
        let Some((name, shard, info, bytes)) = found else {
            return Err(Error::MissingTensor { path: self.source.clone(), tensor: name.into() });
        };
        let Some(dtype) = Dtype::of(info.dtype) else {
            let (path, tensor, found) = (shard.path.clone(), name.clone(), format!("{:?}", info.dtype));
            return Err(Error::NumberFormat {
                path,
                tensor,
                found,
                expected: "f32, f16, bf16 or i8 with scales",
            });
        };
        Ok(Tensor { name, dtype, shape: &info.shape, bytes, scale: &[] })
    }

    /// The file that a tensor is in.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        let shard = self.places.get(name).and_then(|number| self.shards.get(*number));
        shard.map_or_else(|| self.source.clone(), |shard| shard.path.clone())
    }

    /// Holds a tensor's numbers against a number format that they are to be kept in.
    ///
    /// # Errors
    ///
    /// [`Error::NotFinite`], [`Error::NotHeld`], and those of [`Weights::tensor`].
    pub fn check_numbers(&self, name: &str, dtype: Dtype) -> Result<(), Error> {
        let numbers = self.tensor(name)?.to_f32();
        self.check_finite(name, &numbers)?;
        match numbers.iter().position(|number| !dtype.holds(*number)) {
            None => Ok(()),
            Some(position) => Err(Error::NotHeld {
                path: self.path(name),
                tensor: name.into(),
                position,
                value: numbers.get(position).copied().unwrap_or(f32::NAN),
                dtype,
            }),
        }
    }

    /// A tensor's numbers are all finite: one that is not would make every answer NaN.
    pub(crate) fn check_finite(&self, name: &str, numbers: &[f32]) -> Result<(), Error> {
        match numbers.iter().position(|number| !number.is_finite()) {
            None => Ok(()),
            Some(position) => {
                let value = numbers.get(position).copied().unwrap_or(f32::NAN);
                Err(Error::NotFinite { path: self.path(name), tensor: name.into(), position, value })
            }
        }
    }

    /// Bytes of all numbers, headers excluded.
    #[must_use]
    pub fn total_bytes(&self) -> u64 {
        self.shards.iter().map(|shard| (shard.map.len() - shard.start) as u64).sum()
    }

    /// The weights files.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.shards.iter().map(|shard| shard.path.as_path())
    }

    /// The names of all tensors, in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.places.keys().map(String::as_str)
    }

    /// Holds the weights against a configuration: each tensor that it asks for is there in its shape, and no other is.
    ///
    /// # Errors
    ///
    /// As [`Weights::tensor`]; [`Error::Shape`]; [`Error::UnknownTensor`] for one that the model would be computed
    /// without, as when the configuration has fewer layers than the weights.
    pub fn check(&self, config: &Config) -> Result<(), Error> {
        let mut known = BTreeSet::new();
        for (name, expected) in layout::tensors(config) {
            let tensor = self.tensor(&name)?;
            if tensor.shape != expected {
                let (path, found) = (self.path(&name), tensor.shape.into());
                return Err(Error::Shape { path, tensor: name, found, expected });
            }
            if tensor.dtype == Dtype::I8 {
                known.insert(format!("{name}{SCALE_SUFFIX}"));
            }
            known.insert(name);
        }
        match self.names().find(|name| !known.contains(*name)) {
            None => Ok(()),
            Some(name) => {
                let found = self.plain(name).map(|tensor| tensor.shape.into()).unwrap_or_default();
                Err(Error::UnknownTensor { path: self.path(name), tensor: name.into(), found })
            }
        }
    }
}

impl Shard {
    fn open(path: &Path) -> Result<Self, Error> {
        Self::new(path, map::map(path)?)
    }

    fn new(path: &Path, map: Mmap) -> Result<Self, Error> {
        match SafeTensors::read_metadata(&map) {
            // The length of the header is stored before it, in eight bytes.
            Ok((length, header)) => Ok(Self { path: path.into(), header, start: length + 8, map }),
            Err(source) => Err(Error::Weights { path: path.into(), bytes: map.len(), source }),
        }
    }
}

impl Tensor<'_> {
    /// The numbers, row by row, i8 multiplied by its scales.
    #[must_use]
    pub fn to_f32(&self) -> Vec<f32> {
        let mut numbers = vec![0.0; self.bytes.len() / self.dtype.bytes()];
        self.write_f32(&mut numbers);
        numbers
    }

    /// Writes the numbers, as [`Tensor::to_f32`] has them, as far as there is room.
    pub fn write_f32(&self, numbers: &mut [f32]) {
        self.dtype.decode(self.bytes, numbers);
        if self.dtype == Dtype::I8 {
            let mut scale = vec![0.0; self.scale.len() / size_of::<f32>()];
            Dtype::F32.decode(self.scale, &mut scale);
            let columns = (numbers.len() / scale.len().max(1)).max(1);
            for (row, scale) in numbers.chunks_mut(columns).zip(scale) {
                row.iter_mut().for_each(|number| *number *= scale);
            }
        }
    }
}
