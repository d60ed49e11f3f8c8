//! `typo.internal_swap`. Swaps two letters inside a word; its first and last letter stay.

use crate::input::perturb::word::{is_bare, is_letter};
use crate::input::perturb::{Dose, Family, LabelSafety, Operator, choose, edit_words, is_editable};
use crate::stats::SplitMix64;

/// Two neighbouring letters inside each chosen word change places. Such words stay readable.
///
/// # Source
/// Rawlinson 1976, The Significance of Letter Position in Word Recognition; as an attack in Pruthi et al. 2019
/// (P19-1561).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InternalSwap;

impl Operator for InternalSwap {
    fn name(&self) -> &str {
        "typo.internal_swap"
    }

    fn family(&self) -> Family {
        Family::Typos
    }

    fn label_safety(&self) -> LabelSafety {
        LabelSafety::Kept
    }

    fn summary(&self) -> &str {
        "Swaps two letters inside a word; its first and last letter stay."
    }

    fn apply(&self, text: &str, dose: Dose, random: &mut SplitMix64) -> String {
        let eligible = |word: &str| is_editable(word) && has_pair(word);
        edit_words(text, dose, random, eligible, |word, random| {
            let mut letters: Vec<char> = word.chars().collect();
            if let Some(&first) = choose(random, &pairs(&letters)) {
                letters.swap(first, first + 1);
            }
            letters.into_iter().collect()
        })
    }
}

/// Whether [`pairs`] finds any, without a list for the many words of ASCII.
fn has_pair(word: &str) -> bool {
    if !word.is_ascii() {
        return !pairs(&word.chars().collect::<Vec<_>>()).is_empty();
    }
    let bytes = word.as_bytes();
    let letter = |byte: &u8| byte.is_ascii_alphabetic();
    let inside = bytes.iter().position(letter).zip(bytes.iter().rposition(letter));
    let inside = inside.and_then(|(first, last)| bytes.get(first + 1..last)).unwrap_or_default();
    inside.windows(2).any(|two| matches!(two, [a, b] if letter(a) && letter(b) && a != b))
}

/// Where two unlike letters stand beside each other, neither of them the word's first or last letter.
fn pairs(letters: &[char]) -> Vec<usize> {
    let inner = |index: &usize| letters.get(*index).is_some_and(|letter| is_letter(*letter));
    let places: Vec<usize> = (0..letters.len()).filter(inner).collect();
    let inside = places.get(1..places.len().saturating_sub(2)).unwrap_or_default();
    let free = |first: &usize| {
        let next = first + 1;
        inner(&next) && letters.get(*first) != letters.get(next) && is_bare(letters, next)
    };
    inside.iter().copied().filter(free).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_and_doubles_stay() {
        let found = |word: &str| {
            let found = pairs(&word.chars().collect::<Vec<_>>());
            assert_eq!(has_pair(word), !found.is_empty(), "{word}");
            found
        };
        assert_eq!(found("very"), [1]);
        assert_eq!(found("been"), [0_usize; 0], "two alike letters");
        assert_eq!(found("\"first\""), [2, 3]);
        assert_eq!(found("user's"), [1, 2]);
        assert_eq!(found("abe\u{301}cd"), [0_usize; 0], "the accent stays on its letter");
        assert_eq!(found("the"), [0_usize; 0]);
        assert_eq!(found("a-bc-d"), [2]);
        assert_eq!(found("a--d"), [0_usize; 0]);
        assert_eq!(found("x"), [0_usize; 0]);
        assert_eq!(found(""), [0_usize; 0]);
    }
}
