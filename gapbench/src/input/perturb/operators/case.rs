//! `typo.case`. Writes a word in capitals, in small letters, or with its case turned round.

use crate::input::perturb::pick::below;
use crate::input::perturb::{Dose, Family, LabelSafety, Operator, edit_words, is_editable};
use crate::stats::SplitMix64;

/// Each chosen word in small letters, in capitals, or with every letter's case turned round.
///
/// A model that lower-cases its input is blind to it. Labels that hang on capitals, as names do, are not kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Case;

impl Operator for Case {
    fn name(&self) -> &str {
        "typo.case"
    }

    fn family(&self) -> Family {
        Family::Typos
    }

    fn label_safety(&self) -> LabelSafety {
        LabelSafety::Kept
    }

    fn summary(&self) -> &str {
        "Writes a word in capitals, in small letters, or with its case turned round."
    }

    fn apply(&self, text: &str, dose: Dose, random: &mut SplitMix64) -> String {
        edit_words(text, dose, random, is_editable, |word, random| {
            let kind = below(random, 3);
            let lower = word.to_lowercase();
            match kind {
                0 if lower != word => lower,
                0 | 1 => word.to_uppercase(),
                _ => word.chars().flat_map(swapped).collect(),
            }
        })
    }
}

fn swapped(letter: char) -> impl Iterator<Item = char> {
    let (upper, lower) = if letter.is_uppercase() {
        (None, Some(letter.to_lowercase()))
    } else {
        (Some(letter.to_uppercase()), None)
    };
    upper.into_iter().flatten().chain(lower.into_iter().flatten())
}
