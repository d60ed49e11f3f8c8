//! The Rust forward pass against PyTorch, on the texts that the training run stored with their logits.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod common;

use std::fs;

use intent_classifier::{Classifier, ClassifyError};
use serde::Deserialize;

/// Largest difference allowed between a logit here and in PyTorch, both from the same f16 weights in f32.
const TOLERANCE: f32 = 2e-3;

#[derive(Deserialize)]
struct Vector {
    /// Which text this is, for the failure message.
    source: String,
    text: String,
    /// Token ids that PyTorch's tokenizer gave, `[CLS]` first.
    ids: Vec<u32>,
    truncated: bool,
    logits: Vec<f32>,
}

#[test]
fn logits_agree_with_pytorch() {
    let stored = fs::read(common::path("tests/logits.json")).unwrap();
    let vectors: Vec<Vector> = serde_json::from_slice(&stored).unwrap();
    assert_eq!(vectors.len(), 50);
    assert!(vectors.iter().any(|vector| vector.text.is_empty()));
    assert!(vectors.iter().any(|vector| vector.truncated));

    let classifier = Classifier::load(&common::path("model")).unwrap();
    let labels = &classifier.config().labels;
    let mut largest = 0.0_f32;
    for vector in &vectors {
        let source = &vector.source;
        let logits = if vector.text.is_empty() {
            // Nothing to classify: an error by design. The network itself can still read the lone [CLS].
            assert_eq!(classifier.classify(""), Err(ClassifyError::EmptyText { bytes: 0 }));
            classifier.model().logits(&vector.ids).unwrap()
        } else {
            let encoded = classifier.encoder().encode(&vector.text).unwrap();
            assert_eq!(encoded.ids, vector.ids, "{source}: other token ids");
            let prediction = classifier.classify(&vector.text).unwrap();
            assert_eq!(prediction.tokens, vector.ids.len(), "{source}");
            assert_eq!(prediction.truncated, vector.truncated, "{source}");
            assert_eq!(prediction.label, labels[best(&vector.logits)], "{source}: another intent");
            prediction.logits
        };
        assert_eq!(logits.len(), labels.len());
        assert_eq!(best(&logits), best(&vector.logits), "{source}: another best logit");
        for (index, (here, torch)) in logits.iter().zip(&vector.logits).enumerate() {
            let difference = (here - torch).abs();
            largest = largest.max(difference);
            assert!(difference <= TOLERANCE, "{source}: logit {index} is {here}, PyTorch has {torch}");
        }
    }
    println!("largest difference of {} texts: {largest:e}", vectors.len());
}

fn best(logits: &[f32]) -> usize {
    (0..logits.len()).max_by(|&a, &b| logits[a].total_cmp(&logits[b])).unwrap()
}
