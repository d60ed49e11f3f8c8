//! `format.rich_text`. Puts in typographic punctuation, unusual spaces and characters that nobody sees.

use crate::input::perturb::word::{is_letter, is_mark};
use crate::input::perturb::{Dose, Family, LabelSafety, Operator, choose, is_protected, typographic};
use crate::stats::SplitMix64;

/// What a word processor or a web page leaves: [typographic](crate::input::perturb::typographic) punctuation; each
/// space becomes another kind with twice the dose as its chance; after each letter an invisible character with a fifth
/// of it. Numbers and addresses get none inside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RichText;

impl Operator for RichText {
    fn name(&self) -> &str {
        "format.rich_text"
    }

    fn family(&self) -> Family {
        Family::CopyPaste
    }

    fn label_safety(&self) -> LabelSafety {
        LabelSafety::Kept
    }

    fn summary(&self) -> &str {
        "Puts in typographic punctuation, unusual spaces and characters that nobody sees."
    }

    fn apply(&self, text: &str, dose: Dose, random: &mut SplitMix64) -> String {
        let spaces = dose.times(SPACES_PER_DOSE);
        let letters = dose.share() / LETTERS_PER_HIDDEN;
        let curly = typographic(text);
        let mut rich = String::with_capacity(curly.len() + curly.len() / 8);
        let mut after_word = 0;
        let mut protected = false;
        let mut rest = curly.char_indices().peekable();
        while let Some((at, letter)) = rest.next() {
            if letter == ' ' && random.next_f64() < spaces {
                rich.push_str(choose(random, SPACES).copied().unwrap_or(" "));
                continue;
            }
            rich.push(letter);
            if at >= after_word && !letter.is_whitespace() {
                let word = curly.get(at..).unwrap_or_default();
                let word =
                    word.get(..word.find(char::is_whitespace).unwrap_or(word.len())).unwrap_or_default();
                after_word = at + word.len();
                protected = is_protected(word);
            }
            // Between a letter and its mark there is no place, and a number or an address would be another one.
            let free = is_letter(letter) && !protected && rest.peek().is_none_or(|(_, next)| !is_mark(*next));
            if free && random.next_f64() < letters {
                rich.extend(choose(random, HIDDEN));
            }
        }
        rich
    }
}

/// The chance of a space to become another kind of space, in doses.
const SPACES_PER_DOSE: f64 = 2.0;

/// The dose is the chance of one in so many letters to be followed by a hidden character.
const LETTERS_PER_HIDDEN: f64 = 5.0;

/// No-break space, thin space, two spaces, tab.
const SPACES: &[&str] = &["\u{a0}", "\u{2009}", "  ", "\t"];

/// Zero-width space, zero-width joiner, byte order mark, soft hyphen.
const HIDDEN: &[char] = &['\u{200b}', '\u{200d}', '\u{feff}', '\u{ad}'];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_must_not_change_does_not() {
        let rich = |text: &str| RichText.apply(text, Dose::new(1.0).unwrap(), &mut SplitMix64::new(5));
        // At dose 1 every space changes, and one in five letters is followed by a hidden character.
        let noisy = rich("go https://example.org/abcdefghijklmnopqrstuvwxyz room1234abcdefghijklmn now");
        assert!(noisy.contains("https://example.org/abcdefghijklmnopqrstuvwxyz"), "{noisy:?}");
        assert!(noisy.contains("room1234abcdefghijklmn"), "{noisy:?}");
        let accents = rich(&"e\u{301}".repeat(50));
        assert_eq!(accents, "e\u{301}".repeat(50));
        assert!(HIDDEN.iter().any(|hidden| rich(&"letters".repeat(20)).contains(*hidden)));
    }
}
