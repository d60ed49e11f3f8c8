//! What can go wrong, in words that say where and what to do.

use std::{io, path::Path, path::PathBuf};

use safetensors::SafeTensorError;
use thiserror::Error;

/// Why a model could not be loaded, or a request not be answered.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// A file is missing or unreadable.
    #[error("cannot read {path}: {source}", path = .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A file could not be written.
    #[error("cannot write {path}: {source}", path = .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A file is not JSON.
    #[error("{path} is not valid JSON: {reason}; copy it whole", path = .path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// What the reader said.
        reason: String,
    },
    /// A key of the configuration is missing, or has a value that this decoder does not compute with.
    #[error("{path}: `{key}` is {found}, expected {expected}", path = .path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// The key.
        key: String,
        /// Its value, or "missing".
        found: String,
        /// What would be right.
        expected: String,
    },
    /// A folder holds neither one weights file nor an index of several.
    #[error("{path} has neither `model.safetensors` nor `model.safetensors.index.json`", path = .path.display())]
    NoWeights {
        /// The folder.
        path: PathBuf,
    },
    /// A weights file is damaged.
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
    /// The index of several weights files is not one.
    #[error("{path} is not a usable index: {reason}; copy it from where the weights are from", path = .path.display())]
    Index {
        /// The index file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The index names a weights file that is not in the folder.
    #[error("{path} puts tensor `{tensor}` in {shard}, and that file is missing; copy it too", path = .path.display())]
    MissingShard {
        /// The index file.
        path: PathBuf,
        /// Name of the weights file.
        shard: String,
        /// A tensor that it should hold.
        tensor: String,
    },
    /// The index puts a tensor in a file that does not have it.
    #[error("{path} has no tensor `{tensor}`, although the index puts it there; copy index and weights together", path = .path.display())]
    NotInShard {
        /// The weights file.
        path: PathBuf,
        /// Name of the tensor.
        tensor: String,
    },
    /// There is no such tensor: in the one weights file, or in the index of several.
    #[error("{path} has no tensor `{tensor}`; take weights and configuration from the same model", path = .path.display())]
    MissingTensor {
        /// The weights file or the index.
        path: PathBuf,
        /// Name of the tensor.
        tensor: String,
    },
    /// The configuration has no place for a tensor: the model would be computed without it.
    #[error(
        "{path} has a tensor `{tensor}` of shape {found:?} that the configuration has no place for; \
         take weights and configuration from the same model",
        path = .path.display()
    )]
    UnknownTensor {
        /// The weights file.
        path: PathBuf,
        /// Name of the tensor.
        tensor: String,
        /// Its shape.
        found: Vec<usize>,
    },
    /// A tensor has another shape than the configuration says.
    #[error(
        "{path}: tensor `{tensor}` has shape {found:?}, expected {expected:?}; \
         take weights and configuration from the same model",
        path = .path.display()
    )]
    Shape {
        /// The weights file.
        path: PathBuf,
        /// Name of the tensor.
        tensor: String,
        /// Shape in the file.
        found: Vec<usize>,
        /// Shape that the configuration asks for.
        expected: Vec<usize>,
    },
    /// A tensor is stored in a number format that is not read here.
    #[error("{path}: tensor `{tensor}` is stored as {found}, expected {expected}", path = .path.display())]
    NumberFormat {
        /// The weights file.
        path: PathBuf,
        /// Name of the tensor.
        tensor: String,
        /// Format in the file.
        found: String,
        /// Formats that are read here.
        expected: &'static str,
    },
    /// A weight is infinite or not a number.
    #[error("{path}: tensor `{tensor}` holds {value} at position {position}; the file is damaged", path = .path.display())]
    NotFinite {
        /// The weights file.
        path: PathBuf,
        /// Name of the tensor.
        tensor: String,
        /// Index into the tensor, row by row.
        position: usize,
        /// The number found.
        value: f32,
    },
    /// A weight is too large for the number format that the engine was told to use.
    #[error(
        "{path}: tensor `{tensor}` holds {value} at position {position}, which is infinite in {dtype}; \
         load the model in another number format",
        path = .path.display()
    )]
    NotHeld {
        /// The weights file.
        path: PathBuf,
        /// Name of the tensor.
        tensor: String,
        /// Index into the tensor, row by row.
        position: usize,
        /// The number in the file.
        value: f32,
        /// The number format.
        dtype: crate::Dtype,
    },
    /// The tokenizer file is not one.
    #[error("{path} is not a usable tokenizer: {reason}", path = .path.display())]
    Tokenizer {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The tokenizer can give ids for which the model has no embedding.
    #[error(
        "{path} gives token ids up to {largest_id}, but the embedding has {vocabulary} rows; \
         take tokenizer and weights from the same model",
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
    /// The tokenizer refused a text, or ids.
    #[error("the tokenizer failed: {0}")]
    Tokenize(String),
    /// There is nothing to read.
    #[error("the prompt is empty; send at least one token")]
    EmptyPrompt,
    /// No sequence was given to decode.
    #[error("the batch is empty; send at least one sequence")]
    EmptyBatch,
    /// A token id has no embedding.
    #[error(
        "token id {id} at position {position} is outside the {vocabulary} rows of the embedding; \
         the tokenizer belongs to another model"
    )]
    TokenOutOfRange {
        /// The id.
        id: u32,
        /// Its index: in the prompt for a prefill, in the batch for a decode.
        position: usize,
        /// Rows of the embedding.
        vocabulary: usize,
    },
    /// A sequence would grow beyond the positions that the model knows.
    #[error(
        "{length} tokens and {tokens} more are {sum}, but the model's context is {context} tokens; cut the prompt",
        sum = length + tokens
    )]
    ContextExceeded {
        /// Tokens already in the sequence.
        length: usize,
        /// Tokens to append.
        tokens: usize,
        /// `max_position_embeddings` of the configuration.
        context: usize,
    },
    /// A sequence would grow beyond what it was opened for.
    #[error(
        "{length} tokens and {tokens} more are {sum}, but the sequence was opened for {capacity}; open it larger",
        sum = length + tokens
    )]
    CapacityExceeded {
        /// Tokens already in the sequence.
        length: usize,
        /// Tokens to append.
        tokens: usize,
        /// Tokens that the sequence was opened for.
        capacity: usize,
    },
    /// The cache has no room for another sequence.
    #[error(
        "a sequence of {capacity} tokens does not fit: {capacity} x {bytes_per_token} B = {needed} B of keys and values, \
         and {free} of {total} tokens x {bytes_per_token} B = {available} B are free; close a sequence or plan a larger cache",
        needed = (*capacity as u64).saturating_mul(*bytes_per_token),
        available = (*free as u64).saturating_mul(*bytes_per_token)
    )]
    CacheFull {
        /// Tokens asked for, rounded up to whole pages.
        capacity: usize,
        /// Tokens still free.
        free: usize,
        /// Tokens of the whole cache.
        total: usize,
        /// Bytes of keys and values per token.
        bytes_per_token: u64,
    },
    /// A sequence that this engine did not open.
    #[error("the sequence in slot {slot} is not one of this engine's; use it with the engine that opened it")]
    ForeignSequence {
        /// The slot that it names.
        slot: usize,
    },
    /// The model does not fit into memory.
    #[error("the model does not fit into {available} B of {place}:\n{plan}")]
    Memory {
        /// Which memory: "host memory", or a device's name.
        place: String,
        /// Bytes available there.
        available: u64,
        /// The arithmetic, as [`crate::plan::Plan`] prints it.
        plan: String,
    },
    /// A sampling setting makes no sense.
    #[error("{name} is {value}, expected {expected}")]
    Sampling {
        /// The setting.
        name: &'static str,
        /// Its value.
        value: f32,
        /// What would be right.
        expected: &'static str,
    },
    /// A logit is infinite or not a number.
    #[error("the model computed a logit that is not finite, at {position}; its weights are damaged")]
    LogitNotFinite {
        /// Index of the logit.
        position: usize,
    },
    /// A device, or the library that drives it, failed.
    #[error("{0}")]
    Device(String),
}

impl Error {
    pub(crate) fn read(path: &Path, source: io::Error) -> Self {
        Self::Read { path: path.into(), source }
    }

    pub(crate) fn write(path: &Path, source: io::Error) -> Self {
        Self::Write { path: path.into(), source }
    }
}
