//! What every engine refuses, in one place, so that all engines refuse the same with the same words.

use crate::{Config, Error, Sequence};

/// Checks a new sequence's capacity.
///
/// # Errors
///
/// [`Error::ContextExceeded`] where it is more than the model's context.
pub fn open(config: &Config, capacity: usize) -> Result<(), Error> {
    fits(config, 0, capacity)
}

/// Checks a prompt, or a part of one, that is to be appended to `sequence`.
///
/// # Errors
///
/// [`Error::EmptyPrompt`], [`Error::TokenOutOfRange`] with the position in `tokens`, [`Error::ContextExceeded`],
/// [`Error::CapacityExceeded`].
pub fn prefill(config: &Config, sequence: &Sequence, tokens: &[u32]) -> Result<(), Error> {
    if tokens.is_empty() {
        return Err(Error::EmptyPrompt);
    }
    ids(config, tokens.iter().copied())?;
    grow(config, sequence, tokens.len())
}

/// Checks the tokens that are to be appended to each sequence of a batch.
///
/// # Errors
///
/// [`Error::EmptyBatch`], and those of [`prefill`] for the first sequence that has one.
pub fn prefill_many(config: &Config, batch: &[(&mut Sequence, &[u32])]) -> Result<(), Error> {
    if batch.is_empty() {
        return Err(Error::EmptyBatch);
    }
    batch.iter().try_for_each(|(sequence, tokens)| prefill(config, sequence, tokens))
}

/// Checks one token for each sequence of a batch.
///
/// # Errors
///
/// [`Error::EmptyBatch`], [`Error::TokenOutOfRange`] with the position in the batch, [`Error::ContextExceeded`],
/// [`Error::CapacityExceeded`].
pub fn decode(config: &Config, batch: &[(&mut Sequence, u32)]) -> Result<(), Error> {
    if batch.is_empty() {
        return Err(Error::EmptyBatch);
    }
    ids(config, batch.iter().map(|(_, token)| *token))?;
    batch.iter().try_for_each(|(sequence, _)| grow(config, sequence, 1))
}

fn ids(config: &Config, ids: impl Iterator<Item = u32>) -> Result<(), Error> {
    let vocabulary = config.vocab_size;
    match ids.enumerate().find(|(_, id)| *id as usize >= vocabulary) {
        Some((position, id)) => Err(Error::TokenOutOfRange { id, position, vocabulary }),
        None => Ok(()),
    }
}

fn grow(config: &Config, sequence: &Sequence, tokens: usize) -> Result<(), Error> {
    let (length, capacity) = (sequence.length, sequence.capacity);
    fits(config, length, tokens)?;
    if tokens > capacity.saturating_sub(length) {
        return Err(Error::CapacityExceeded { length, tokens, capacity });
    }
    Ok(())
}

fn fits(config: &Config, length: usize, tokens: usize) -> Result<(), Error> {
    let context = config.max_position_embeddings;
    if tokens > context.saturating_sub(length) {
        return Err(Error::ContextExceeded { length, tokens, context });
    }
    Ok(())
}
