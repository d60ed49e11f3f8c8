//! What every engine can do: keep sequences, and append tokens to them. Knows neither text nor sampling.

use crate::{Config, Error};

/// A decoder with its weights and a cache of keys and values.
pub trait Engine {
    /// The sizes of the model.
    fn config(&self) -> &Config;

    /// Tokens that the cache can still take in all.
    fn free_tokens(&self) -> usize;

    /// A new empty sequence with room for `capacity` tokens.
    ///
    /// # Errors
    ///
    /// [`Error::CacheFull`] where it does not fit, [`Error::ContextExceeded`] where it is longer than the model's context.
    fn open(&mut self, capacity: usize) -> Result<Sequence, Error>;

    /// Gives the sequence's room back. A sequence that is dropped instead keeps it until the engine is dropped.
    fn close(&mut self, sequence: Sequence);

    /// Appends `tokens` and returns the logits after the last one (`vocab_size` numbers).
    ///
    /// # Errors
    ///
    /// Those of [`crate::check::prefill`]; the sequence is then as before.
    fn prefill(&mut self, sequence: &mut Sequence, tokens: &[u32]) -> Result<Vec<f32>, Error> {
        self.prefill_many(&mut [(sequence, tokens)])
    }

    /// Appends tokens to each of several sequences, as many in one step as fit, so that short prompts share one reading
    /// of the weights. Logits after the last token of each are batch x `vocab_size`, row by row.
    ///
    /// # Errors
    ///
    /// Those of [`crate::check::prefill_many`]; the sequences are then as before.
    fn prefill_many(&mut self, batch: &mut [(&mut Sequence, &[u32])]) -> Result<Vec<f32>, Error>;

    /// Appends one token to each sequence; logits are batch x `vocab_size`, row by row.
    ///
    /// # Errors
    ///
    /// Those of [`crate::check::decode`]; the sequences are then as before.
    fn decode(&mut self, batch: &mut [(&mut Sequence, u32)]) -> Result<Vec<f32>, Error>;
}

/// The tokens so far of one text, as an engine's cache has them. It belongs to the engine that opened it, and exists
/// once: two owners would write to the same place in the cache.
#[derive(Debug, PartialEq, Eq)]
pub struct Sequence {
    pub(crate) slot: usize,
    pub(crate) length: usize,
    pub(crate) capacity: usize,
}

impl Sequence {
    /// Which place of the engine's cache it has.
    #[must_use]
    pub fn slot(&self) -> usize {
        self.slot
    }

    /// Tokens in it.
    #[must_use]
    pub fn length(&self) -> usize {
        self.length
    }

    /// Forgets all tokens after the first `length`; what follows is computed as if they had never been. Does nothing
    /// where there are no more than that.
    pub fn truncate(&mut self, length: usize) {
        self.length = self.length.min(length);
    }

    /// Tokens it was opened for.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.capacity
    }
}
