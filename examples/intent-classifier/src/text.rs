//! From text to token ids.
//!
//! Both caps are applied here and not by the tokenizer library: what a message may cost is then decided before
//! the library sees it, and nothing in `tokenizer.json` (some files ask for padding to a fixed length) can
//! change how many tokens the model reads.

use std::{fs, path::Path};

use tokenizers::Tokenizer;

use crate::{ClassifyError, Config, LoadError};

/// Turns text into token ids for one model.
#[derive(Debug)]
pub struct TextEncoder {
    tokenizer: Tokenizer,
    max_bytes: usize,
    max_tokens: usize,
}

/// One message as the model reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// Token ids, `[CLS]` first, at most [`Config::max_tokens`] of them.
    pub ids: Vec<u32>,
    /// Whether anything was cut off.
    pub truncated: bool,
}

/// Loads a `tokenizer.json` for a model of this configuration.
///
/// # Errors
///
/// [`LoadError::Read`] when the file cannot be read, [`LoadError::Tokenizer`] when it is not a tokenizer,
/// [`LoadError::Vocabulary`] when it can give ids that the model has no embedding for.
pub fn load_tokenizer(path: &Path, config: &Config) -> Result<TextEncoder, LoadError> {
    let bytes = fs::read(path).map_err(|source| LoadError::read(path, source))?;
    let unusable =
        |error: tokenizers::Error| LoadError::Tokenizer { path: path.into(), reason: error.to_string() };
    let mut tokenizer = Tokenizer::from_bytes(bytes).map_err(unusable)?;
    tokenizer.with_truncation(None).map_err(unusable)?;
    tokenizer.with_padding(None);
    // A message that contains the characters "[CLS]" is text like any other.
    tokenizer.set_encode_special_tokens(true);

    let largest_id = tokenizer.get_vocab(true).into_values().max().unwrap_or(0);
    if largest_id as usize >= config.vocabulary {
        return Err(LoadError::Vocabulary { path: path.into(), largest_id, vocabulary: config.vocabulary });
    }
    Ok(TextEncoder { tokenizer, max_bytes: config.max_bytes, max_tokens: config.max_tokens })
}

impl TextEncoder {
    /// Token ids of `text`, cut to the model's caps: first by bytes, at a character boundary, then by tokens.
    ///
    /// # Errors
    ///
    /// [`ClassifyError::EmptyText`] when only the leading `[CLS]` would be left, [`ClassifyError::Tokenize`]
    /// when the tokenizer library fails.
    pub fn encode(&self, text: &str) -> Result<Encoded, ClassifyError> {
        let (head, tail) = text.split_at(text.floor_char_boundary(self.max_bytes));
        let encoding = self
            .tokenizer
            .encode_fast(head, true)
            .map_err(|error| ClassifyError::Tokenize(error.to_string()))?;
        let all = encoding.get_ids();
        if all.len() < 2 {
            return Err(ClassifyError::EmptyText { bytes: text.len() });
        }
        let ids: Vec<u32> = all.iter().copied().take(self.max_tokens).collect();
        let truncated = !tail.is_empty() || ids.len() < all.len();
        Ok(Encoded { ids, truncated })
    }
}
