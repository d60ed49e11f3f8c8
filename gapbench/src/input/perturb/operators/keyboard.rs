//! `typo.keyboard`. Deletes, doubles up, replaces or swaps a letter of a word as a finger on a QWERTY keyboard does.

use crate::input::perturb::pick::below;
use crate::input::perturb::word::{is_bare, is_letter, is_mark};
use crate::input::perturb::{Dose, Family, LabelSafety, Operator, choose, edit_words, is_editable};
use crate::stats::SplitMix64;

/// Slips on a QWERTY keyboard: one per chosen word, never at its first character.
///
/// 28 % delete a letter, 15 % add a neighbouring key, 28 % hit it instead, 29 % swap two letters. Neighbours in the
/// same row are nine times as likely as those above and below. Case is kept.
///
/// # Source
/// Shares and weights as in MulTypo (arXiv 2510.09536), whose noise people took for natural.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keyboard;

impl Operator for Keyboard {
    fn name(&self) -> &str {
        "typo.keyboard"
    }

    fn family(&self) -> Family {
        Family::Typos
    }

    fn label_safety(&self) -> LabelSafety {
        LabelSafety::Kept
    }

    fn summary(&self) -> &str {
        "Deletes, doubles up, replaces or swaps a letter of a word as a finger on a QWERTY keyboard does."
    }

    fn apply(&self, text: &str, dose: Dose, random: &mut SplitMix64) -> String {
        edit_words(text, dose, random, is_editable, slip)
    }
}

const ROWS: [&str; 3] = ["qwertyuiop", "asdfghjkl", "zxcvbnm"];

/// A neighbour in the same row is so many times as likely as one in the row above or below.
const SIDEWAYS: usize = 9;

/// Percent of slips that delete, that delete or insert, and that delete, insert or replace; the rest swap two letters.
const DELETE: usize = 28;
const INSERT: usize = DELETE + 15;
const REPLACE: usize = INSERT + 28;

fn slip(word: &str, random: &mut SplitMix64) -> String {
    let mut letters: Vec<char> = word.chars().collect();
    let ascii = |index: &usize| letters.get(*index).is_some_and(char::is_ascii_alphabetic);
    let places: Vec<usize> =
        (1..letters.len()).filter(|index| ascii(index) && is_bare(&letters, *index)).collect();
    let Some((&place, letter)) =
        choose(random, &places).and_then(|place| Some((place, *letters.get(*place)?)))
    else {
        return word.to_owned();
    };
    let kind = below(random, 100);
    let swapped = kind >= REPLACE && swap(&mut letters, place);
    if kind < DELETE {
        letters.remove(place);
    } else if kind < INSERT {
        letters.insert(place + 1, neighbour(letter, random));
    } else if !swapped && let Some(replaced) = letters.get_mut(place) {
        *replaced = neighbour(letter, random);
    }
    letters.into_iter().collect()
}

/// Swaps the letter with the next one, or with the one before where there is no next one. The first letter stays, and
/// so do two that are alike.
fn swap(letters: &mut [char], place: usize) -> bool {
    let next_is_letter = letters.get(place + 1).is_some_and(|next| is_letter(*next));
    let first = if next_is_letter { place } else { place - 1 };
    let (Some(before), Some(after)) = (letters.get(first), letters.get(first + 1)) else { return false };
    let free = first >= 1 && before != after && !is_mark(*before) && is_bare(letters, first + 1);
    if free {
        letters.swap(first, first + 1);
    }
    free
}

/// A key beside that of `letter`, in its case; `letter` itself where it has no key.
fn neighbour(letter: char, random: &mut SplitMix64) -> char {
    let lower = letter.to_ascii_lowercase();
    let key = |row: Option<usize>, column: Option<usize>| {
        char::from_u32(u32::from(*ROWS.get(row?)?.as_bytes().get(column?)?))
    };
    let place = ROWS.iter().enumerate().find_map(|(row, keys)| Some((row, keys.find(lower)?)));
    let Some((row, column)) = place else { return letter };
    let beside = [
        (key(Some(row), column.checked_sub(1)), SIDEWAYS),
        (key(Some(row), Some(column + 1)), SIDEWAYS),
        (key(row.checked_sub(1), Some(column)), 1),
        (key(Some(row + 1), Some(column)), 1),
    ];
    let all = beside.iter().filter(|(key, _)| key.is_some()).map(|(_, weight)| weight).sum();
    let mut drawn = below(random, all);
    for (key, weight) in beside {
        let Some(key) = key else { continue };
        if drawn < weight {
            return if letter.is_ascii_uppercase() { key.to_ascii_uppercase() } else { key };
        }
        drawn -= weight;
    }
    letter
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_lie_beside_the_key() {
        let drawn = |letter: char| {
            let mut random = SplitMix64::new(1);
            let mut found: Vec<char> = (0..2000).map(|_| neighbour(letter, &mut random)).collect();
            found.sort_unstable();
            let sideways = found.iter().filter(|key| "adAD".contains(**key)).count();
            found.dedup();
            (found.into_iter().collect::<String>(), sideways)
        };
        let (keys, sideways) = drawn('s');
        assert_eq!(keys, "adwx");
        // 9 of 10 expected: 1,800, with a standard deviation of 13.
        assert!((1_740..1_860).contains(&sideways), "{sideways}");
        assert_eq!(drawn('S').0, "ADWX");
        assert_eq!(drawn('q').0, "aw");
        assert_eq!(drawn('m').0, "jn");
        assert_eq!(drawn('p').0, "o");
        assert_eq!(drawn('l').0, "ko");
    }

    #[test]
    fn marks_stay_on_their_letter() {
        // The accent belongs to the `e`; no slip may take it to another letter.
        let word = "re\u{301}sume\u{301}";
        for seed in 0..500 {
            let slipped = slip(word, &mut SplitMix64::new(seed));
            let marks = slipped.matches('\u{301}').count();
            assert_eq!(slipped.matches("e\u{301}").count(), marks, "{slipped:?}");
        }
    }
}
