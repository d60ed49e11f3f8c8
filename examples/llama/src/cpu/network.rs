//! The weights as the forward pass reads them: all in f32, whatever they are stored in.
//!
//! f32 takes twice the memory of bf16 and so, where a model is larger than the caches, up to twice the time per token;
//! in exchange every number format gives exactly the products of its stored values, and no conversion is on the way.

use super::{
    attention::Heads,
    matmul::{Matrix, MatrixMut, matmul},
    vector::{FewRows, Mode, Reading},
};
use crate::{Config, Error, Weights, layout, rope};

/// A matrix `[outputs, inputs]`, as PyTorch has it.
#[derive(Debug)]
pub(super) struct Linear {
    weight: Vec<f32>,
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
    pub(super) attention_norm: Vec<f32>,
    /// Queries, keys and values one below the other: one product instead of three.
    pub(super) query_key_value: Linear,
    pub(super) attention_out: Linear,
    pub(super) feed_forward_norm: Vec<f32>,
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
    pub(super) norm: Vec<f32>,
    /// None where the embedding is the head too.
    head: Option<Linear>,
}

impl Network {
    /// Converts the weights; they have been checked against the configuration.
    pub(super) fn load(config: &Config, weights: &Weights) -> Result<Self, Error> {
        let hidden = config.hidden_size;
        let cached = 4 * layout::parameters(config) <= CACHED;
        let reading = if cached { Reading::FourRows } else { Reading::Onwards };
        let layer = |number| {
            let vector = |part| numbers(weights, &layout::name(number, part));
            let matrix = |parts: &[&str], inputs| {
                let names: Vec<String> = parts.iter().map(|part| layout::name(number, part)).collect();
                Linear::load(weights, &names, inputs, reading)
            };
            Ok(Layer {
                attention_norm: vector("input_layernorm")?,
                query_key_value: matrix(
                    &["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"],
                    hidden,
                )?,
                attention_out: matrix(&["self_attn.o_proj"], config.query_size())?,
                feed_forward_norm: vector("post_attention_layernorm")?,
                gate_up: matrix(&["mlp.gate_proj", "mlp.up_proj"], hidden)?,
                down: matrix(&["mlp.down_proj"], config.intermediate_size)?,
            })
        };
        let head = || Linear::load(weights, &[layout::HEAD.into()], hidden, reading);
        Ok(Self {
            heads: Heads {
                query: config.num_attention_heads,
                key_value: config.num_key_value_heads,
                dim: config.head_dim,
            },
            epsilon: config.rms_norm_eps,
            frequencies: rope::frequencies(config),
            embedding: Linear::load(weights, &[layout::EMBEDDING.into()], hidden, reading)?,
            layers: (0..config.num_hidden_layers).map(layer).collect::<Result<_, Error>>()?,
            norm: numbers(weights, layout::FINAL_NORM)?,
            head: (!config.tie_word_embeddings).then(head).transpose()?,
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
    fn load(weights: &Weights, names: &[String], inputs: usize, reading: Reading) -> Result<Self, Error> {
        let mut weight = Vec::new();
        for name in names {
            let part = numbers(weights, name)?;
            // Moved where there is one part; else grown by exactly what is needed.
            if weight.is_empty() && names.len() == 1 {
                weight = part;
            } else {
                weight.reserve_exact(part.len());
                weight.extend(part);
            }
        }
        Ok(Self { weight, inputs, reading })
    }

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

/// The numbers of a tensor, all of them finite.
fn numbers(weights: &Weights, name: &str) -> Result<Vec<f32>, Error> {
    let numbers = weights.tensor(name)?.to_f32();
    weights.check_finite(name, &numbers)?;
    Ok(numbers)
}
