//! Writes a preset's folder. Streams: the model need not fit into memory.

use std::{
    fs::{self, File},
    io::{BufWriter, Write},
    path::Path,
};

use half::bf16;
use serde_json::{Map, Value, json};

use super::{
    Preset,
    files::{byte_tokenizer, config_json},
};
use crate::{
    CONFIG_FILE, Dtype, Error, TOKENIZER_FILE, layout,
    sample::next_random,
    weights::{INDEX_FILE, SCALE_SUFFIX, WEIGHTS_FILE},
};

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
    let shards = shards(preset, shard_bytes);
    let mut weight_map = Map::new();
    let mut random = seed;
    for (number, tensors) in shards.iter().enumerate() {
        let file = match shards.len() {
            1 => WEIGHTS_FILE.into(),
            count => format!("model-{:05}-of-{count:05}.safetensors", number + 1),
        };
        let path = folder.join(&file);
        write_shard(&path, tensors, &mut random).map_err(|source| Error::write(&path, source))?;
        weight_map.extend(tensors.iter().map(|tensor| (tensor.name.clone(), Value::from(file.as_str()))));
    }
    if shards.len() > 1 {
        let total: u64 = shards.iter().flatten().map(Planned::bytes).sum();
        let index = json!({ "metadata": { "total_size": total }, "weight_map": weight_map });
        write_json(&folder.join(INDEX_FILE), &index)?;
    }
    write_json(&folder.join(TOKENIZER_FILE), &byte_tokenizer())?;
    write_json(&folder.join(CONFIG_FILE), &config_json(&preset.config))
}

/// A tensor that is to be written.
struct Planned {
    name: String,
    dtype: Dtype,
    shape: Vec<usize>,
    fill: Fill,
}

/// What its numbers are.
enum Fill {
    /// All the same.
    Constant(f32),
    /// Uniform with this standard deviation.
    Random(f32),
}

impl Planned {
    fn numbers(&self) -> u64 {
        self.shape.iter().map(|size| *size as u64).product()
    }

    fn bytes(&self) -> u64 {
        self.numbers() * self.dtype.bytes() as u64
    }
}

/// The tensors of each file.
fn shards(preset: &Preset, shard_bytes: u64) -> Vec<Vec<Planned>> {
    let mut shards: Vec<Vec<Planned>> = Vec::new();
    let mut filled = u64::MAX;
    for (name, shape) in layout::tensors(&preset.config) {
        let tensors = planned(preset, name, shape);
        let bytes: u64 = tensors.iter().map(Planned::bytes).sum();
        // The first tensor opens the first file.
        if filled.saturating_add(bytes) > shard_bytes {
            shards.push(Vec::new());
            filled = 0;
        }
        filled += bytes;
        if let Some(shard) = shards.last_mut() {
            shard.extend(tensors);
        }
    }
    shards
}

/// A tensor, and its scales where it has them. Deviations are such that the numbers between the layers neither grow nor
/// vanish: 1 / sqrt(inputs), and less for what is added to the residual (as GPT-2 was initialised).
fn planned(preset: &Preset, name: String, shape: Vec<usize>) -> Vec<Planned> {
    let inputs = shape.last().copied().unwrap_or(1) as f32;
    let depth = 2.0 * preset.config.num_hidden_layers as f32;
    let deviation = match name.as_str() {
        layout::EMBEDDING if !preset.config.tie_word_embeddings => 1.0,
        name if name.contains("o_proj") || name.contains("down_proj") => 1.0 / (inputs * depth).sqrt(),
        _ => 1.0 / inputs.sqrt(),
    };
    if shape.len() == 1 {
        return vec![Planned { name, dtype: Dtype::Bf16, shape, fill: Fill::Constant(1.0) }];
    }
    let fill = Fill::Random(deviation);
    if preset.matrices == Dtype::I8 && name.contains("_proj") {
        let rows = shape.first().copied().into_iter().collect();
        // Bytes are uniform over -127..=127, which has a deviation of about 127 / sqrt(3).
        let scale = Fill::Constant(deviation * 3.0_f32.sqrt() / 127.0);
        let scale =
            Planned { name: format!("{name}{SCALE_SUFFIX}"), dtype: Dtype::F32, shape: rows, fill: scale };
        return vec![Planned { name, dtype: Dtype::I8, shape, fill }, scale];
    }
    vec![Planned { name, dtype: Dtype::Bf16, shape, fill }]
}

/// Writes one safetensors file: length of the header, header, numbers. Never more than a few numbers are in memory.
fn write_shard(path: &Path, tensors: &[Planned], random: &mut u64) -> std::io::Result<()> {
    let mut header = Map::new();
    let mut start = 0;
    for tensor in tensors {
        let end = start + tensor.bytes();
        let dtype = tensor.dtype.to_string().to_uppercase();
        let entry = json!({ "dtype": dtype, "shape": tensor.shape, "data_offsets": [start, end] });
        header.insert(tensor.name.clone(), entry);
        start = end;
    }
    let mut header = Value::Object(header).to_string();
    header.push_str(&" ".repeat(header.len().next_multiple_of(8) - header.len()));
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path)?);
    file.write_all(&(header.len() as u64).to_le_bytes())?;
    file.write_all(header.as_bytes())?;
    for tensor in tensors {
        write_numbers(&mut file, tensor, random)?;
    }
    file.flush()
}

fn write_numbers(file: &mut impl Write, tensor: &Planned, random: &mut u64) -> std::io::Result<()> {
    let mut left = tensor.numbers();
    match (&tensor.fill, tensor.dtype) {
        (Fill::Constant(value), Dtype::F32) => {
            (0..left).try_for_each(|_| file.write_all(&value.to_le_bytes()))
        }
        (Fill::Constant(value), _) => {
            let value = bf16::from_f32(*value).to_le_bytes();
            (0..left).try_for_each(|_| file.write_all(&value))
        }
        (Fill::Random(_), Dtype::I8) => {
            while left > 0 {
                // -128 has no counterpart and would shift the mean.
                let bytes = next_random(random).to_le_bytes().map(|byte| if byte == 128 { 0 } else { byte });
                let count = left.min(8);
                file.write_all(bytes.get(..count as usize).unwrap_or_default())?;
                left -= count;
            }
            Ok(())
        }
        (Fill::Random(deviation), _) => {
            // A uniform number in -1..1 has the deviation 1 / sqrt(3).
            let scale = deviation * 3.0_f32.sqrt() / 32_768.0;
            while left > 0 {
                let bytes = next_random(random).to_le_bytes();
                for quarter in bytes.as_chunks().0.iter().take(left.min(4) as usize) {
                    let uniform = f32::from(i16::from_le_bytes(*quarter)) + 0.5;
                    file.write_all(&bf16::from_f32(uniform * scale).to_le_bytes())?;
                }
                left -= left.min(4);
            }
            Ok(())
        }
    }
}

fn write_json(path: &Path, value: &Value) -> Result<(), Error> {
    fs::write(path, format!("{value:#}\n")).map_err(|source| Error::write(path, source))
}
