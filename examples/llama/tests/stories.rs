//! Real weights: the text that llama2.c's documentation publishes for stories260K comes out letter by letter, and
//! rounded weights stay close in likelihood.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod common;

use std::path::Path;

use llama::{Config, Dtype, End, Engine, Sampler, Tokenizer, generate};

/// Tokens that llama2.c's `run.c` prints where nothing else is asked for.
const STEPS: usize = 256;

fn greedy_text(folder: &Path) -> String {
    let tokenizer = Tokenizer::load(folder, &Config::load(folder).unwrap()).unwrap();
    let prompt = tokenizer.encode("").unwrap();
    assert_eq!(prompt, [1], "an empty text is the begin of text alone");
    let mut seen = Vec::new();
    let mut engine = common::engine(folder, 512);
    let answer =
        generate(&mut engine, &prompt, STEPS, &mut Sampler::greedy(), |token| seen.push(token)).unwrap();
    assert_eq!((answer.tokens.len(), answer.end, &answer.tokens), (STEPS, End::Limit, &seen));
    assert_eq!(engine.free_tokens(), 512, "the room is given back");
    tokenizer.decode(&answer.tokens).unwrap()
}

/// Mean negative log-likelihood of each next token of `ids`, in nats.
fn nll(folder: &Path, ids: &[u32]) -> f64 {
    let mut engine = common::engine(folder, 512);
    let mut sequence = engine.open(ids.len()).unwrap();
    let mut total = 0.0;
    for pair in ids.windows(2) {
        let logits = engine.decode(&mut [(&mut sequence, pair[0])]).unwrap();
        let sum: f64 = logits.iter().map(|logit| f64::from(*logit).exp()).sum();
        total -= f64::from(logits[pair[1] as usize]) - sum.ln();
    }
    total / (ids.len() - 1) as f64
}

fn published_ids(stories: &Path) -> Vec<u32> {
    let folder = stories.join("hf");
    let tokenizer = Tokenizer::load(&folder, &Config::load(&folder).unwrap()).unwrap();
    tokenizer.encode(&common::published(stories)).unwrap()
}

#[test]
fn f32_weights_write_the_published_text() {
    let Some(stories) = common::stories("f32_weights_write_the_published_text") else { return };
    let expected = common::published(&stories);
    assert_eq!(expected.chars().count(), 565);
    assert_eq!(greedy_text(&stories.join("hf")), expected);
}

#[test]
fn f16_weights_write_the_published_text() {
    let Some(stories) = common::stories("f16_weights_write_the_published_text") else { return };
    let folder = common::stories_as(&stories, "stories-f16", Dtype::F16);
    assert_eq!(greedy_text(&folder), common::published(&stories));
}

#[test]
fn bf16_weights_are_as_likely_within_0_006_nats() {
    let Some(stories) = common::stories("bf16_weights_are_as_likely_within_0_006_nats") else { return };
    let ids = published_ids(&stories);
    let exact = nll(&stories.join("hf"), &ids);
    let rounded = nll(&common::stories_as(&stories, "stories-bf16", Dtype::Bf16), &ids);
    println!("mean NLL {exact:.5} nats per token, with bf16 weights {rounded:.5}");
    assert!((rounded - exact).abs() < 0.006, "{exact} became {rounded}");
}

#[test]
fn int8_weights_are_as_likely_within_0_02_nats() {
    let Some(stories) = common::stories("int8_weights_are_as_likely_within_0_02_nats") else { return };
    let ids = published_ids(&stories);
    let exact = nll(&stories.join("hf"), &ids);
    let rounded = nll(&common::stories_as(&stories, "stories-int8", Dtype::I8), &ids);
    println!("mean NLL {exact:.5} nats per token, with int8 weights {rounded:.5}");
    assert!((rounded - exact).abs() < 0.02, "{exact} became {rounded}");
}
