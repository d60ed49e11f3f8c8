//! `format.mojibake`. Reads the text's UTF-8 as Windows-1252, after giving it typographic punctuation.

use crate::input::perturb::{Dose, Family, LabelSafety, Operator, typographic};
use crate::stats::SplitMix64;

/// Bytes of one encoding read as another: [typographic](crate::input::perturb::typographic()) punctuation first, then
/// UTF-8 as Windows-1252. A text of ASCII without quotes, apostrophes and dashes stays as it is. Any dose but 0 does
/// the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mojibake;

impl Operator for Mojibake {
    fn name(&self) -> &str {
        "format.mojibake"
    }

    fn family(&self) -> Family {
        Family::CopyPaste
    }

    fn label_safety(&self) -> LabelSafety {
        LabelSafety::Kept
    }

    fn summary(&self) -> &str {
        "Reads the text's UTF-8 as Windows-1252, after giving it typographic punctuation."
    }

    fn apply(&self, text: &str, _: Dose, _: &mut SplitMix64) -> String {
        let curly = typographic(text);
        let mut garbled = String::with_capacity(curly.len() * 2);
        let mut rest = curly.as_str();
        while let Some(at) = rest.find(|letter: char| !letter.is_ascii()) {
            let (plain, from) = rest.split_at(at);
            garbled.push_str(plain);
            let end = from.find(|letter: char| letter.is_ascii()).unwrap_or(from.len());
            let (foreign, after) = from.split_at(end);
            garbled.extend(foreign.bytes().map(windows_1252));
            rest = after;
        }
        garbled.push_str(rest);
        garbled
    }
}

/// What 0x80 to 0x9F are in Windows-1252; the five that it leaves open stay what they are in Latin-1, as in browsers.
///
/// # Source
/// The WHATWG Encoding Standard's index of windows-1252.
const HIGH: [char; 32] = [
    '\u{20ac}', '\u{81}', '\u{201a}', '\u{192}', '\u{201e}', '\u{2026}', '\u{2020}', '\u{2021}', '\u{2c6}',
    '\u{2030}', '\u{160}', '\u{2039}', '\u{152}', '\u{8d}', '\u{17d}', '\u{8f}', '\u{90}', '\u{2018}',
    '\u{2019}', '\u{201c}', '\u{201d}', '\u{2022}', '\u{2013}', '\u{2014}', '\u{2dc}', '\u{2122}', '\u{161}',
    '\u{203a}', '\u{153}', '\u{9d}', '\u{17e}', '\u{178}',
];

fn windows_1252(byte: u8) -> char {
    let high = byte.checked_sub(0x80).and_then(|index| HIGH.get(usize::from(index)));
    high.copied().unwrap_or(char::from(byte))
}
