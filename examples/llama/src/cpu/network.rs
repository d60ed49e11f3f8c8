//! The weights as the forward pass reads them: all in f32, whatever they are stored in.
//!
//! f32 takes twice the memory of bf16 and so, where a model is larger than the caches, up to twice the time per token;
//! in exchange every number format gives exactly the products of its stored values, and no conversion is on the way.

use std::collections::HashMap;

use super::{
    arena::{Arena, Numbers},
    attention::Heads,
    matmul::{Matrix, MatrixMut, matmul},
    vector::{FewRows, Mode, Reading},
};
use crate::{Config, Error, Weights, layout, rope};

/// A matrix `[outputs, inputs]`, as PyTorch has it.
#[derive(Debug)]
pub(super) struct Linear {
    weight: Numbers,
    inputs: usize,
    /// How one row at a time is multiplied.
    reading: Reading,
}

/// Up to so many rows at once, dot products are faster than a general product, which first copies the matrix into another
/// order (measured on the preset `tiny`).
const FEW: usize = 16;

/// Above so many bytes of weights, most come from memory again for each token. About the share of a last-level cache
/// that a core of a server has; between a quarter and four times as much it makes little difference which way is taken.
const CACHED: u64 = 16 << 20;

/// One decoder layer.
#[derive(Debug)]
pub(super) struct Layer {
    pub(super) attention_norm: Numbers,
    /// Queries, keys and values one below the other: one product instead of three.
    pub(super) query_key_value: Linear,
    pub(super) attention_out: Linear,
    pub(super) feed_forward_norm: Numbers,
    /// Gate and up, one below the other.
    pub(super) gate_up: Linear,
    pub(super) down: Linear,
}

/// All weights.
#[derive(Debug)]
pub(super) struct Network {
    pub(super) heads: Heads,
    pub(super) epsilon: f32,
    /// Radians per position of each pair of a head.
    pub(super) frequencies: Vec<f64>,
    embedding: Linear,
    pub(super) layers: Vec<Layer>,
    pub(super) norm: Numbers,
    /// None where the embedding is the head too.
    head: Option<Linear>,
}

impl Network {
    /// Converts the weights; they have been checked against the configuration.
    pub(super) fn load(config: &Config, weights: &Weights) -> Result<Self, Error> {
        let hidden = config.hidden_size;
        let cached = 4 * layout::parameters(config) <= CACHED;
        let reading = if cached { Reading::FourRows } else { Reading::Onwards };
        // In the order of the layout, in which the matrices that are kept one below the other follow each other.
        let mut places = HashMap::new();
        let mut count = 0;
        for (name, shape) in layout::tensors(config) {
            let numbers: usize = shape.iter().product();
            places.insert(name, count..count + numbers);
            count += numbers;
        }
        let mut arena = Arena::new(count)?;
        for (name, _) in layout::tensors(config) {
            let range = places.get(&name).cloned().unwrap_or_default();
            let numbers = arena.part(range);
            weights.tensor(&name)?.write_f32(numbers);
            weights.check_finite(&name, numbers)?;
        }
        let part = arena.freeze()?;
        let place = |name: &str| places.get(name).cloned().unwrap_or_default();
        let vector = |name: &str| part(place(name));
        let matrix = |first: &str, last: &str, inputs| {
            let weight = part(place(first).start..place(last).end);
            Linear { weight, inputs, reading }
        };
        let layer = |number| {
            let name = |part| layout::name(number, part);
            let matrix = |first, last, inputs| matrix(&name(first), &name(last), inputs);
            Layer {
                attention_norm: vector(&name("input_layernorm")),
                query_key_value: matrix("self_attn.q_proj", "self_attn.v_proj", hidden),
                attention_out: matrix("self_attn.o_proj", "self_attn.o_proj", config.query_size()),
                feed_forward_norm: vector(&name("post_attention_layernorm")),
                gate_up: matrix("mlp.gate_proj", "mlp.up_proj", hidden),
                down: matrix("mlp.down_proj", "mlp.down_proj", config.intermediate_size),
            }
        };
        let tied = config.tie_word_embeddings;
        Ok(Self {
            heads: Heads {
                query: config.num_attention_heads,
                key_value: config.num_key_value_heads,
                dim: config.head_dim,
            },
            epsilon: config.rms_norm_eps,
            frequencies: rope::frequencies(config),
            embedding: matrix(layout::EMBEDDING, layout::EMBEDDING, hidden),
            layers: (0..config.num_hidden_layers).map(layer).collect(),
            norm: vector(layout::FINAL_NORM),
            head: (!tied).then(|| matrix(layout::HEAD, layout::HEAD, hidden)),
        })
    }

    /// The embedding of a token; ids have been checked.
    pub(super) fn embed(&self, token: u32) -> &[f32] {
        let (start, width) = (token as usize * self.embedding.inputs, self.embedding.inputs);
        self.embedding.weight.get(start..start + width).unwrap_or_default()
    }

    pub(super) fn head(&self) -> &Linear {
        self.head.as_ref().unwrap_or(&self.embedding)
    }

    pub(super) fn bytes(&self) -> u64 {
        let layers = self.layers.iter().map(|layer| {
            let norms = layer.attention_norm.len() + layer.feed_forward_norm.len();
            let matrices = [&layer.query_key_value, &layer.attention_out, &layer.gate_up, &layer.down];
            norms + matrices.iter().map(|matrix| matrix.weight.len()).sum::<usize>()
        });
        let ends = self.embedding.weight.len() + self.norm.len();
        let head = self.head.as_ref().map_or(0, |head| head.weight.len());
        4 * (layers.sum::<usize>() + ends + head) as u64
    }
}

impl Linear {
    /// `out = x weight^T` or `out += ...` for `rows` rows of `x`, each `inputs` numbers.
    pub(super) fn apply(&self, rows: usize, x: &[f32], out: &mut [f32], mode: Mode) {
        let outputs = self.weight.len() / self.inputs.max(1);
        if rows <= FEW {
            // With several rows there is more to compute than to read.
            let reading = if rows == 1 { self.reading } else { Reading::FourRows };
            let weight = &self.weight;
            return FewRows { weight, columns: self.inputs, x, out, mode, reading }.run();
        }
        let weight = Matrix::new(&self.weight, outputs, self.inputs).transposed();
        matmul(Matrix::new(x, rows, self.inputs), weight, MatrixMut::new(out, rows, outputs), mode);
    }
}
