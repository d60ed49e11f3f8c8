//! Writes a preset's folder, on all processors at once. Streams: the model need not fit into memory.

use std::{
    fs::{self, File},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use serde_json::{Map, Value, json};

use super::{
    Preset,
    files::{byte_tokenizer, config_json},
    numbers::fill,
    planned::{Planned, header, shards},
    threads,
};
use crate::{
    CONFIG_FILE, Error, TOKENIZER_FILE,
    weights::{INDEX_FILE, WEIGHTS_FILE},
};

/// Bytes that a thread makes and writes at a time: a few of them stay in the caches.
const PIECE: usize = 1 << 20;

/// Most bytes of a weights file, as Hugging Face cuts them.
pub const SHARD_BYTES: u64 = 5_000_000_000;

/// Writes a model folder: weights in files of at most [`SHARD_BYTES`], a tokenizer of single bytes and, last, the
/// configuration; a folder that was left half written has none and is refused. The same `seed` writes the same weights.
///
/// # Errors
///
/// [`Error::Write`].
pub fn write(folder: &Path, preset: &Preset, seed: u64) -> Result<(), Error> {
    write_sharded(folder, preset, seed, SHARD_BYTES)
}

/// [`write()`] with another largest size of a weights file; one tensor is never cut.
///
/// # Errors
///
/// [`Error::Write`].
pub fn write_sharded(folder: &Path, preset: &Preset, seed: u64, shard_bytes: u64) -> Result<(), Error> {
    fs::create_dir_all(folder).map_err(|source| Error::write(folder, source))?;
    let planned = shards(preset, shard_bytes);
    let count = planned.len();
    let mut weight_map = Map::new();
    let mut shards = Vec::with_capacity(count);
    for (number, tensors) in planned.into_iter().enumerate() {
        let file = match count {
            1 => WEIGHTS_FILE.into(),
            count => format!("model-{:05}-of-{count:05}.safetensors", number + 1),
        };
        weight_map.extend(tensors.iter().map(|tensor| (tensor.name.clone(), Value::from(file.as_str()))));
        shards.push(Shard::create(folder.join(&file), tensors)?);
    }
    threads::each(shards.iter().flat_map(Shard::pieces), |(shard, tensor, inside, start, length)| {
        let mut bytes = vec![0; length];
        fill(tensor, seed, inside, &mut bytes);
        shard.file.write_all_at(&bytes, start).map_err(|source| Error::write(&shard.path, source))
    })?;
    if shards.len() > 1 {
        let total: u64 = shards.iter().flat_map(|shard| &shard.tensors).map(Planned::bytes).sum();
        let index = json!({ "metadata": { "total_size": total }, "weight_map": weight_map });
        write_json(&folder.join(INDEX_FILE), &index)?;
    }
    write_json(&folder.join(TOKENIZER_FILE), &byte_tokenizer())?;
    write_json(&folder.join(CONFIG_FILE), &config_json(&preset.config))
}

/// A file that is being written.
struct Shard {
    path: PathBuf,
    file: File,
    tensors: Vec<Planned>,
    /// Bytes before the numbers.
    header: u64,
}

impl Shard {
    fn create(path: PathBuf, tensors: Vec<Planned>) -> Result<Self, Error> {
        let header = header(&tensors);
        let bytes = header.len() as u64 + tensors.iter().map(Planned::bytes).sum::<u64>();
        let fault = |source| Error::write(&path, source);
        let file = File::create(&path).map_err(fault)?;
        file.set_len(bytes).map_err(fault)?;
        file.write_all_at(&header, 0).map_err(fault)?;
        Ok(Self { path, file, tensors, header: header.len() as u64 })
    }

    /// The tensors in pieces: which, the piece's first byte in the tensor and in the file, and its length.
    fn pieces(&self) -> impl Iterator<Item = (&Self, &Planned, u64, u64, usize)> {
        let starts = self.tensors.iter().scan(self.header, |next, tensor| {
            let start = *next;
            *next += tensor.bytes();
            Some((tensor, start))
        });
        starts.flat_map(move |(tensor, start)| {
            (0..tensor.bytes()).step_by(PIECE).map(move |inside| {
                let length = (tensor.bytes() - inside).min(PIECE as u64) as usize;
                (self, tensor, inside, start + inside, length)
            })
        })
    }
}

fn write_json(path: &Path, value: &Value) -> Result<(), Error> {
    fs::write(path, format!("{value:#}\n")).map_err(|source| Error::write(path, source))
}
