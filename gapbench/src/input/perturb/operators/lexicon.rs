//! `mixlang.lexicon`. Puts frequent words into Spanish, German or French, one language to a text.

use crate::input::perturb::pick::below;
use crate::input::perturb::{Dose, Family, LabelSafety, Operator, words};
use crate::stats::SplitMix64;

/// Frequent words in another language, each with the dose as its chance; capitals and punctuation are kept.
///
/// It knows 32 English words, so many a short text has none of them and stays as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lexicon;

impl Operator for Lexicon {
    fn name(&self) -> &str {
        "mixlang.lexicon"
    }

    fn family(&self) -> Family {
        Family::MixedLanguages
    }

    fn label_safety(&self) -> LabelSafety {
        LabelSafety::Kept
    }

    fn summary(&self) -> &str {
        "Puts frequent words into Spanish, German or French, one language to a text."
    }

    fn apply(&self, text: &str, dose: Dose, random: &mut SplitMix64) -> String {
        let language = below(random, 3);
        let mut mixed = String::with_capacity(text.len() + text.len() / 16);
        let mut done = 0;
        for (start, word) in words(text) {
            let core = word.trim_matches(AROUND);
            let Some(foreign) = foreign(core, language) else { continue };
            if random.next_f64() >= dose.share() {
                continue;
            }
            // The first of what is trimmed away ends where the core begins.
            let from = start + word.find(core).unwrap_or_default();
            mixed.push_str(text.get(done..from).unwrap_or_default());
            if core.starts_with(|first: char| first.is_ascii_uppercase()) {
                let mut letters = foreign.chars();
                mixed.extend(letters.next().into_iter().flat_map(char::to_uppercase));
                mixed.push_str(&letters.as_str().to_lowercase());
            } else {
                mixed.push_str(foreign);
            }
            done = from + core.len();
        }
        mixed.push_str(text.get(done..).unwrap_or_default());
        mixed
    }
}

/// What may stand around a word.
const AROUND: &[char] = &['.', ',', ';', ':', '!', '?', '"', '\'', '(', ')'];

/// Frequent English words in Spanish, German and French, sorted. No negation is among them.
const WORDS: &[(&str, [&str; 3])] = &[
    ("all", ["todo", "alle", "tout"]),
    ("also", ["también", "auch", "aussi"]),
    ("and", ["y", "und", "et"]),
    ("are", ["son", "sind", "sont"]),
    ("because", ["porque", "weil", "parce"]),
    ("but", ["pero", "aber", "mais"]),
    ("can", ["puede", "kann", "peut"]),
    ("data", ["datos", "Daten", "données"]),
    ("file", ["archivo", "Datei", "fichier"]),
    ("for", ["para", "für", "pour"]),
    ("from", ["de", "von", "de"]),
    ("have", ["tener", "haben", "avoir"]),
    ("if", ["si", "wenn", "si"]),
    ("in", ["en", "in", "dans"]),
    ("is", ["es", "ist", "est"]),
    ("model", ["modelo", "Modell", "modèle"]),
    ("more", ["más", "mehr", "plus"]),
    ("of", ["de", "von", "de"]),
    ("or", ["o", "oder", "ou"]),
    ("that", ["que", "dass", "que"]),
    ("the", ["el", "der", "le"]),
    ("they", ["ellos", "sie", "ils"]),
    ("this", ["este", "dies", "ce"]),
    ("time", ["tiempo", "Zeit", "temps"]),
    ("to", ["a", "zu", "à"]),
    ("use", ["usar", "benutzen", "utiliser"]),
    ("very", ["muy", "sehr", "très"]),
    ("we", ["nosotros", "wir", "nous"]),
    ("when", ["cuando", "wenn", "quand"]),
    ("where", ["donde", "wo", "où"]),
    ("with", ["con", "mit", "avec"]),
    ("you", ["tú", "du", "vous"]),
];

/// `word` in a language of the table, whatever its case.
fn foreign(word: &str, language: usize) -> Option<&'static str> {
    /// The longest word of the table.
    const LONGEST: usize = 7;
    let mut lower = [0_u8; LONGEST];
    let lower = lower.get_mut(..word.len())?;
    lower.copy_from_slice(word.as_bytes());
    lower.make_ascii_lowercase();
    let found = WORDS.binary_search_by(|(english, _)| english.as_bytes().cmp(lower)).ok()?;
    WORDS.get(found)?.1.get(language).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_found() {
        assert!(WORDS.is_sorted());
        for (english, foreign_words) in WORDS {
            assert_eq!(foreign(&english.to_uppercase(), 1), Some(foreign_words[1]), "{english}");
        }
        assert_eq!(foreign("nothing", 0), None);
        assert_eq!(foreign("", 0), None);
        assert_eq!(foreign("\u{e9}t\u{e9}", 0), None);
        assert_eq!(foreign("configuration", 0), None);
    }
}
