//! The three data sets are large enough, complete, and do not leak into one another.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod common;

use std::collections::{BTreeSet, HashMap, HashSet};

use common::Message;

/// Two texts with at least this share of character 4-grams in common count as the same.
const NEAR_DUPLICATE: f64 = 0.6;

const SETS: [(&str, usize); 3] = [("train", 1_600), ("benchmark", 480), ("production", 300)];

#[test]
fn every_set_is_large_enough_and_has_every_intent() {
    let intents = |messages: &[Message]| -> BTreeSet<String> {
        messages.iter().map(|message| message.expected.clone()).collect()
    };
    let known = intents(&common::messages("train"));
    assert!(known.len() >= 16, "only {} intents", known.len());
    for (name, least) in SETS {
        let messages = common::messages(name);
        assert!(messages.len() >= least, "{name} has {} messages, fewer than {least}", messages.len());
        assert_eq!(intents(&messages), known, "{name} has other intents than train");
        for message in &messages {
            assert!(!message.text.trim().is_empty(), "{} is empty", message.id);
        }
    }
}

#[test]
fn ids_are_unique_and_name_their_set() {
    let mut seen = HashSet::new();
    for (name, _) in SETS {
        for message in common::messages(name) {
            assert!(message.id.starts_with(&format!("{name}-")), "{} is in {name}", message.id);
            assert!(seen.insert(message.id.clone()), "{} occurs twice", message.id);
        }
    }
}

#[test]
fn no_text_is_in_two_sets() {
    let texts: Vec<(usize, Message, HashSet<String>)> = SETS
        .iter()
        .enumerate()
        .flat_map(|(set, (name, _))| common::messages(name).into_iter().map(move |message| (set, message)))
        .map(|(set, message)| {
            let grams = grams(&message.text);
            (set, message, grams)
        })
        .collect();

    // For every gram the texts seen so far that have it; so only pairs with a gram in common are compared.
    let mut having: HashMap<&str, Vec<usize>> = HashMap::new();
    for (index, (set, message, grams)) in texts.iter().enumerate() {
        let mut shared: HashMap<usize, usize> = HashMap::new();
        for gram in grams {
            for &other in having.get(gram.as_str()).into_iter().flatten() {
                *shared.entry(other).or_default() += 1;
            }
        }
        for (other, count) in shared {
            let (other_set, other_message, other_grams) = &texts[other];
            let jaccard = count as f64 / (grams.len() + other_grams.len() - count) as f64;
            assert!(
                set == other_set || jaccard < NEAR_DUPLICATE,
                "{} and {} are near-duplicates ({jaccard:.2}): {:?}, {:?}",
                message.id,
                other_message.id,
                message.text,
                other_message.text
            );
        }
        for gram in grams {
            having.entry(gram).or_default().push(index);
        }
    }
}

/// All runs of four characters of the text, lower-cased and with every run of white space one space.
fn grams(text: &str) -> HashSet<String> {
    let folded = text.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ");
    let characters: Vec<char> = folded.chars().collect();
    if characters.len() < 4 {
        return HashSet::from([folded]);
    }
    characters.windows(4).map(|window| window.iter().collect()).collect()
}
