//! Text to token ids and back, by the `tokenizer.json` of the model.

use std::path::Path;

use crate::{Config, Error};

/// Name of the tokenizer inside a model folder.
pub const TOKENIZER_FILE: &str = "tokenizer.json";

/// A tokenizer whose every id has an embedding.
#[derive(Debug)]
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
}

impl Tokenizer {
    /// Reads `tokenizer.json` in a model folder. Truncation and padding that the file asks for are switched off: how long
    /// a prompt may be is the engine's to say, and a padded prompt is another prompt. Special tokens that are spelt out
    /// in a text (`</s>`) are read as text, so that a user cannot end or forge a turn.
    ///
    /// # Errors
    ///
    /// [`Error::Read`], [`Error::Tokenizer`], and [`Error::Vocabulary`] where it can give ids beyond the embedding.
    pub fn load(folder: &Path, config: &Config) -> Result<Self, Error> {
        let path = folder.join(TOKENIZER_FILE);
        let bytes = std::fs::read(&path).map_err(|source| Error::read(&path, source))?;
        let fault =
            |error: tokenizers::Error| Error::Tokenizer { path: path.clone(), reason: error.to_string() };
        let mut inner = tokenizers::Tokenizer::from_bytes(bytes).map_err(fault)?;
        inner.with_truncation(None).map_err(fault)?;
        inner.with_padding(None);
        inner.set_encode_special_tokens(true);
        let largest_id = inner.get_vocab(true).into_values().max().unwrap_or(0);
        if largest_id as usize >= config.vocab_size {
            return Err(Error::Vocabulary { path, largest_id, vocabulary: config.vocab_size });
        }
        Ok(Self { inner })
    }

    /// The ids of a text, with the tokens that the tokenizer itself puts around it (Llama's begin-of-text).
    ///
    /// # Errors
    ///
    /// [`Error::Tokenize`].
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, Error> {
        let encoding = self.inner.encode_fast(text, true);
        encoding
            .map(|encoding| encoding.get_ids().to_vec())
            .map_err(|error| Error::Tokenize(error.to_string()))
    }

    /// The text of ids, without special tokens. Decode an answer as a whole: a character may be several tokens.
    ///
    /// # Errors
    ///
    /// [`Error::Tokenize`].
    pub fn decode(&self, ids: &[u32]) -> Result<String, Error> {
        self.inner.decode(ids, true).map_err(|error| Error::Tokenize(error.to_string()))
    }
}
