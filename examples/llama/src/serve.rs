//! Many requests at once, as a server answers them: new ones join while others are being answered. Knows engines by
//! their trait, and neither text nor clocks.

use std::collections::VecDeque;

use crate::{End, Engine, Error, Generation, Sampler, Sequence, generate::ends_text};

/// A prompt, and how long its answer may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Token ids.
    pub prompt: Vec<u32>,
    /// Most tokens of the answer.
    pub limit: usize,
}

/// A request that is being answered.
struct Active {
    request: usize,
    sequence: Sequence,
    sampler: Sampler,
    tokens: Vec<u32>,
}

/// Answers all requests, at most `most` at the same time, in the order in which they are given, and hands each token to
/// `on_token` with the number of its request as soon as it is known. Each step first takes the requests that have room
/// and computes their prompts together, then one token for all that are being answered. Every request draws with a
/// copy of `sampler`, so that its answer does not depend on the others.
///
/// # Errors
///
/// Those of [`Engine::open`] for a request that does not fit even alone; of [`Engine::prefill_many`], [`Engine::decode`]
/// and [`Sampler::sample`]. The room of all sequences is given back in any case.
pub fn answer_all(
    engine: &mut (impl Engine + ?Sized),
    requests: &[Request],
    most: usize,
    sampler: &Sampler,
    mut on_token: impl FnMut(usize, u32),
) -> Result<Vec<Generation>, Error> {
    let mut active = Vec::new();
    let mut answers = Answers { done: requests.iter().map(|_| None).collect(), on_token: &mut on_token };
    let mut waiting: VecDeque<usize> = (0..requests.len()).collect();
    let mut result = Ok(());
    while result.is_ok() && !(waiting.is_empty() && active.is_empty()) {
        result = step(engine, requests, (most, sampler), &mut waiting, &mut active, &mut answers);
    }
    active.into_iter().for_each(|active| engine.close(active.sequence));
    result?;
    Ok(answers.done.into_iter().flatten().collect())
}

struct Answers<'a> {
    done: Vec<Option<Generation>>,
    on_token: &'a mut dyn FnMut(usize, u32),
}

fn step(
    engine: &mut (impl Engine + ?Sized),
    requests: &[Request],
    (most, sampler): (usize, &Sampler),
    waiting: &mut VecDeque<usize>,
    active: &mut Vec<Active>,
    answers: &mut Answers<'_>,
) -> Result<(), Error> {
    let vocabulary = engine.config().vocab_size;
    let before = active.len();
    while active.len() < most.max(1) {
        let Some((number, request)) =
            waiting.front().and_then(|number| Some((*number, requests.get(*number)?)))
        else {
            break;
        };
        // The last token is never read back, so it needs no room.
        let wanted = request.prompt.len().saturating_add(request.limit.saturating_sub(1));
        let context = engine.config().max_position_embeddings.max(request.prompt.len());
        match engine.open(wanted.min(context)) {
            Ok(sequence) => {
                active.push(Active {
                    request: number,
                    sequence,
                    sampler: sampler.clone(),
                    tokens: Vec::new(),
                });
            }
            // Room comes back when others are done.
            Err(Error::CacheFull { .. }) if !active.is_empty() => break,
            Err(error) => return Err(error),
        }
        waiting.pop_front();
    }
    if let Some(new) = active.get_mut(before..).filter(|new| !new.is_empty()) {
        let prompt =
            |active: &Active| requests.get(active.request).map_or(&[][..], |request| &request.prompt);
        let mut batch: Vec<(&mut Sequence, &[u32])> = new
            .iter_mut()
            .map(|active| {
                let prompt = prompt(active);
                (&mut active.sequence, prompt)
            })
            .collect();
        let logits = engine.prefill_many(&mut batch)?;
        take(engine, requests, (before, &logits, vocabulary), active, answers)?;
    }
    if active.is_empty() {
        return Ok(());
    }
    let mut batch: Vec<(&mut Sequence, u32)> = active
        .iter_mut()
        .map(|active| (&mut active.sequence, active.tokens.last().copied().unwrap_or_default()))
        .collect();
    let logits = engine.decode(&mut batch)?;
    take(engine, requests, (0, &logits, vocabulary), active, answers)
}

/// Draws the next token of each active request from number `first` on, and closes those that are done.
fn take(
    engine: &mut (impl Engine + ?Sized),
    requests: &[Request],
    (first, logits, vocabulary): (usize, &[f32], usize),
    active: &mut Vec<Active>,
    answers: &mut Answers<'_>,
) -> Result<(), Error> {
    let mut ended = Vec::new();
    let rows = logits.chunks_exact(vocabulary.max(1));
    for (number, (active, logits)) in
        active.iter_mut().enumerate().skip(first).zip(rows).map(|((n, a), l)| (n, (a, l)))
    {
        let limit = requests.get(active.request).map_or(0, |request| request.limit);
        let end = if active.tokens.len() >= limit {
            Some(End::Limit)
        } else {
            let token = active.sampler.sample(logits)?;
            if ends_text(engine.config(), token) {
                Some(End::EndOfText)
            } else {
                active.tokens.push(token);
                (answers.on_token)(active.request, token);
                let full = active.sequence.length() == engine.config().max_position_embeddings;
                if active.tokens.len() == limit { Some(End::Limit) } else { full.then_some(End::Context) }
            }
        };
        if let Some(end) = end {
            ended.push((number, end));
        }
    }
    // From the back, so that the numbers before stay right.
    for (number, end) in ended.into_iter().rev() {
        let Active { request, sequence, tokens, .. } = active.remove(number);
        engine.close(sequence);
        if let Some(place) = answers.done.get_mut(request) {
            *place = Some(Generation { tokens, end });
        }
    }
    Ok(())
}
