//! The network: token ids in, one logit per intent out.
//!
//! A transformer encoder with the norm before each block ("pre-norm"):
//!
//! ```text
//! x = token embedding + position embedding              [tokens, width]
//! for each layer:
//!     x += out(attention(qkv(norm1(x))))
//!     x += down(gelu(up(norm2(x))))
//! logits = head(mean over tokens of norm(x))            [labels]
//! ```
//!
//! There is one message at a time and so no padding anywhere: every row is a real token.

use std::{fs, path::Path};

use crate::{
    ClassifyError, Config, LoadError, math,
    matmul::{Matrix, MatrixMut, Mode, matmul},
    weights::Weights,
};

/// The weights, ready to be multiplied with.
#[derive(Debug)]
pub struct Model {
    width: usize,
    heads: usize,
    max_tokens: usize,
    /// `[vocabulary, width]`
    token: Vec<f32>,
    /// `[max_tokens, width]`
    position: Vec<f32>,
    layers: Vec<Layer>,
    norm: Norm,
    head: Linear,
}

#[derive(Debug)]
struct Layer {
    norm1: Norm,
    /// Queries, keys and values side by side: `width` to `3 * width`.
    qkv: Linear,
    out: Linear,
    norm2: Norm,
    up: Linear,
    down: Linear,
}

/// A layer norm: every row gets mean 0 and variance 1, then this gain and bias.
#[derive(Debug)]
pub(crate) struct Norm {
    pub(crate) gain: Vec<f32>,
    pub(crate) bias: Vec<f32>,
    pub(crate) epsilon: f32,
}

/// A linear map `y = x * weight + bias`.
#[derive(Debug)]
pub(crate) struct Linear {
    /// `[inputs, outputs]`
    pub(crate) weight: Vec<f32>,
    /// `[outputs]`
    pub(crate) bias: Vec<f32>,
}

impl Model {
    /// Loads `model.safetensors`. Weights are widened to f32 here, once; all arithmetic is f32.
    ///
    /// # Errors
    ///
    /// [`LoadError`] names the tensor that is missing, unknown, of another shape or number format than the
    /// configuration asks for, or not finite.
    pub fn load(path: &Path, config: &Config) -> Result<Self, LoadError> {
        if let Some(reason) = config.fault() {
            return Err(LoadError::Config { path: path.into(), reason });
        }
        let bytes = fs::read(path).map_err(|source| LoadError::read(path, source))?;
        let mut weights = Weights::parse(path, &bytes)?;
        let (width, epsilon) = (config.width, config.norm_epsilon);

        let layer = |weights: &mut Weights<'_>, index: usize| {
            let name = |part: &str| format!("layers.{index}.{part}");
            Ok(Layer {
                norm1: weights.norm(&name("norm1"), width, epsilon)?,
                qkv: weights.linear(&name("qkv"), width, 3 * width)?,
                out: weights.linear(&name("out"), width, width)?,
                norm2: weights.norm(&name("norm2"), width, epsilon)?,
                up: weights.linear(&name("up"), width, config.feed_forward)?,
                down: weights.linear(&name("down"), config.feed_forward, width)?,
            })
        };
        let model = Self {
            width,
            heads: config.heads,
            max_tokens: config.max_tokens,
            token: weights.tensor("token.weight", &[config.vocabulary, width])?,
            position: weights.tensor("position.weight", &[config.max_tokens, width])?,
            layers: (0..config.layers)
                .map(|index| layer(&mut weights, index))
                .collect::<Result<_, LoadError>>()?,
            norm: weights.norm("norm", width, epsilon)?,
            head: weights.linear("head", width, config.labels.len())?,
        };
        weights.finish()?;
        Ok(model)
    }

    /// Runs the network over one message.
    ///
    /// `ids` are its token ids, `[CLS]` first; the answer has one logit per label.
    ///
    /// # Errors
    ///
    /// [`ClassifyError::TokenCount`] for no ids or more than [`Config::max_tokens`],
    /// [`ClassifyError::TokenOutOfRange`] for an id without an embedding.
    pub fn logits(&self, ids: &[u32]) -> Result<Vec<f32>, ClassifyError> {
        let tokens = ids.len();
        let mut x = self.embed(ids)?;
        // Buffers that every layer writes anew.
        let mut normed = vec![0.0; x.len()];
        let mut mixed = vec![0.0; x.len()];
        let mut qkv = vec![0.0; 3 * x.len()];
        let mut scores = vec![0.0; tokens * tokens];
        let mut hidden = vec![0.0; tokens * self.layers.first().map_or(0, |layer| layer.up.bias.len())];

        for layer in &self.layers {
            layer.norm1.apply(&x, &mut normed);
            layer.qkv.apply(&normed, &mut qkv);
            attend(&qkv, self.heads, tokens, &mut scores, &mut mixed);
            layer.out.add_to(&mixed, &mut x);

            layer.norm2.apply(&x, &mut normed);
            layer.up.apply(&normed, &mut hidden);
            math::gelu(&mut hidden);
            layer.down.add_to(&hidden, &mut x);
        }

        self.norm.apply(&x, &mut normed);
        let mean = math::mean_rows(&normed, self.width);
        let mut logits = vec![0.0; self.head.bias.len()];
        self.head.apply(&mean, &mut logits);
        Ok(logits)
    }

    /// Token embedding plus position embedding, `[tokens, width]`.
    fn embed(&self, ids: &[u32]) -> Result<Vec<f32>, ClassifyError> {
        if ids.is_empty() || ids.len() > self.max_tokens {
            return Err(ClassifyError::TokenCount { found: ids.len(), most: self.max_tokens });
        }
        let mut x = Vec::with_capacity(ids.len() * self.width);
        for (&id, position) in ids.iter().zip(self.position.chunks_exact(self.width)) {
            let start = id as usize * self.width;
            let row = self
                .token
                .get(start..start + self.width)
                .ok_or(ClassifyError::TokenOutOfRange { id, vocabulary: self.token.len() / self.width })?;
            x.extend(row.iter().zip(position).map(|(token, position)| token + position));
        }
        Ok(x)
    }
}

/// Attention: every token's new row is a mean of all tokens' values, weighted by how well its query fits their
/// keys. `qkv` is `[tokens, 3 * width]`, `mixed` is `[tokens, width]`, `scores` is room for `[tokens, tokens]`.
fn attend(qkv: &[f32], heads: usize, tokens: usize, scores: &mut [f32], mixed: &mut [f32]) {
    let width = mixed.len() / tokens;
    let per_head = width / heads;
    let scale = (per_head as f32).sqrt().recip();
    let qkv = Matrix::new(qkv, tokens, 3 * width);
    for first in (0..width).step_by(per_head) {
        let query = qkv.columns(first, per_head);
        let key = qkv.columns(width + first, per_head);
        let value = qkv.columns(2 * width + first, per_head);

        matmul(query, key.transposed(), MatrixMut::new(scores, tokens, tokens), Mode::Replace);
        for row in scores.chunks_exact_mut(tokens) {
            math::softmax(row, scale);
        }
        let out = MatrixMut::new(mixed, tokens, width).columns(first, per_head);
        matmul(Matrix::new(scores, tokens, tokens), value, out, Mode::Replace);
    }
}

impl Linear {
    /// `y = x * weight + bias`, for every row of `x`.
    fn apply(&self, x: &[f32], y: &mut [f32]) {
        for row in y.chunks_exact_mut(self.bias.len()) {
            row.copy_from_slice(&self.bias);
        }
        self.add_product(x, y);
    }

    /// `y += x * weight + bias`, for every row of `x`.
    fn add_to(&self, x: &[f32], y: &mut [f32]) {
        for row in y.chunks_exact_mut(self.bias.len()) {
            row.iter_mut().zip(&self.bias).for_each(|(y, bias)| *y += bias);
        }
        self.add_product(x, y);
    }

    fn add_product(&self, x: &[f32], y: &mut [f32]) {
        let outputs = self.bias.len();
        let inputs = self.weight.len() / outputs;
        let rows = y.len() / outputs;
        let weight = Matrix::new(&self.weight, inputs, outputs);
        matmul(Matrix::new(x, rows, inputs), weight, MatrixMut::new(y, rows, outputs), Mode::Add);
    }
}

impl Norm {
    /// Normalises every row of `x` into `y`.
    fn apply(&self, x: &[f32], y: &mut [f32]) {
        let width = self.gain.len();
        for (x, y) in x.chunks_exact(width).zip(y.chunks_exact_mut(width)) {
            math::layer_norm(x, &self.gain, &self.bias, self.epsilon, y);
        }
    }
}
