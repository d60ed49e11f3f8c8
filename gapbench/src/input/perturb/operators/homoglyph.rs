//! `mixscript.homoglyph`. Puts a Cyrillic letter in place of a Latin one that looks the same.

use crate::input::perturb::{Dose, Family, LabelSafety, Operator, choose, edit_words, is_editable};
use crate::stats::SplitMix64;

/// One letter of each chosen word becomes the Cyrillic letter that looks like it.
///
/// # Source
/// Pairs of the Unicode data file intentional.txt (UTS 39); as an attack in Boucher et al. 2022, Bad Characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Homoglyph;

impl Operator for Homoglyph {
    fn name(&self) -> &str {
        "mixscript.homoglyph"
    }

    fn family(&self) -> Family {
        Family::MixedLanguages
    }

    fn label_safety(&self) -> LabelSafety {
        LabelSafety::Kept
    }

    fn summary(&self) -> &str {
        "Puts a Cyrillic letter in place of a Latin one that looks the same."
    }

    fn apply(&self, text: &str, dose: Dose, random: &mut SplitMix64) -> String {
        let eligible = |word: &str| is_editable(word) && word.chars().any(|letter| twin(letter).is_some());
        edit_words(text, dose, random, eligible, |word, random| {
            let places: Vec<(usize, char)> =
                word.char_indices().filter_map(|(index, letter)| Some((index, twin(letter)?))).collect();
            let mut mixed = word.to_owned();
            if let Some((index, twin)) = choose(random, &places) {
                mixed.replace_range(*index..index + 1, twin.encode_utf8(&mut [0; 4]));
            }
            mixed
        })
    }
}

/// The Cyrillic letter that looks like a Latin one.
const fn twin(letter: char) -> Option<char> {
    Some(match letter {
        'a' => '\u{430}',
        'c' => '\u{441}',
        'e' => '\u{435}',
        'i' => '\u{456}',
        'j' => '\u{458}',
        'o' => '\u{43e}',
        'p' => '\u{440}',
        's' => '\u{455}',
        'x' => '\u{445}',
        'y' => '\u{443}',
        'A' => '\u{410}',
        'B' => '\u{412}',
        'C' => '\u{421}',
        'E' => '\u{415}',
        'H' => '\u{41d}',
        'I' => '\u{406}',
        'K' => '\u{41a}',
        'M' => '\u{41c}',
        'O' => '\u{41e}',
        'P' => '\u{420}',
        'T' => '\u{422}',
        'X' => '\u{425}',
        _ => return None,
    })
}
