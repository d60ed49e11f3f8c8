//! Requests that no engine answers, with the sentence each gets; the sequence is as before.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod common;

use llama::{CpuEngine, Engine, Error, Sampler, generate};

fn refused<T>(result: Result<T, Error>) -> String {
    result.err().unwrap().to_string()
}

fn engine(test: &str) -> CpuEngine {
    common::engine(&common::tiny(test), 4096)
}

#[test]
fn prompts() {
    let mut engine = engine("bad-prompts");
    let mut sequence = engine.open(100).unwrap();
    let logits = engine.prefill(&mut sequence, &[1, 2, 3]).unwrap();
    assert_eq!(refused(engine.prefill(&mut sequence, &[])), "the prompt is empty; send at least one token");
    assert_eq!(
        refused(engine.prefill(&mut sequence, &[4, 5, 1024, 6])),
        "token id 1024 at position 2 is outside the 1024 rows of the embedding; the tokenizer belongs to another model"
    );
    assert_eq!(
        refused(engine.prefill(&mut sequence, &[4; 98])),
        "3 tokens and 98 more are 101, but the sequence was opened for 100; open it larger"
    );
    assert_eq!(
        refused(engine.prefill(&mut sequence, &[4; 2046])),
        "3 tokens and 2046 more are 2049, but the model's context is 2048 tokens; cut the prompt"
    );
    assert_eq!(
        refused(engine.open(2049)),
        "0 tokens and 2049 more are 2049, but the model's context is 2048 tokens; cut the prompt"
    );
    // Nothing that was refused has left a trace.
    assert_eq!(sequence.length(), 3);
    let mut fresh = engine.open(3).unwrap();
    assert_eq!(engine.prefill(&mut fresh, &[1, 2, 3]).unwrap(), logits);
}

#[test]
fn steps() {
    let mut engine = engine("bad-steps");
    let (mut first, mut second) = (engine.open(4).unwrap(), engine.open(2).unwrap());
    engine.prefill(&mut first, &[1]).unwrap();
    engine.prefill(&mut second, &[1, 2]).unwrap();
    assert_eq!(refused(engine.decode(&mut [])), "the batch is empty; send at least one sequence");
    assert_eq!(
        refused(engine.decode(&mut [(&mut first, 3), (&mut second, u32::MAX)])),
        "token id 4294967295 at position 1 is outside the 1024 rows of the embedding; \
         the tokenizer belongs to another model"
    );
    assert_eq!(
        refused(engine.decode(&mut [(&mut first, 3), (&mut second, 3)])),
        "2 tokens and 1 more are 3, but the sequence was opened for 2; open it larger"
    );
    assert_eq!((first.length(), second.length()), (1, 2));
}

#[test]
fn a_sequence_of_another_engine() {
    let (mut ours, mut other) = (engine("ours"), engine("other"));
    let _kept = other.open(16).unwrap();
    let mut foreign = other.open(16).unwrap();
    assert_eq!(
        refused(ours.prefill(&mut foreign, &[1])),
        "the sequence in slot 1 is not one of this engine's; use it with the engine that opened it"
    );
    ours.close(foreign);
    assert_eq!(ours.free_tokens(), 4096);
}

#[test]
fn a_full_context_ends_the_answer() {
    let mut engine = engine("full-context");
    let mut sampler = Sampler::new(1.0, 1.0, 5).unwrap();
    let prompt = vec![70; 2047];
    let answer = generate(&mut engine, &prompt, 10, &mut sampler, |_| ()).unwrap();
    // The last position is read, and what follows it is the last token.
    assert_eq!((answer.tokens.len(), answer.end), (2, llama::End::Context));
    assert_eq!(
        refused(generate(&mut engine, &[70; 2049], 10, &mut sampler, |_| ())),
        "0 tokens and 2049 more are 2049, but the model's context is 2048 tokens; cut the prompt"
    );
    assert_eq!(
        refused(generate(&mut engine, &[], 10, &mut sampler, |_| ())),
        "the prompt is empty; send at least one token"
    );
    assert_eq!(engine.free_tokens(), 4096);
}

#[test]
fn a_model_that_does_not_fit_is_refused_before_it_is_loaded() {
    let folder = common::tiny("too-large");
    let config = llama::Config::load(&folder).unwrap();
    let weights = llama::Weights::open(&folder).unwrap();
    let error = refused(CpuEngine::load(config, &weights, 1 << 40));
    assert!(error.starts_with("the model does not fit into "), "{error}");
    let arithmetic = "= 1,099,511,627,776 tokens x (2 x 4 layers x 4 heads x 16 x 4 B of f32)";
    assert!(error.contains(arithmetic), "{error}");
}
