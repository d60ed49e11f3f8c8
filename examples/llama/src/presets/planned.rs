//! Which tensors a preset's files hold, and the header of such a file. Makes no numbers.

use serde_json::{Map, Value, json};

use super::Preset;
use crate::{Dtype, layout, weights::SCALE_SUFFIX};

/// A tensor that is to be made.
pub(super) struct Planned {
    pub(super) name: String,
    pub(super) dtype: Dtype,
    pub(super) shape: Vec<usize>,
    pub(super) fill: Fill,
    /// What its random numbers begin with, apart from the model's seed.
    pub(super) number: u64,
}

/// What its numbers are.
#[derive(Clone, Copy)]
pub(super) enum Fill {
    /// All the same.
    Constant(f32),
    /// Uniform with this standard deviation.
    Random(f32),
}

impl Planned {
    pub(super) fn numbers(&self) -> u64 {
        self.shape.iter().map(|size| *size as u64).product()
    }

    pub(super) fn bytes(&self) -> u64 {
        self.numbers() * self.dtype.bytes() as u64
    }
}

/// The tensors of each file, of at most as many bytes.
pub(super) fn shards(preset: &Preset, shard_bytes: u64) -> Vec<Vec<Planned>> {
    let mut shards: Vec<Vec<Planned>> = Vec::new();
    let mut filled = 0;
    for (number, (name, shape)) in (0..).zip(layout::tensors(&preset.config)) {
        let tensors = planned(preset, name, shape, number);
        let bytes: u64 = tensors.iter().map(Planned::bytes).sum();
        if shards.is_empty() || bytes.saturating_add(filled) > shard_bytes {
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
fn planned(preset: &Preset, name: String, shape: Vec<usize>, number: u64) -> Vec<Planned> {
    let inputs = shape.last().copied().unwrap_or(1) as f32;
    let depth = 2.0 * preset.config.num_hidden_layers as f32;
    let deviation = match name.as_str() {
        layout::EMBEDDING if !preset.config.tie_word_embeddings => 1.0,
        name if name.contains("o_proj") || name.contains("down_proj") => 1.0 / (inputs * depth).sqrt(),
        _ => 1.0 / inputs.sqrt(),
    };
    if shape.len() == 1 {
        return vec![Planned { name, dtype: Dtype::Bf16, shape, fill: Fill::Constant(1.0), number }];
    }
    let fill = Fill::Random(deviation);
    if preset.matrices == Dtype::I8 && name.contains("_proj") {
        let rows = shape.first().copied().into_iter().collect();
        // Bytes are uniform over -127..=127, which has a deviation of about 127 / sqrt(3).
        let scale = Fill::Constant(deviation * 3.0_f32.sqrt() / 127.0);
        let scale = Planned {
            name: format!("{name}{SCALE_SUFFIX}"),
            dtype: Dtype::F32,
            shape: rows,
            fill: scale,
            number,
        };
        return vec![Planned { name, dtype: Dtype::I8, shape, fill, number }, scale];
    }
    vec![Planned { name, dtype: Dtype::Bf16, shape, fill, number }]
}

/// What a safetensors file begins with: the length of the header and the header, as JSON. The numbers follow, tensor after
/// tensor.
pub(super) fn header(tensors: &[Planned]) -> Vec<u8> {
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
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.into_bytes());
    bytes
}
