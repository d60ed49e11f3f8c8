//! The plan turned around: how many clients, or how long a text, a memory has room for.
//!
//! Knows nothing of whose memory it is.

use serde::Serialize;

use super::{FootprintError, MOST_CLIENTS, MOST_TOKENS, Plan};

/// The largest number that fits, and what ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "limit", content = "value")]
pub enum Largest {
    /// This many; the memory has no room for one more.
    Memory(u64),
    /// This many tokens; the memory has room for more, but the model has no positions for them.
    Positions(u64),
    /// As many as one likes: nothing grows with them.
    Unbounded,
    /// Not even one. So many bytes are missing for it; `None` where 64 bits do not hold them.
    Nothing {
        /// Bytes missing for the first.
        #[serde(skip_serializing_if = "Option::is_none")]
        missing_bytes: Option<u64>,
    },
}

impl Largest {
    /// The number, where there is a bound: 0 for [`Largest::Nothing`].
    pub const fn bound(self) -> Option<u64> {
        match self {
            Largest::Memory(most) | Largest::Positions(most) => Some(most),
            Largest::Unbounded => None,
            Largest::Nothing { .. } => Some(0),
        }
    }
}

/// The bytes of `memory_bytes` that may be used when `share` of them may: vLLM's `gpu_memory_utilization`.
///
/// # Errors
/// [`FootprintError::Demand`] for a share that is not above 0 and at most 1.
pub fn budget(memory_bytes: u64, share: f64) -> Result<u64, FootprintError> {
    if share > 0.0 && share <= 1.0 {
        // The cast is of a number from 0 to 2^64.
        return Ok(if share == 1.0 { memory_bytes } else { (memory_bytes as f64 * share).floor() as u64 });
    }
    let expected = "a share above 0 and up to 1, such as 0.9".to_owned();
    Err(FootprintError::Demand { name: "utilisation", found: share.to_string(), expected })
}

impl Plan {
    /// The most clients with this plan's length that `memory_bytes` have room for.
    pub fn largest_clients(&self, memory_bytes: u64) -> Largest {
        self.largest(memory_bytes, MOST_CLIENTS, Largest::Unbounded, |clients| {
            self.total_at(clients, self.demand.tokens)
        })
    }

    /// The longest text of each of this plan's clients that `memory_bytes` have room for.
    pub fn largest_length(&self, memory_bytes: u64) -> Largest {
        let (most, beyond) = match self.shape.positions {
            Some(positions) => (positions, Largest::Positions(positions)),
            None => (MOST_TOKENS, Largest::Unbounded),
        };
        self.largest(memory_bytes, most, beyond, |tokens| self.total_at(self.demand.clients, tokens))
    }

    /// The largest number up to `most` for which `total` fits. `total` never falls as the number grows.
    fn largest(
        &self,
        memory: u64,
        most: u64,
        beyond: Largest,
        total: impl Fn(u64) -> Option<u64>,
    ) -> Largest {
        let fits = |number: u64| total(number).is_some_and(|total| total <= memory);
        if !fits(1) {
            return Largest::Nothing { missing_bytes: total(1).map(|total| total.saturating_sub(memory)) };
        }
        if fits(most) {
            return beyond;
        }
        let (mut fitting, mut too_many) = (1, most);
        while too_many - fitting > 1 {
            let middle = fitting + (too_many - fitting) / 2;
            if fits(middle) {
                fitting = middle;
            } else {
                too_many = middle;
            }
        }
        Largest::Memory(fitting)
    }
}
