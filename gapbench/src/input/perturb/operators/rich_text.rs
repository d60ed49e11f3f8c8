//! `format.rich_text`. Puts in typographic punctuation, unusual spaces and characters that nobody sees.

use crate::input::perturb::word::{is_letter, is_mark};
use crate::input::perturb::{Dose, Family, LabelSafety, Operator, choose, is_protected, typographic, words};
use crate::stats::SplitMix64;

/// What a word processor or a web page leaves: [typographic](crate::input::perturb::typographic()) punctuation; each
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
        let mut rich = String::with_capacity(curly.len() + curly.len() / 4);
        let mut done = 0;
        for (start, word) in words(&curly) {
            space_out(curly.get(done..start).unwrap_or_default(), spaces, random, &mut rich);
            if is_protected(word) {
                rich.push_str(word);
            } else {
                hide_in(word, letters, random, &mut rich);
            }
            done = start + word.len();
        }
        space_out(curly.get(done..).unwrap_or_default(), spaces, random, &mut rich);
        rich
    }
}

/// Appends the white space `gap`, each space another kind with this chance.
fn space_out(gap: &str, chance: f64, random: &mut SplitMix64, rich: &mut String) {
    for letter in gap.chars() {
        if letter == ' ' && random.next_f64() < chance {
            rich.push_str(choose(random, SPACES).copied().unwrap_or(" "));
        } else {
            rich.push(letter);
        }
    }
}

/// Appends `word`, a hidden character after each letter with this chance; between a letter and its mark there is no
/// place.
fn hide_in(word: &str, chance: f64, random: &mut SplitMix64, rich: &mut String) {
    let mut done = 0;
    let mut rest = word.char_indices().peekable();
    while let Some((at, letter)) = rest.next() {
        let free = is_letter(letter) && rest.peek().is_none_or(|(_, next)| !is_mark(*next));
        if free && random.next_f64() < chance {
            let end = at + letter.len_utf8();
            rich.push_str(word.get(done..end).unwrap_or_default());
            rich.extend(choose(random, HIDDEN));
            done = end;
        }
    }
    rich.push_str(word.get(done..).unwrap_or_default());
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
