//! `incomplete.telegraphic`. Leaves out articles, prepositions and other small words.

use crate::input::perturb::{Dose, Family, LabelSafety, Operator, words};
use crate::stats::SplitMix64;

/// Each small word is left out with five times the dose as its chance. A text of nothing else stays as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Telegraphic;

impl Operator for Telegraphic {
    fn name(&self) -> &str {
        "incomplete.telegraphic"
    }

    fn family(&self) -> Family {
        Family::IncompleteSentences
    }

    fn label_safety(&self) -> LabelSafety {
        LabelSafety::MostlyKept
    }

    fn summary(&self) -> &str {
        "Leaves out articles, prepositions and other small words."
    }

    fn apply(&self, text: &str, dose: Dose, random: &mut SplitMix64) -> String {
        let chance = dose.times(PER_DOSE);
        let mut short = String::with_capacity(text.len());
        short.push_str(space_from(text, 0));
        let mut after_last = None;
        for (start, word) in words(text) {
            if is_stop_word(word) && random.next_f64() < chance {
                continue;
            }
            short.push_str(after_last.unwrap_or_default());
            short.push_str(word);
            after_last = Some(space_from(text, start + word.len()));
        }
        if after_last.is_none() {
            return text.to_owned();
        }
        short.push_str(text.get(text.trim_end().len()..).unwrap_or_default());
        short
    }
}

/// The chance of a stop word to go, in doses. A tenth of the words that matter little would hardly be seen.
const PER_DOSE: f64 = 5.0;

/// Words that carry little; no negation is among them.
const STOP_WORDS: &[&str] = &[
    "a", "an", "and", "are", "as", "at", "be", "been", "by", "for", "from", "in", "is", "it", "of", "on",
    "that", "the", "this", "to", "was", "were", "with",
];

fn is_stop_word(word: &str) -> bool {
    word.len() <= 4 && STOP_WORDS.iter().any(|stop| word.eq_ignore_ascii_case(stop))
}

/// The white space that begins at `from`.
fn space_from(text: &str, from: usize) -> &str {
    let rest = text.get(from..).unwrap_or_default();
    rest.get(..rest.len() - rest.trim_start().len()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_stop_words_go() {
        let all = |text: &str| Telegraphic.apply(text, Dose::new(0.2).unwrap(), &mut SplitMix64::new(1));
        assert_eq!(all("the card is not in the machine"), "card not machine");
        assert_eq!(all("  What is it\n\nfor the card? "), "  What card? ");
        assert_eq!(all("this is it"), "this is it", "something has to stay");
        assert_eq!(all(""), "");
    }
}
