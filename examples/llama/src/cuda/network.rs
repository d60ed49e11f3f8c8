//! The weights as the forward pass uses them, and how much memory they take.

use gapbench_cuda::Buffer;

use super::kernels::Element;
use super::load::{Loader, Matrix};
use crate::{Config, Dtype, Error, Weights, layout};

/// One decoder layer.
#[derive(Debug)]
pub(super) struct Layer {
    pub(super) attention_norm: Buffer<u8>,
    /// Queries, keys and values one below the other: one product instead of three.
    pub(super) query_key_value: Matrix,
    pub(super) attention_out: Matrix,
    pub(super) feed_forward_norm: Buffer<u8>,
    /// Gate and up, one below the other.
    pub(super) gate_up: Matrix,
    pub(super) down: Matrix,
}

/// All weights.
#[derive(Debug)]
pub(super) struct Network {
    /// Rows that the embedding gathers; the head too where that is tied.
    pub(super) embedding: Matrix,
    pub(super) layers: Vec<Layer>,
    pub(super) norm: Buffer<u8>,
    head: Option<Matrix>,
}

/// The parts of a layer's matrices that are kept one below the other.
const QUERY_KEY_VALUE: [&str; 3] = ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"];
const GATE_UP: [&str; 2] = ["mlp.gate_proj", "mlp.up_proj"];

fn names(layer: usize, parts: &[&str]) -> Vec<String> {
    parts.iter().map(|part| layout::name(layer, part)).collect()
}

impl Network {
    /// The weights have been checked against the configuration.
    pub(super) fn load(config: &Config, loader: &mut Loader<'_>) -> Result<Self, Error> {
        let hidden = config.hidden_size;
        let embedding = Matrix {
            data: loader.vector(layout::EMBEDDING)?,
            scales: None,
            outputs: config.vocab_size,
            inputs: hidden,
        };
        let mut layers = Vec::with_capacity(config.num_hidden_layers);
        for number in 0..config.num_hidden_layers {
            layers.push(Layer {
                attention_norm: loader.vector(&layout::name(number, "input_layernorm"))?,
                query_key_value: loader.matrix(&names(number, &QUERY_KEY_VALUE), hidden)?,
                attention_out: loader.matrix(&names(number, &["self_attn.o_proj"]), config.query_size())?,
                feed_forward_norm: loader.vector(&layout::name(number, "post_attention_layernorm"))?,
                gate_up: loader.matrix(&names(number, &GATE_UP), hidden)?,
                down: loader.matrix(&names(number, &["mlp.down_proj"]), config.intermediate_size)?,
            });
        }
        let norm = loader.vector(layout::FINAL_NORM)?;
        let tied = config.tie_word_embeddings;
        let head = if tied { None } else { Some(loader.matrix(&[layout::HEAD.to_owned()], hidden)?) };
        Ok(Self { embedding, layers, norm, head })
    }

    pub(super) fn head(&self) -> &Matrix {
        self.head.as_ref().unwrap_or(&self.embedding)
    }
}

/// The type to compute in: that of the first tensor that is not of bytes.
pub(super) fn stored_element(config: &Config, weights: &Weights) -> Result<Element, Error> {
    for (name, _) in layout::tensors(config) {
        if let Ok(element) = Element::try_from(weights.tensor(&name)?.dtype) {
            return Ok(element);
        }
    }
    Ok(Element::Bf16)
}

/// Bytes that the weights will take as [`Network`] holds them, and of the largest matrix of bytes once it is widened.
pub(super) fn planned_bytes(
    config: &Config,
    weights: &Weights,
    element: Element,
) -> Result<(u64, u64), Error> {
    let mut bytes = 0;
    for (name, shape) in layout::tensors(config) {
        let numbers = shape.iter().map(|size| *size as u64).product::<u64>();
        let is_bytes =
            weights.tensor(&name)?.dtype == Dtype::I8 && name != layout::EMBEDDING && shape.len() > 1;
        bytes += if is_bytes && stays_bytes(weights, &name)? {
            numbers + 4 * shape.first().map_or(0, |rows| *rows as u64)
        } else {
            numbers * element.bytes() as u64
        };
    }
    let has_bytes = layout::tensors(config).try_fold(false, |found, (name, shape)| {
        Ok::<_, Error>(found || (shape.len() > 1 && weights.tensor(&name)?.dtype == Dtype::I8))
    })?;
    let hidden = config.hidden_size as u64;
    let (query, key_value) = (config.query_size() as u64, config.key_value_size() as u64);
    let largest = [
        (query + 2 * key_value) * hidden,
        2 * config.intermediate_size as u64 * hidden,
        if config.tie_word_embeddings { 0 } else { config.vocab_size as u64 * hidden },
    ];
    let widened = if has_bytes { largest.into_iter().max().unwrap_or(0) * element.bytes() as u64 } else { 0 };
    Ok((bytes, widened))
}

/// Whether all matrices that are kept together with this one are of bytes.
fn stays_bytes(weights: &Weights, name: &str) -> Result<bool, Error> {
    for group in [QUERY_KEY_VALUE.as_slice(), GATE_UP.as_slice()] {
        for part in group {
            if let Some(before) = name.strip_suffix(&format!("{part}.weight")) {
                let is_bytes = |part: &&str| {
                    Ok::<_, Error>(weights.tensor(&format!("{before}{part}.weight"))?.dtype == Dtype::I8)
                };
                return group.iter().try_fold(true, |all, part| Ok(all && is_bytes(part)?));
            }
        }
    }
    Ok(true)
}
