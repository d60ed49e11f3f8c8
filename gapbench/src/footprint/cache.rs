//! What one token leaves in the cache of a model.
//!
//! Knows nothing of how many tokens there are.

use serde::Serialize;

/// What the layers of a model keep of each token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cache {
    /// Nothing: an encoder computes a text in one step.
    None,
    /// Keys and values of each key-value head, fewer than the query heads where these are grouped.
    Heads {
        /// Key-value heads of a layer.
        heads: u64,
        /// Numbers of a key.
        key: u64,
        /// Numbers of a value.
        value: u64,
    },
    /// One compressed vector and one rotated key for all heads (multi-head latent attention). An engine that expands them
    /// before it stores them takes many times as much.
    ///
    /// # Source
    /// DeepSeek-V2, arXiv 2405.04434, section 2.1.4: (d_c + d_h^R) numbers per layer.
    Latent {
        /// Numbers of the compressed vector (`kv_lora_rank`).
        rank: u64,
        /// Numbers of the rotated key (`qk_rope_head_dim`).
        rope: u64,
    },
}

impl Cache {
    /// Numbers that one layer keeps of one token; `None` where 64 bits do not hold them.
    pub fn numbers(self) -> Option<u64> {
        match self {
            Cache::None => Some(0),
            Cache::Heads { heads, key, value } => heads.checked_mul(key.checked_add(value)?),
            Cache::Latent { rank, rope } => rank.checked_add(rope),
        }
    }
}
