//! `mixlang.frame`. Puts a greeting, a word of thanks or both around the text, in another language.

use crate::input::perturb::pick::below;
use crate::input::perturb::{Dose, Family, LabelSafety, Operator, choose};
use crate::stats::SplitMix64;

/// A greeting before the text, thanks after it, or both, in one of five languages. Any dose but 0 does the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Frame;

impl Operator for Frame {
    fn name(&self) -> &str {
        "mixlang.frame"
    }

    fn family(&self) -> Family {
        Family::MixedLanguages
    }

    fn label_safety(&self) -> LabelSafety {
        LabelSafety::Kept
    }

    fn summary(&self) -> &str {
        "Puts a greeting, a word of thanks or both around the text, in another language."
    }

    fn apply(&self, text: &str, _: Dose, random: &mut SplitMix64) -> String {
        let (greeting, thanks) = choose(random, FRAMES).copied().unwrap_or_default();
        match below(random, 3) {
            0 => format!("{greeting}{text}"),
            1 => format!("{text}{thanks}"),
            _ => format!("{greeting}{text}{thanks}"),
        }
    }
}

/// A greeting and a word of thanks in Spanish, German, French, Portuguese and Chinese.
const FRAMES: &[(&str, &str)] = &[
    ("Hola, ", ", gracias"),
    ("Hallo, ", ", bitte"),
    ("Bonjour, ", ", merci"),
    ("Ol\u{e1}, ", ", por favor"),
    ("\u{4f60}\u{597d}\u{ff0c}", "\u{ff0c}\u{8c22}\u{8c22}"),
];
