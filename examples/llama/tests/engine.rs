//! The engine against itself: a prompt at once or token by token, alone or in a batch, and the memory it planned.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod common;

use llama::{Config, CpuEngine, Engine, Error, Sequence, layout};

/// Largest difference of two logits that may come from another order of the same sums.
const CLOSE: f32 = 1e-4;

fn assert_close(ours: &[f32], expected: &[f32]) {
    assert_eq!(ours.len(), expected.len());
    for (position, (ours, expected)) in ours.iter().zip(expected).enumerate() {
        assert!((ours - expected).abs() < CLOSE, "logit {position}: {ours}, expected {expected}");
    }
}

fn prompt(length: u32) -> Vec<u32> {
    (0..length).map(|position| (1 + 37 * position) % 1024).collect()
}

/// Logits after `tokens`, one decode step each: every product is a matrix with one vector.
fn token_by_token(engine: &mut CpuEngine, tokens: &[u32]) -> Vec<f32> {
    let mut sequence = engine.open(tokens.len()).unwrap();
    let mut logits = Vec::new();
    for token in tokens {
        logits = engine.decode(&mut [(&mut sequence, *token)]).unwrap();
    }
    engine.close(sequence);
    logits
}

#[test]
fn a_prompt_at_once_is_as_token_by_token() {
    let mut engine = common::engine(&common::tiny("at-once"), 1024);
    // Around a page of the cache, a pass, and several passes.
    for length in [1, 2, 15, 16, 17, 127, 128, 129, 300] {
        let tokens = prompt(length);
        let mut sequence = engine.open(tokens.len()).unwrap();
        let whole = engine.prefill(&mut sequence, &tokens).unwrap();
        assert_eq!(sequence.length(), tokens.len());
        engine.close(sequence);
        assert_close(&whole, &token_by_token(&mut engine, &tokens));
    }
}

#[test]
fn the_cache_changes_nothing() {
    let mut engine = common::engine(&common::tiny("cache"), 1024);
    let tokens = prompt(40);
    let mut cached = engine.open(tokens.len()).unwrap();
    engine.prefill(&mut cached, &tokens[..10]).unwrap();
    for length in 11..=tokens.len() {
        let with_cache = engine.decode(&mut [(&mut cached, tokens[length - 1])]).unwrap();
        let mut fresh = engine.open(length).unwrap();
        let without = engine.prefill(&mut fresh, &tokens[..length]).unwrap();
        engine.close(fresh);
        assert_close(&with_cache, &without);
    }
}

#[test]
fn a_prompt_in_two_parts_is_as_at_once() {
    let mut engine = common::engine(&common::tiny("two-parts"), 1024);
    let tokens = prompt(200);
    let mut sequence = engine.open(tokens.len()).unwrap();
    let whole = engine.prefill(&mut sequence, &tokens).unwrap();
    let mut parts = engine.open(tokens.len()).unwrap();
    engine.prefill(&mut parts, &tokens[..150]).unwrap();
    assert_close(&engine.prefill(&mut parts, &tokens[150..]).unwrap(), &whole);
}

#[test]
fn a_batch_is_as_each_alone() {
    let mut engine = common::engine(&common::tiny("batch"), 10_000);
    // More than one pass takes, of different lengths.
    let mut sequences: Vec<Sequence> = Vec::new();
    for number in 0..150 {
        let mut sequence = engine.open(50).unwrap();
        engine.prefill(&mut sequence, &prompt(1 + number % 40)).unwrap();
        sequences.push(sequence);
    }
    let mut batch: Vec<(&mut Sequence, u32)> = sequences.iter_mut().zip(500..).collect();
    let together = engine.decode(&mut batch).unwrap();
    assert_eq!(together.len(), 150 * 1024);
    for (number, (logits, sequence)) in together.chunks(1024).zip(sequences).enumerate() {
        assert_eq!(sequence.length(), 2 + number % 40);
        engine.close(sequence);
        let mut tokens = prompt(1 + u32::try_from(number).unwrap() % 40);
        tokens.push(500 + u32::try_from(number).unwrap());
        assert_close(logits, &token_by_token(&mut engine, &tokens));
    }
}

#[test]
fn what_is_allocated_is_what_was_planned() {
    let folder = common::tiny("planned");
    let config = Config::load(&folder).unwrap();
    let (engine, plan) = (common::engine(&folder, 1000), CpuEngine::plan(&config, 1000));
    assert_eq!(plan.weights, 4 * layout::parameters(&config));
    assert_eq!(engine.bytes(), (plan.weights, plan.cache(), plan.activations));
    // 1000 tokens are 63 pages of 16.
    assert_eq!((engine.free_tokens(), plan.tokens), (1008, 1008));
}

#[test]
fn room_is_shared_and_given_back() {
    let mut engine = common::engine(&common::tiny("room"), 64);
    let first = engine.open(17).unwrap();
    assert_eq!((engine.free_tokens(), first.capacity()), (32, 17));
    let second = engine.open(32).unwrap();
    let error = engine.open(1).unwrap_err();
    assert!(matches!(error, Error::CacheFull { .. }));
    assert_eq!(
        error.to_string(),
        "a sequence of 16 tokens does not fit: 16 x 2048 B = 32768 B of keys and values, and 0 of 64 tokens x 2048 B \
         = 0 B are free; close a sequence or plan a larger cache"
    );
    engine.close(first);
    let mut third = engine.open(20).unwrap();
    assert_eq!((third.slot(), second.slot()), (0, 1));
    // Nothing of the first is left in its place.
    let logits = engine.prefill(&mut third, &prompt(20)).unwrap();
    engine.close(third);
    assert_close(&logits, &token_by_token(&mut engine, &prompt(20)));
}

#[test]
fn prompts_together_are_as_one_by_one() {
    let mut engine = common::engine(&common::tiny("together"), 2048);
    // One token, a few, around a pass, several passes; two of them go on where they ended.
    let lengths: [u32; 6] = [1, 40, 5, 129, 300, 17];
    let prompts: Vec<Vec<u32>> = lengths
        .iter()
        .map(|length| prompt(*length).iter().map(|id| (id + length) % 1024).collect())
        .collect();
    let mut alone = Vec::new();
    let mut sequences = Vec::new();
    for tokens in &prompts {
        let mut sequence = engine.open(tokens.len() + 3).unwrap();
        let first = engine.prefill(&mut sequence, tokens).unwrap();
        let second = engine.prefill(&mut sequence, &[7, 8, 9]).unwrap();
        alone.push((first, second));
        engine.close(sequence);
        sequences.push(engine.open(tokens.len() + 3).unwrap());
    }
    let mut batch: Vec<(&mut Sequence, &[u32])> =
        sequences.iter_mut().zip(&prompts).map(|(sequence, tokens)| (sequence, tokens.as_slice())).collect();
    let together = engine.prefill_many(&mut batch).unwrap();
    for (logits, (expected, _)) in together.chunks(1024).zip(&alone) {
        assert_close(logits, expected);
    }
    let mut batch: Vec<(&mut Sequence, &[u32])> =
        sequences.iter_mut().map(|sequence| (sequence, [7, 8, 9].as_slice())).collect();
    let together = engine.prefill_many(&mut batch).unwrap();
    for (logits, (_, expected)) in together.chunks(1024).zip(&alone) {
        assert_close(logits, expected);
    }
    for (sequence, tokens) in sequences.iter().zip(&prompts) {
        assert_eq!(sequence.length(), tokens.len() + 3);
    }
    // One that cannot be taken keeps all of them as they were.
    let before: Vec<usize> = sequences.iter().map(Sequence::length).collect();
    let mut batch: Vec<(&mut Sequence, &[u32])> =
        sequences.iter_mut().map(|sequence| (sequence, [1].as_slice())).collect();
    let error = engine.prefill_many(&mut batch).unwrap_err();
    assert!(matches!(error, Error::CapacityExceeded { length: 4, tokens: 1, capacity: 4 }), "{error}");
    assert_eq!(sequences.iter().map(Sequence::length).collect::<Vec<_>>(), before);
    assert!(matches!(engine.prefill_many(&mut []), Err(Error::EmptyBatch)));
}
