//! The Rust engine reaches the accuracy that the model card claims.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod common;

use std::fs;

use intent_classifier::Classifier;

/// The card's line "Benchmark accuracy: N of M".
fn claimed() -> (usize, usize) {
    let card = fs::read_to_string(common::path("model/README.md")).unwrap();
    let claim = card.lines().find_map(|line| line.strip_prefix("Benchmark accuracy: ")).unwrap();
    let numbers: Vec<usize> = claim.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    (numbers[0], numbers[1])
}

#[test]
fn benchmark_accuracy_is_the_cards() {
    let classifier = Classifier::load(&common::path("model")).unwrap();
    let messages = common::messages("benchmark");
    let right = messages
        .iter()
        .filter(|message| classifier.classify(&message.text).unwrap().label == message.expected)
        .count();
    let (claimed, of) = claimed();
    assert_eq!(messages.len(), of, "the card speaks of another benchmark");
    // One message whose two best logits are nearly equal may fall the other way on another processor.
    assert!(right.abs_diff(claimed) <= 1, "{right} of {of} right, the card claims {claimed}");
}

#[test]
fn every_production_message_gets_an_answer() {
    let classifier = Classifier::load(&common::path("model")).unwrap();
    for message in common::messages("production") {
        let prediction = classifier.classify(&message.text).unwrap();
        assert!(classifier.config().labels.iter().any(|label| label == prediction.label), "{}", message.id);
        assert!(prediction.tokens <= classifier.config().max_tokens, "{}", message.id);
    }
}
