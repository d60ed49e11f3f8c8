//! Real weights through the shipped PTX on a simulated device: the text that llama2.c's documentation publishes for
//! stories260K comes out token by token in f32 and f16, and rounded weights stay close in likelihood.
#![cfg(feature = "cuda")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking"
)]

mod common;
mod cuda_support;

use std::path::Path;

use cuda_support::{cuda_engine, options, scenario};
use llama::cuda::Options;
use llama::cuda::kernels::Element;
use llama::{Config, Dtype, Engine, Sampler, Tokenizer, generate};

/// Tokens of the published text that a test asks for. The simulated device takes some 0.1 s for one.
const STEPS: usize = 64;

fn published_tokens(stories: &Path) -> Vec<u32> {
    let folder = stories.join("hf");
    let tokenizer = Tokenizer::load(&folder, &Config::load(&folder).unwrap()).unwrap();
    tokenizer.encode(&common::published(stories)).unwrap()
}

fn writes_the_published_text(test: &str, element: Element) {
    let Some(stories) = common::stories(test) else { return };
    let mut engine = cuda_engine(&stories.join("hf"), &Options { element: Some(element), ..options(512) });
    let answer = generate(&mut engine, &[1], STEPS, &mut Sampler::greedy(), |_| ()).unwrap();
    assert_eq!(answer.tokens, published_tokens(&stories)[1..=STEPS]);
}

#[test]
fn f32_writes_the_published_text() {
    scenario("f32_writes_the_published_text", "", || {
        writes_the_published_text("f32_writes_the_published_text", Element::F32);
    });
}

#[test]
fn f16_writes_the_published_text() {
    scenario("f16_writes_the_published_text", "", || {
        writes_the_published_text("f16_writes_the_published_text", Element::F16);
    });
}

/// Mean negative log-likelihood of each next token, in nats, and the largest distance of a logit from `near`.
fn nll(engine: &mut impl Engine, ids: &[u32], near: &[Vec<f32>]) -> (f64, f32, Vec<Vec<f32>>) {
    let mut sequence = engine.open(ids.len()).unwrap();
    let (mut total, mut apart, mut all) = (0.0, 0f32, Vec::new());
    for (step, pair) in ids.windows(2).enumerate() {
        let logits = engine.decode(&mut [(&mut sequence, pair[0])]).unwrap();
        let sum: f64 = logits.iter().map(|logit| f64::from(*logit).exp()).sum();
        total -= f64::from(logits[pair[1] as usize]) - sum.ln();
        if let Some(near) = near.get(step) {
            apart = apart.max(cuda_support::apart(near, &logits));
        }
        all.push(logits);
    }
    (total / (ids.len() - 1) as f64, apart, all)
}

fn is_as_likely(test: &str, dtype: Dtype, element: Element, bound: f64) {
    let Some(stories) = common::stories(test) else { return };
    let ids = &published_tokens(&stories)[..33];
    let (exact, _, logits) = nll(&mut common::engine(&stories.join("hf"), 64), ids, &[]);
    let folder = common::stories_as(&stories, test, dtype);
    let mut engine = cuda_engine(&folder, &Options { element: Some(element), ..options(64) });
    let (rounded, apart, _) = nll(&mut engine, ids, &logits);
    println!(
        "measured {test}: NLL {exact:.5} became {rounded:.5} nats per token, logits are {apart:.3} apart"
    );
    assert!((rounded - exact).abs() < bound, "{exact} became {rounded}");
}

#[test]
fn f32_has_the_logits_of_the_cpu() {
    scenario("f32_has_the_logits_of_the_cpu", "", || {
        let Some(stories) = common::stories("f32_has_the_logits_of_the_cpu") else { return };
        let ids = &published_tokens(&stories)[..20];
        let (_, _, logits) = nll(&mut common::engine(&stories.join("hf"), 64), ids, &[]);
        let mut engine = cuda_engine(&stories.join("hf"), &options(64));
        let (_, apart, _) = nll(&mut engine, ids, &logits);
        println!("measured logits in f32 of stories260K: {apart:.1e} apart");
        assert!(apart <= 1e-4, "{apart}");
    });
}

#[test]
fn bf16_is_as_likely() {
    scenario("bf16_is_as_likely", "", || {
        is_as_likely("bf16_is_as_likely", Dtype::Bf16, Element::Bf16, 0.006);
    });
}

#[test]
fn int8_is_as_likely() {
    scenario("int8_is_as_likely", "", || {
        is_as_likely("int8_is_as_likely", Dtype::I8, Element::F16, 0.02);
    });
}
