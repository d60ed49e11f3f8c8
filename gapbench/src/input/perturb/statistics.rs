//! What noise did to a set: how much stayed as it was, how many characters and tokens changed. Knows no tokenizer.

use super::{Chain, Dose};
use crate::input::Input;

/// Where a text differs over more characters than this, its distance is not taken: it would cost their square.
const LONGEST_COMPARED: usize = 4_000;

/// What a tokenizer makes of a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tokens {
    /// Tokens.
    pub all: u64,
    /// Those of them that say that the tokenizer does not know what stands there.
    pub unknown: u64,
}

/// What noise did to the items that were added. Shares of nothing are absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Items.
    pub items: u64,
    /// Items whose text is what it was: the operator found nothing in them to change.
    pub unchanged: u64,
    /// Items whose texts differ over more than 4,000 characters; they are not in the character error rate.
    pub not_compared: u64,
    /// Characters before, of the items that were compared.
    characters: u64,
    /// Smallest numbers of inserted, deleted and replaced characters, summed.
    edits: u64,
    /// Tokens before and after, summed; absent where nobody counted.
    tokens: Option<(Tokens, Tokens)>,
}

impl Statistics {
    /// Adds an item by its text before and after.
    pub fn add(&mut self, before: &str, after: &str) {
        self.items += 1;
        self.unchanged += u64::from(before == after);
        let (from, to) = differing(before, after);
        let (from_length, to_length) = (from.chars().count(), to.chars().count());
        if from_length.max(to_length) > LONGEST_COMPARED {
            self.not_compared += 1;
            return;
        }
        self.characters += before.chars().count() as u64;
        self.edits += strsim::levenshtein(from, to) as u64;
    }

    /// Adds the tokens of an item before and after.
    pub fn add_tokens(&mut self, before: Tokens, after: Tokens) {
        let sum = |a: Tokens, b: Tokens| Tokens { all: a.all + b.all, unknown: a.unknown + b.unknown };
        let (all_before, all_after) = self.tokens.unwrap_or_default();
        self.tokens = Some((sum(all_before, before), sum(all_after, after)));
    }

    /// The share of items that stayed as they were, in 0 to 1.
    pub fn unchanged_share(&self) -> Option<f64> {
        ratio(self.unchanged, self.items)
    }

    /// Character error rate: edits over characters before, pooled over the items.
    ///
    /// # Source
    /// Levenshtein 1966; the rate as in speech and character recognition.
    pub fn character_error_rate(&self) -> Option<f64> {
        ratio(self.edits, self.characters)
    }

    /// Tokens after over tokens before; what noise costs a model that is paid and limited by tokens.
    pub fn token_ratio(&self) -> Option<f64> {
        self.tokens.and_then(|(before, after)| ratio(after.all, before.all))
    }

    /// The share of unknown tokens before and after, in 0 to 1.
    pub fn unknown_share(&self) -> Option<(f64, f64)> {
        let share = |tokens: Tokens| ratio(tokens.unknown, tokens.all);
        self.tokens.and_then(|(before, after)| Some((share(before)?, share(after)?)))
    }
}

/// What `chain` does to `items` in the run of `seed`, with the tokens that `tokens` counts in a text.
///
/// ```
/// use gapbench::input::Input;
/// use gapbench::input::perturb::{Registry, Severity, Tokens, measure};
///
/// let items = [Input { id: "1".into(), text: "it's \"my\" card".into(), expected: None, arrival_ms: None }];
/// let chain = Registry::standard().chain("format.mojibake")?;
/// // A tokenizer that knows ASCII.
/// let tokens = |text: &str| Tokens {
///     all: text.chars().count() as u64,
///     unknown: text.chars().filter(|letter| !letter.is_ascii()).count() as u64,
/// };
/// let found = measure(&items, &chain, Severity::Light, 42, tokens);
/// assert_eq!(found.unchanged_share(), Some(0.0));
/// assert_eq!(found.token_ratio(), Some(20.0 / 14.0));
/// assert_eq!(found.unknown_share(), Some((0.0, 9.0 / 20.0)));
/// # Ok::<(), gapbench::input::perturb::NoiseError>(())
/// ```
pub fn measure<'i>(
    items: impl IntoIterator<Item = &'i Input>,
    chain: &Chain,
    dose: impl Into<Dose>,
    seed: u64,
    tokens: impl Fn(&str) -> Tokens,
) -> Statistics {
    let dose = dose.into();
    let mut found = Statistics::default();
    for item in items {
        let noisy = chain.apply(&item.text, dose, seed, &item.id);
        found.add(&item.text, &noisy);
        found.add_tokens(tokens(&item.text), tokens(&noisy));
    }
    found
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// Both texts without what they share at their beginning and end; the distance is the same.
fn differing<'t>(before: &'t str, after: &'t str) -> (&'t str, &'t str) {
    let same = |(a, b): &(char, char)| a == b;
    let length = |pairs: &mut dyn Iterator<Item = (char, char)>| -> usize {
        pairs.take_while(same).map(|(letter, _)| letter.len_utf8()).sum()
    };
    let head = length(&mut before.chars().zip(after.chars()));
    let (before, after) = (before.get(head..).unwrap_or_default(), after.get(head..).unwrap_or_default());
    let tail = length(&mut before.chars().rev().zip(after.chars().rev()));
    let without = |text: &'t str| text.get(..text.len() - tail).unwrap_or_default();
    (without(before), without(after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_over_characters() {
        let mut found = Statistics::default();
        assert_eq!(
            (found.unchanged_share(), found.character_error_rate(), found.token_ratio()),
            (None, None, None)
        );
        found.add("kitten", "sitting");
        found.add("same", "same");
        assert_eq!(found.unchanged_share(), Some(0.5));
        assert_eq!(found.character_error_rate(), Some(3.0 / 10.0));
        assert_eq!(found.unknown_share(), None, "nobody counted tokens");
    }

    #[test]
    fn what_is_shared_does_not_count() {
        assert_eq!(differing("a\u{e9}bcd", "a\u{e8}bd"), ("\u{e9}bc", "\u{e8}b"));
        assert_eq!(differing("aaa", "aa"), ("a", ""));
        assert_eq!(differing("", "x"), ("", "x"));
    }

    #[test]
    fn a_text_too_long_to_compare_is_told() {
        let (before, after) = ("a".repeat(5_000), "b".repeat(5_000));
        let mut found = Statistics::default();
        found.add(&before, &after);
        assert_eq!((found.items, found.not_compared, found.character_error_rate()), (1, 1, None));
        found.add(&before, &before);
        assert_eq!(found.character_error_rate(), Some(0.0), "equal texts differ over nothing");
    }
}
