//! `incomplete.no_punct`. Drops the punctuation at the ends of words and writes all in small letters.

use crate::input::perturb::word::is_mark;
use crate::input::perturb::{Dose, Family, LabelSafety, Operator, is_protected, words};
use crate::stats::SplitMix64;

/// Text as typed in a hurry: no punctuation after words, no capitals. Numbers and addresses keep their case. Any dose
/// but 0 does the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NoPunctuation;

impl Operator for NoPunctuation {
    fn name(&self) -> &str {
        "incomplete.no_punct"
    }

    fn family(&self) -> Family {
        Family::IncompleteSentences
    }

    fn label_safety(&self) -> LabelSafety {
        LabelSafety::MostlyKept
    }

    fn summary(&self) -> &str {
        "Drops the punctuation at the ends of words and writes all in small letters."
    }

    fn apply(&self, text: &str, _: Dose, _: &mut SplitMix64) -> String {
        let mut plain = String::with_capacity(text.len());
        let mut done = 0;
        for (start, word) in words(text) {
            plain.push_str(text.get(done..start).unwrap_or_default());
            let trimmed = word.trim_end_matches(['.', ',', ';', ':', '!', '?']);
            // Punctuation that stands alone or after a bracket is more than the end of a word.
            let kept = if trimmed.ends_with(is_of_a_word) { trimmed } else { word };
            if is_protected(kept) {
                plain.push_str(kept);
            } else {
                plain.push_str(&kept.to_lowercase());
            }
            done = start + word.len();
        }
        plain.push_str(text.get(done..).unwrap_or_default());
        plain
    }
}

fn is_of_a_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_' || is_mark(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_numbers_keep_their_case() {
        let plain = |text: &str| NoPunctuation.apply(text, Dose::new(0.1).unwrap(), &mut SplitMix64::new(1));
        assert_eq!(plain("Hello, World!?"), "hello world");
        assert_eq!(plain("See https://Example.org/A, or B2C."), "see https://Example.org/A or B2C");
        assert_eq!(plain("Pay 3.50, now: (yes)."), "pay 3.50 now (yes).");
        assert_eq!(plain(" ... \n"), " ... \n");
    }
}
