//! What an operator of noise is. Knows no particular one.

use std::fmt;

use super::Dose;
use crate::stats::SplitMix64;

/// Where noise of a kind comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Family {
    /// Slips of the hand.
    Typos,
    /// Words or letters of another language or script.
    MixedLanguages,
    /// Sentences that are cut, shortened or without punctuation.
    IncompleteSentences,
    /// What formatting and copying leave behind.
    CopyPaste,
}

impl Family {
    /// All, in the order of lists.
    pub const ALL: &'static [Family] =
        &[Family::Typos, Family::MixedLanguages, Family::IncompleteSentences, Family::CopyPaste];

    /// The words that name it.
    pub const fn name(self) -> &'static str {
        match self {
            Family::Typos => "typos",
            Family::MixedLanguages => "mixed languages",
            Family::IncompleteSentences => "incomplete sentences",
            Family::CopyPaste => "formatting and copy-paste",
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

/// Whether the right answer of a text is still right for the noisy one. Ordered from safe to unsafe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LabelSafety {
    /// A careful reader gives the same answer.
    Kept,
    /// A careful reader mostly gives the same answer: words that carry little are missing.
    MostlyKept,
    /// What the answer depends on may be gone. Such noise does not belong into an accuracy that gates.
    MayChange,
}

impl LabelSafety {
    /// The words that name it.
    pub const fn name(self) -> &'static str {
        match self {
            LabelSafety::Kept => "kept",
            LabelSafety::MostlyKept => "mostly kept",
            LabelSafety::MayChange => "may change",
        }
    }
}

impl fmt::Display for LabelSafety {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

/// A way in which text is worse in production than in a paper's test set.
///
/// A user's own operator takes its place in a [`Registry`](super::Registry) beside ours:
///
/// ```
/// use gapbench::input::perturb::{Dose, Family, LabelSafety, Operator, Registry, Severity, edit_words, is_editable};
/// use gapbench::stats::SplitMix64;
///
/// struct Stretched;
///
/// impl Operator for Stretched {
///     fn name(&self) -> &str { "own.stretched" }
///     fn family(&self) -> Family { Family::Typos }
///     fn label_safety(&self) -> LabelSafety { LabelSafety::Kept }
///     fn summary(&self) -> &str { "Says the last letter of a word three times." }
///     fn apply(&self, text: &str, dose: Dose, random: &mut SplitMix64) -> String {
///         edit_words(text, dose, random, is_editable, |word, _| {
///             let last = word.chars().next_back().map(String::from).unwrap_or_default();
///             format!("{word}{last}{last}")
///         })
///     }
/// }
///
/// let mut registry = Registry::standard();
/// registry.add(Stretched)?;
/// let noisy = registry.chain("own.stretched")?.apply("please", Severity::Light, 42, "1");
/// assert_eq!(noisy, "pleaseee");
/// # Ok::<(), gapbench::input::perturb::NoiseError>(())
/// ```
pub trait Operator: Send + Sync {
    /// The name that selects and seeds it, such as `typo.keyboard`: lower-case letters, digits, `_` and `.`.
    fn name(&self) -> &str;

    /// Where such noise comes from.
    fn family(&self) -> Family;

    /// What it does to the right answer.
    fn label_safety(&self) -> LabelSafety;

    /// What it does to a text, in one sentence.
    fn summary(&self) -> &str;

    /// The noisy text. Takes all chance from `random`, so that the same stream gives the same noise. Is not called with
    /// a dose of 0.
    fn apply(&self, text: &str, dose: Dose, random: &mut SplitMix64) -> String;
}
