//! `incomplete.truncate`. Cuts the end of the text off, sometimes in the middle of a word.

use crate::input::perturb::pick::below;
use crate::input::perturb::word::is_mark;
use crate::input::perturb::{Dose, Family, LabelSafety, Operator, is_protected, words};
use crate::stats::SplitMix64;

/// The text without its last words: the dose's share of them, rounded up, but three stay. Half of the cuts leave a
/// stump of the next word. What ends a sentence is taken away.
///
/// The end may carry the answer, so its scores stand beside the others and do not gate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Truncate;

impl Operator for Truncate {
    fn name(&self) -> &str {
        "incomplete.truncate"
    }

    fn family(&self) -> Family {
        Family::IncompleteSentences
    }

    fn label_safety(&self) -> LabelSafety {
        LabelSafety::MayChange
    }

    fn summary(&self) -> &str {
        "Cuts the end of the text off, sometimes in the middle of a word."
    }

    fn apply(&self, text: &str, dose: Dose, random: &mut SplitMix64) -> String {
        let count = words(text).count();
        // The ceiling; the last digit keeps a product such as 0.1 x 10 from rounding up to one word more.
        let cut = (count as f64 * dose.share() + 0.999_999) as usize;
        let keep = count.saturating_sub(cut).max(count.min(FEWEST_WORDS));
        let mut last = words(text).skip(keep.saturating_sub(1));
        let end = last.next().map_or(0, |(start, word)| start + word.len());
        let mut kept = text.get(..end).unwrap_or_default().to_owned();
        if let Some((start, word)) = last.next()
            && below(random, 2) == 0
        {
            let letters = word.chars().count();
            let stump = stump(word, 1 + below(random, (letters - 1).max(1)));
            // Half a number is another number.
            if !is_protected(word) && !stump.is_empty() {
                kept.push_str(text.get(end..start).unwrap_or_default());
                kept.push_str(stump);
            }
        }
        let open = kept.trim_end_matches(['.', '!', '?']);
        if open.trim().is_empty() { text.to_owned() } else { open.to_owned() }
    }
}

/// So many words are kept, however large the dose.
const FEWEST_WORDS: usize = 3;

/// The first `letters` characters of `word`, with the marks on the last one and without what would join it to the next.
fn stump(word: &str, letters: usize) -> &str {
    let mut rest = word.char_indices().skip(letters);
    let end = rest.find(|(_, letter)| !is_mark(*letter)).map_or(word.len(), |(at, _)| at);
    word.get(..end).unwrap_or(word).trim_end_matches(JOINER)
}

/// The zero-width joiner makes one emoji of two.
const JOINER: char = '\u{200d}';

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stump_keeps_its_marks() {
        assert_eq!(stump("because", 1), "b");
        assert_eq!(stump("e\u{301}te\u{301}", 1), "e\u{301}");
        assert_eq!(stump("\u{1f469}\u{200d}\u{1f4bb}x", 1), "\u{1f469}");
        assert_eq!(stump("a", 5), "a");
    }

    #[test]
    fn numbers_stay_whole() {
        let texts: Vec<String> = (0..50)
            .map(|seed| {
                Truncate.apply("pay the bill 12345", Dose::new(0.25).unwrap(), &mut SplitMix64::new(seed))
            })
            .collect();
        assert!(texts.iter().all(|text| text == "pay the bill"), "{texts:?}");
    }

    #[test]
    fn three_words_and_something_stay() {
        let all = |text: &str| Truncate.apply(text, Dose::new(1.0).unwrap(), &mut SplitMix64::new(3));
        assert!(all("one two three four five").starts_with("one two three"));
        assert_eq!(all("help me!"), "help me");
        assert_eq!(all("?!"), "?!");
        assert_eq!(all(""), "");
    }
}
