//! An estimate of what is alive besides weights and cache while a step is computed.
//!
//! It is the largest set of buffers that must exist at once in any implementation that fuses its attention; it holds
//! neither what an allocator keeps in reserve nor workspaces of libraries. Knows nothing of weights or of the cache's size.

use serde::Serialize;

use super::{Kind, ModelShape, NumberFormat};

/// Bytes of a logit, which samplers read in f32 whatever the model computes in.
const LOGIT_BYTES: u64 = 4;

/// The largest buffers of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Activations {
    /// Tokens that one step computes.
    pub step_tokens: u64,
    /// Numbers of each of these tokens in the blocks of a layer: `2 x hidden + 3 x feed-forward`, or
    /// `2 x hidden + attention` where that is more.
    pub numbers_per_token: u64,
    /// Rows of logits: one for each client of a decoder.
    pub logit_rows: u64,
    /// Whether the logits, and not a layer, are the largest.
    pub logits_are_largest: bool,
    /// Bytes of the larger of the two.
    pub bytes: u64,
}

/// The buffers of a step that computes at most `step_cap` tokens; `None` where 64 bits do not hold them.
///
/// Without a cap a decoder computes the whole text of one client and one token of each other, and an encoder all texts at
/// once.
///
/// # Source
/// vLLM issue 10517 for Llama-3.1-8B in bf16: the peak grows by about 107 KB per token of an undivided prompt; the formula
/// gives (2 x 4,096 + 3 x 14,336) x 2 B = 102.4 KB.
pub(super) fn estimate(
    shape: &ModelShape,
    compute: NumberFormat,
    clients: u64,
    tokens: u64,
    step_cap: Option<u64>,
) -> Option<Activations> {
    let all = match shape.kind {
        Kind::Encoder => clients.checked_mul(tokens)?,
        Kind::Decoder => tokens.checked_add(clients.checked_sub(1)?)?,
    };
    let step_tokens = step_cap.map_or(all, |cap| all.min(cap));
    let between = shape.hidden.checked_mul(2)?;
    let numbers_per_token = between.checked_add(shape.attention.max(shape.feed_forward.checked_mul(3)?))?;
    let logit_rows = if shape.kind == Kind::Decoder { clients } else { 0 };
    let layer = bytes(step_tokens.checked_mul(numbers_per_token)?, compute)?;
    let logits = shape.vocabulary.checked_mul(logit_rows)?;
    let logits = bytes(step_tokens.checked_mul(between)?, compute)?
        .checked_add(bytes(logits, compute)?)?
        .checked_add(logits.checked_mul(LOGIT_BYTES)?)?;
    let logits_are_largest = logits > layer && logit_rows > 0;
    let bytes = if logits_are_largest { logits } else { layer };
    Some(Activations { step_tokens, numbers_per_token, logit_rows, logits_are_largest, bytes })
}

fn bytes(numbers: u64, format: NumberFormat) -> Option<u64> {
    Some(numbers.checked_mul(format.bits())?.div_ceil(8))
}
