//! What can go wrong, in words that say where and what to do.

use std::{io, path::Path, path::PathBuf};

use safetensors::{Dtype, SafeTensorError};
use thiserror::Error;

/// Why a model folder could not be loaded.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LoadError {
    /// A file is missing or unreadable.
    #[error("cannot read {path}: {source}; check the path, or write the model with train/train.py", path = .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The configuration is not valid.
    #[error("{path} is not a usable configuration: {reason}; write it with train/train.py instead of by hand", path = .path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The tokenizer file is not one.
    #[error("{path} is not a usable tokenizer: {reason}; copy it whole from the model's training run", path = .path.display())]
    Tokenizer {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The tokenizer can give ids for which the model has no embedding.
    #[error(
        "{path} gives token ids up to {largest_id}, but the configuration has a vocabulary of {vocabulary}; \
         take tokenizer and configuration from the same training run",
        path = .path.display()
    )]
    Vocabulary {
        /// The tokenizer file.
        path: PathBuf,
        /// Largest id in the tokenizer.
        largest_id: u32,
        /// Rows of the token embedding.
        vocabulary: usize,
    },
    /// The weights file is damaged.
    #[error(
        "{path} ({bytes} bytes) is not a whole safetensors file: {source}; copy it again, it may be cut short",
        path = .path.display()
    )]
    Weights {
        /// The file.
        path: PathBuf,
        /// Its length.
        bytes: usize,
        /// What the reader said.
        source: SafeTensorError,
    },
    /// The configuration asks for a tensor that the file lacks.
    #[error(
        "{path} has no tensor `{tensor}` (expected shape {expected:?}); \
         take weights and configuration from the same training run",
        path = .path.display()
    )]
    MissingTensor {
        /// The file.
        path: PathBuf,
        /// Name of the tensor.
        tensor: String,
        /// Shape it should have.
        expected: Vec<usize>,
    },
    /// The file holds a tensor that the configuration does not know: the model would be computed without it.
    #[error(
        "{path} has a tensor `{tensor}` of shape {found:?} that the configuration has no place for; \
         take weights and configuration from the same training run",
        path = .path.display()
    )]
    UnknownTensor {
        /// The file.
        path: PathBuf,
        /// Name of the tensor.
        tensor: String,
        /// Its shape.
        found: Vec<usize>,
    },
    /// A tensor has another shape than the configuration says.
    #[error(
        "{path}: tensor `{tensor}` has shape {found:?}, expected {expected:?}; \
         take weights and configuration from the same training run",
        path = .path.display()
    )]
    Shape {
        /// The file.
        path: PathBuf,
        /// Name of the tensor.
        tensor: String,
        /// Shape the configuration asks for.
        expected: Vec<usize>,
        /// Shape in the file.
        found: Vec<usize>,
    },
    /// A tensor is stored in a number format that is not read here.
    #[error("{path}: tensor `{tensor}` is stored as {found:?}; save it as F16 or F32", path = .path.display())]
    NumberFormat {
        /// The file.
        path: PathBuf,
        /// Name of the tensor.
        tensor: String,
        /// Format in the file.
        found: Dtype,
    },
    /// A weight is infinite or not a number.
    #[error(
        "{path}: tensor `{tensor}` holds {value} at position {position}; \
         the training run diverged or the file is damaged, take another",
        path = .path.display()
    )]
    NotFinite {
        /// The file.
        path: PathBuf,
        /// Name of the tensor.
        tensor: String,
        /// Index into the tensor, row by row.
        position: usize,
        /// The number found.
        value: f32,
    },
}

impl LoadError {
    pub(crate) fn read(path: &Path, source: io::Error) -> Self {
        Self::Read { path: path.into(), source }
    }
}

/// Why a message got no intent.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ClassifyError {
    /// The message is empty, or only spaces and characters that the tokenizer drops.
    #[error(
        "no token is left of this text of {bytes} bytes; send a message with at least one visible character"
    )]
    EmptyText {
        /// Length of the text.
        bytes: usize,
    },
    /// The tokenizer refused the text.
    #[error("the tokenizer failed: {0}; report it together with the text")]
    Tokenize(String),
    /// A token id has no embedding.
    #[error(
        "token id {id} is outside the {vocabulary} rows of the embedding; the tokenizer belongs to another model"
    )]
    TokenOutOfRange {
        /// The id.
        id: u32,
        /// Rows of the embedding.
        vocabulary: usize,
    },
    /// There are no ids, or more of them than the model has positions.
    #[error("{found} token ids, but the model reads between 1 and {most}; cut the list first")]
    TokenCount {
        /// Ids given.
        found: usize,
        /// Most the model reads.
        most: usize,
    },
    /// A logit is infinite or not a number.
    #[error("the model computed a logit that is not finite; its weights are damaged, load them again")]
    NotFinite,
}
