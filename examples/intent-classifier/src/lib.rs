//! A small transformer that sorts customer messages into intents.
//!
//! This crate is the *model* of a worked example: real weights, a real tokenizer, a forward pass written out
//! by hand. Read it in the order a message travels:
//!
//! 1. [`text`]: the message becomes token ids, cut first by bytes and then by tokens.
//! 2. [`model`]: the ids become one score (logit) per intent.
//! 3. [`Classifier`]: both of the above, and the name of the best intent.
//!
//! ```no_run
//! use intent_classifier::Classifier;
//! use std::path::Path;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let classifier = Classifier::load(Path::new("model"))?;
//! let prediction = classifier.classify("where is my parcel?")?;
//! println!("{}", prediction.label);
//! # Ok(())
//! # }
//! ```
//!
//! Everything runs on the calling thread; nothing here starts another one. A [`Classifier`] is never changed
//! by a call, so one may be shared between threads.

#![deny(unsafe_code)]

pub mod config;
pub mod error;
mod math;
mod matmul;
pub mod model;
pub mod text;
mod weights;

use std::path::Path;

pub use config::Config;
pub use error::{ClassifyError, LoadError};
pub use model::Model;
pub use text::TextEncoder;

/// Name of the configuration inside a model folder.
pub const CONFIG_FILE: &str = "config.json";
/// Name of the tokenizer inside a model folder.
pub const TOKENIZER_FILE: &str = "tokenizer.json";
/// Name of the weights inside a model folder.
pub const WEIGHTS_FILE: &str = "model.safetensors";

/// The whole pipeline: text in, intent out.
#[derive(Debug)]
pub struct Classifier {
    config: Config,
    encoder: TextEncoder,
    model: Model,
}

/// The answer to one message.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction<'a> {
    /// The intent with the highest logit, one of [`Config::labels`].
    pub label: &'a str,
    /// One unnormalised score per intent, in the order of [`Config::labels`].
    pub logits: Vec<f32>,
    /// Tokens the model read, the leading `[CLS]` included.
    pub tokens: usize,
    /// Whether the end of the message was cut off, by the byte cap or by the token cap.
    pub truncated: bool,
}

impl Classifier {
    /// Loads the model folder `dir`: [`CONFIG_FILE`], [`TOKENIZER_FILE`] and [`WEIGHTS_FILE`].
    ///
    /// To time the parts one by one, call [`Config::load`], [`text::load_tokenizer`] and [`Model::load`], and
    /// put them together with [`Classifier::from_parts`].
    ///
    /// # Errors
    ///
    /// [`LoadError`] names the file, and where it applies the tensor, that is missing, damaged or does not fit
    /// the configuration.
    pub fn load(dir: &Path) -> Result<Self, LoadError> {
        let config = Config::load(&dir.join(CONFIG_FILE))?;
        let encoder = text::load_tokenizer(&dir.join(TOKENIZER_FILE), &config)?;
        let model = Model::load(&dir.join(WEIGHTS_FILE), &config)?;
        Ok(Self::from_parts(config, encoder, model))
    }

    /// Puts together parts that were loaded one by one with the same configuration.
    #[must_use]
    pub fn from_parts(config: Config, encoder: TextEncoder, model: Model) -> Self {
        Self { config, encoder, model }
    }

    /// Finds the intent of one message.
    ///
    /// # Errors
    ///
    /// [`ClassifyError::EmptyText`] when no token is left of `text`; the other variants mean that the model's
    /// files do not belong together.
    pub fn classify(&self, text: &str) -> Result<Prediction<'_>, ClassifyError> {
        let encoded = self.encoder.encode(text)?;
        let logits = self.model.logits(&encoded.ids)?;
        let label = best(&self.config.labels, &logits).ok_or(ClassifyError::NotFinite)?;
        Ok(Prediction { label, logits, tokens: encoded.ids.len(), truncated: encoded.truncated })
    }

    /// The configuration this classifier was loaded with.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The part that turns text into token ids.
    #[must_use]
    pub fn encoder(&self) -> &TextEncoder {
        &self.encoder
    }

    /// The part that turns token ids into logits.
    #[must_use]
    pub fn model(&self) -> &Model {
        &self.model
    }
}

/// The label with the highest logit, the first of equals; `None` unless every logit is finite.
fn best<'a>(labels: &'a [String], logits: &[f32]) -> Option<&'a str> {
    if !logits.iter().all(|logit| logit.is_finite()) {
        return None;
    }
    let ranked = labels.iter().zip(logits);
    ranked.reduce(|best, next| if next.1 > best.1 { next } else { best }).map(|(label, _)| label.as_str())
}
