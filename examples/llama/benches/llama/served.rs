//! The served model: requests join and leave a batch between two steps, as long as the cache has room for them.

use gapbench::measure::{Admit, StepOutput, StepService, Ticket};
use gapbench::prelude::*;
use llama::{Engine, Error, Sampler, Sequence, Tokenizer};

/// Tokens that the cache of the served model has room for: about thirty requests at a time, so that it is full at fifty
/// clients.
pub(crate) const SERVED_TOKENS: usize = 2048;
/// Requests that the served model may have in hand at once, if the cache has room.
pub(crate) const SLOTS: usize = 64;

/// A model that answers many requests at a time.
#[derive(Debug)]
pub(crate) struct Served<E> {
    engine: E,
    tokenizer: Tokenizer,
    /// Tokens that each request is answered with.
    answer: usize,
    in_hand: Vec<InHand>,
}

#[derive(Debug)]
struct InHand {
    ticket: Ticket,
    sequence: Sequence,
    /// The answer so far; its last token has not been appended to the sequence yet.
    tokens: Vec<u32>,
    /// Tokens that the client has not heard of yet.
    unheard: usize,
}

impl<E: Engine> Served<E> {
    pub(crate) fn new(engine: E, tokenizer: Tokenizer, answer: usize) -> Served<E> {
        Served { engine, tokenizer, answer, in_hand: Vec::new() }
    }

    fn next(logits: &[f32]) -> Result<u32> {
        Ok(Sampler::greedy().sample(logits)?)
    }
}

impl<E: Engine> StepService for Served<E> {
    fn admit(&mut self, ticket: Ticket, request: &Input) -> Result<Admit> {
        let prompt = self.tokenizer.encode(&request.text)?;
        let mut sequence = match self.engine.open(prompt.len() + self.answer - 1) {
            Err(Error::CacheFull { .. }) => return Ok(Admit::Full),
            opened => opened?,
        };
        let first = match self.engine.prefill(&mut sequence, &prompt) {
            Ok(logits) => Self::next(&logits),
            Err(error) => Err(error.into()),
        };
        match first {
            Ok(token) => {
                self.in_hand.push(InHand { ticket, sequence, tokens: vec![token], unheard: 1 });
                Ok(Admit::Taken)
            }
            Err(error) => {
                self.engine.close(sequence);
                Err(error)
            }
        }
    }

    fn step(&mut self, out: &mut StepOutput<'_>) -> Result<()> {
        let answer = self.answer;
        let mut batch: Vec<(&mut Sequence, u32)> = self
            .in_hand
            .iter_mut()
            .filter(|one| one.tokens.len() < answer)
            .filter_map(|one| Some((&mut one.sequence, *one.tokens.last()?)))
            .collect();
        if !batch.is_empty() {
            let logits = self.engine.decode(&mut batch)?;
            let mut rows = logits.chunks(logits.len() / batch.len());
            for one in self.in_hand.iter_mut().filter(|one| one.tokens.len() < answer) {
                one.tokens.push(Self::next(rows.next().unwrap_or_default())?);
                one.unheard += 1;
            }
        }
        for one in &mut self.in_hand {
            (0..std::mem::take(&mut one.unheard)).for_each(|_| out.token(one.ticket));
        }
        for index in (0..self.in_hand.len()).rev() {
            if self.in_hand.get(index).is_some_and(|one| one.tokens.len() >= answer) {
                let InHand { ticket, sequence, tokens, .. } = self.in_hand.swap_remove(index);
                self.engine.close(sequence);
                // As ids: random weights also answer with ids that the byte tokenizer has no text for.
                out.done(ticket, tokens.iter().map(|id| format!("{id} ")).collect::<String>());
            }
        }
        Ok(())
    }

    fn reset(&mut self) {
        for one in self.in_hand.drain(..) {
            self.engine.close(one.sequence);
        }
    }
}
