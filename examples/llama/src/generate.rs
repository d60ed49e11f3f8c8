//! One prompt, one answer, token after token.

use crate::{Config, Engine, Error, Sampler, Sequence};

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generation {
    /// The new tokens, without the one that ended the text.
    pub tokens: Vec<u32>,
    /// Why there are no more.
    pub end: End,
}

/// Why an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The model ended the text (`eos_token_id`), or began another (`bos_token_id`), as llama2.c's `run.c` has it.
    EndOfText,
    /// As many tokens as were asked for.
    Limit,
    /// The model's context is full.
    Context,
}

/// Answers `prompt` with at most `limit` tokens, and hands each to `on_token` as soon as it is known.
///
/// # Errors
///
/// Those of [`Engine::open`], [`Engine::prefill`], [`Engine::decode`] and [`Sampler::sample`]. The sequence's room is
/// given back in any case.
pub fn generate(
    engine: &mut (impl Engine + ?Sized),
    prompt: &[u32],
    limit: usize,
    sampler: &mut Sampler,
    on_token: impl FnMut(u32),
) -> Result<Generation, Error> {
    let context = engine.config().max_position_embeddings;
    // The last token is never read back, so it needs no room.
    let wanted = prompt.len().saturating_add(limit.saturating_sub(1));
    let mut sequence = engine.open(wanted.min(context.max(prompt.len())))?;
    let generation = answer(engine, &mut sequence, prompt, limit, sampler, on_token);
    engine.close(sequence);
    generation
}

/// Whether the model ended its text with this token.
pub(crate) fn ends_text(config: &Config, token: u32) -> bool {
    config.eos_token_ids.contains(&token) || config.bos_token_id == Some(token)
}

fn answer(
    engine: &mut (impl Engine + ?Sized),
    sequence: &mut Sequence,
    prompt: &[u32],
    limit: usize,
    sampler: &mut Sampler,
    mut on_token: impl FnMut(u32),
) -> Result<Generation, Error> {
    let mut tokens = Vec::new();
    let mut logits = engine.prefill(sequence, prompt)?;
    while tokens.len() < limit {
        let token = sampler.sample(&logits)?;
        if ends_text(engine.config(), token) {
            return Ok(Generation { tokens, end: End::EndOfText });
        }
        tokens.push(token);
        on_token(token);
        if tokens.len() == limit {
            break;
        }
        if sequence.length() == engine.config().max_position_embeddings {
            return Ok(Generation { tokens, end: End::Context });
        }
        logits = engine.decode(&mut [(&mut *sequence, token)])?;
    }
    Ok(Generation { tokens, end: End::Limit })
}
