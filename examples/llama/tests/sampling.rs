//! Choosing the next token: the same seed, the same choice; and never outside the kept probability.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod common;

use llama::{Engine, Sampler, generate};

fn draws(temperature: f32, top_p: f32, seed: u64, logits: &[f32], count: usize) -> Vec<u32> {
    let mut sampler = Sampler::new(temperature, top_p, seed).unwrap();
    (0..count).map(|_| sampler.sample(logits).unwrap()).collect()
}

#[test]
fn greedy_takes_the_first_of_the_highest() {
    assert_eq!(Sampler::greedy().sample(&[0.5, 2.0, -1.0, 2.0]).unwrap(), 1);
    assert_eq!(draws(0.0, 0.9, 7, &[0.5, 2.0, -1.0, 2.0], 3), [1, 1, 1]);
}

#[test]
fn the_same_seed_draws_the_same_answer() {
    let mut engine = common::engine(&common::tiny("seeded"), 256);
    let mut answer = |seed| {
        let mut sampler = Sampler::new(1.0, 0.9, seed).unwrap();
        generate(&mut engine, &[1, 70, 80], 100, &mut sampler, |_| ()).unwrap().tokens
    };
    let (first, again, other) = (answer(42), answer(42), answer(43));
    assert_eq!(first, again);
    assert_ne!(first, other);
    assert_eq!(engine.free_tokens(), 256);
}

#[test]
fn top_p_keeps_the_likeliest_and_their_shares() {
    // Probabilities 0.6, 0.3, 0.1: the first two make up 0.9 at least.
    let logits = [0.1_f32.ln(), 0.6_f32.ln(), 0.3_f32.ln()];
    let drawn = draws(1.0, 0.89, 1, &logits, 30_000);
    let share = |id| drawn.iter().filter(|drawn| **drawn == id).count() as f64 / 30_000.0;
    assert_eq!(share(0), 0.0);
    // Five standard deviations of a share of 2/3 among 30,000.
    assert!((share(1) - 2.0 / 3.0).abs() < 0.014, "{}", share(1));
    assert_eq!(draws(1.0, 0.5, 1, &logits, 100), vec![1; 100]);
    // A cold sampler is nearly greedy, a hot one nearly uniform.
    assert_eq!(draws(0.01, 1.0, 1, &logits, 100), vec![1; 100]);
    let hot = draws(1000.0, 1.0, 1, &logits, 30_000);
    let share = hot.iter().filter(|drawn| **drawn == 0).count() as f64 / 30_000.0;
    assert!((share - 1.0 / 3.0).abs() < 0.014, "{share}");
}

#[test]
fn settings_and_logits_that_make_no_sense_are_refused() {
    let refused = |temperature, top_p| Sampler::new(temperature, top_p, 1).unwrap_err().to_string();
    assert_eq!(refused(-1.0, 0.9), "temperature is -1, expected a finite number of at least 0");
    assert_eq!(refused(f32::NAN, 0.9), "temperature is NaN, expected a finite number of at least 0");
    assert_eq!(refused(1.0, 0.0), "top_p is 0, expected a number above 0 and at most 1");
    assert_eq!(refused(1.0, 1.5), "top_p is 1.5, expected a number above 0 and at most 1");
    let error = Sampler::greedy().sample(&[0.0, f32::NAN]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the model computed a logit that is not finite, at 1; its weights are damaged"
    );
}
