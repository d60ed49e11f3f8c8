//! `format.pdf`. Joins letters to ligatures, wraps lines at 72 columns and hyphenates, as text copied from a PDF is.

use std::borrow::Cow;

use crate::input::perturb::pick::below;
use crate::input::perturb::word::is_letter;
use crate::input::perturb::{Dose, Family, LabelSafety, Operator, is_protected, negates, words};
use crate::stats::SplitMix64;

/// What a copy from a PDF leaves: ligatures, lines of 72 characters, long words split with a hyphen or a soft one.
/// Numbers and addresses stay whole. Any dose but 0 does the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pdf;

impl Operator for Pdf {
    fn name(&self) -> &str {
        "format.pdf"
    }

    fn family(&self) -> Family {
        Family::CopyPaste
    }

    fn label_safety(&self) -> LabelSafety {
        LabelSafety::Kept
    }

    fn summary(&self) -> &str {
        "Joins letters to ligatures, wraps lines at 72 columns and hyphenates, as text copied from a PDF is."
    }

    fn apply(&self, text: &str, _: Dose, random: &mut SplitMix64) -> String {
        let mut page = String::with_capacity(text.len() + text.len() / 32);
        let (mut done, mut column) = (0, 0);
        for (start, word) in words(text) {
            let gap = text.get(done..start).unwrap_or_default();
            done = start + word.len();
            let protected = is_protected(word);
            let word = if protected || !word.contains('f') {
                Cow::Borrowed(word)
            } else {
                Cow::Owned(ligatures(word))
            };
            let width = word.chars().count();
            if gap.contains('\n') {
                column = 0;
            }
            if column == 0 || column + width <= COLUMNS {
                page.push_str(gap);
                page.push_str(&word);
                column += width + 1;
            } else if width >= SHORTEST_SPLIT && word.chars().all(is_letter) && !negates(&word) {
                let (head, tail) = split(&word, FEWEST_BEFORE + below(random, width - FEWEST_TOGETHER));
                page.push_str(gap);
                page.push_str(head);
                page.push(if below(random, 2) == 0 { '\u{ad}' } else { '-' });
                page.push('\n');
                page.push_str(tail);
                column = tail.chars().count();
            } else {
                page.push('\n');
                page.push_str(&word);
                column = width;
            }
        }
        page.push_str(text.get(done..).unwrap_or_default());
        page
    }
}

/// Characters of a line.
const COLUMNS: usize = 72;

/// Characters of the shortest word that is split at the end of a line.
const SHORTEST_SPLIT: usize = 8;

/// Characters that stay before the hyphen at least, and those that a split leaves alone on both sides together.
const FEWEST_BEFORE: usize = 3;
const FEWEST_TOGETHER: usize = 5;

fn ligatures(word: &str) -> String {
    const LIGATURES: [(&str, char); 5] = [
        ("ffi", '\u{fb03}'),
        ("ffl", '\u{fb04}'),
        ("ff", '\u{fb00}'),
        ("fi", '\u{fb01}'),
        ("fl", '\u{fb02}'),
    ];
    let mut joined = String::with_capacity(word.len());
    let mut rest = word;
    while let Some(at) = rest.find('f') {
        let (before, from) = rest.split_at(at);
        joined.push_str(before);
        // Three letters join before two do: of `fffi`, the last three.
        let later = from.starts_with("fffi") || from.starts_with("fffl");
        let found = LIGATURES.iter().find(|(letters, _)| !later && from.starts_with(letters));
        let (letters, ligature) = found.map_or(("f", 'f'), |(letters, ligature)| (*letters, *ligature));
        joined.push(ligature);
        rest = from.get(letters.len()..).unwrap_or_default();
    }
    joined.push_str(rest);
    joined
}

fn split(word: &str, letters: usize) -> (&str, &str) {
    let at = word.char_indices().nth(letters).map_or(word.len(), |(at, _)| at);
    word.split_at(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(text: &str, seed: u64) -> String {
        Pdf.apply(text, Dose::new(0.1).unwrap(), &mut SplitMix64::new(seed))
    }

    #[test]
    fn letters_join() {
        assert_eq!(
            page("office coffee file flow afflict fffi", 1),
            "o\u{fb03}ce co\u{fb00}ee \u{fb01}le \u{fb02}ow a\u{fb04}ict f\u{fb03}"
        );
        assert_eq!(page("https://office.org file1", 1), "https://office.org file1");
    }

    #[test]
    fn lines_end_where_they_were_ended_or_are_full() {
        assert_eq!(page("a\nb", 1), "a\nb");
        let long = "word ".repeat(20);
        let lines = page(&long, 1);
        assert!(
            lines.trim_end().lines().all(|line| (60..=73).contains(&line.len()) || line.len() < 40),
            "{lines}"
        );
        assert_eq!(lines.replace('\n', " "), long);
        let one = "x".repeat(100);
        assert_eq!(page(&one, 1), one, "no empty first line");
    }

    #[test]
    fn long_words_are_split_and_negations_are_not() {
        let filled = "a".repeat(68);
        let mut hyphens = Vec::new();
        for seed in 0..20 {
            let lines = page(&format!("{filled} configurable"), seed);
            hyphens.extend(lines.chars().filter(|letter| matches!(letter, '-' | '\u{ad}')));
            assert_eq!(
                lines.replace("\u{ad}\n", "").replace("-\n", ""),
                format!("{filled} con\u{fb01}gurable")
            );
            assert_eq!(page(&format!("{filled} shouldnt"), seed), format!("{filled}\nshouldnt"));
        }
        assert_eq!(hyphens.len(), 20);
        assert!(hyphens.contains(&'-') && hyphens.contains(&'\u{ad}'));
    }
}
