//! The sizes of the network and the names of the intents, as `config.json` states them.

use std::{fs, path::Path};

use serde::Deserialize;

use crate::LoadError;

/// No size in a configuration may exceed this: it keeps every product of two sizes far from overflow.
const LARGEST_SIZE: usize = 1 << 20;

/// What `config.json` says about the model. Every field is required and no other is allowed.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Name of the model, for reports.
    pub name: String,
    /// Rows of the token embedding: token ids run from 0 to `vocabulary - 1`.
    pub vocabulary: usize,
    /// Numbers per token between the layers.
    pub width: usize,
    /// Transformer layers.
    pub layers: usize,
    /// Attention heads per layer; divides `width`.
    pub heads: usize,
    /// Numbers per token inside the feed-forward block.
    pub feed_forward: usize,
    /// Most tokens the model reads, the leading `[CLS]` included; also the rows of the position embedding.
    pub max_tokens: usize,
    /// Most bytes of UTF-8 text handed to the tokenizer; the rest of a longer message is dropped.
    pub max_bytes: usize,
    /// Added to the variance in every layer norm.
    pub norm_epsilon: f32,
    /// The intents, in the order of the logits.
    pub labels: Vec<String>,
}

impl Config {
    /// Reads and checks a `config.json`.
    ///
    /// # Errors
    ///
    /// [`LoadError::Read`] when the file cannot be read, [`LoadError::Config`] when it is not valid JSON, a
    /// field is missing or unknown, or a size makes no sense.
    pub fn load(path: &Path) -> Result<Self, LoadError> {
        let bytes = fs::read(path).map_err(|source| LoadError::read(path, source))?;
        let config: Self = serde_json::from_slice(&bytes)
            .map_err(|error| LoadError::Config { path: path.into(), reason: error.to_string() })?;
        match config.fault() {
            Some(reason) => Err(LoadError::Config { path: path.into(), reason }),
            None => Ok(config),
        }
    }

    /// What is wrong with these sizes, if anything.
    pub(crate) fn fault(&self) -> Option<String> {
        let sizes = [
            ("vocabulary", self.vocabulary),
            ("width", self.width),
            ("layers", self.layers),
            ("heads", self.heads),
            ("feed_forward", self.feed_forward),
            ("max_tokens", self.max_tokens),
            ("max_bytes", self.max_bytes),
            ("number of labels", self.labels.len()),
        ];
        if let Some((name, size)) = sizes.into_iter().find(|(_, size)| !(1..=LARGEST_SIZE).contains(size)) {
            return Some(format!("{name} is {size}, but must be between 1 and {LARGEST_SIZE}"));
        }
        if !self.width.is_multiple_of(self.heads) {
            return Some(format!("width {} is not a multiple of heads {}", self.width, self.heads));
        }
        if !(self.norm_epsilon > 0.0 && self.norm_epsilon.is_finite()) {
            return Some(format!("norm_epsilon is {}, but must be above zero", self.norm_epsilon));
        }
        None
    }
}
