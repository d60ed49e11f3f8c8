//! Which words of a text are edited: a fixed number, drawn without replacement. Knows no operator.

use super::Dose;
use super::word::{negates, words};
use crate::stats::SplitMix64;

/// So often an edit that changed nothing, or made a negation of a word that was none, is drawn anew.
const MOST_TRIES: usize = 16;

/// One of `items`, all alike likely; nothing where there are none.
pub fn choose<'i, T>(random: &mut SplitMix64, items: &'i [T]) -> Option<&'i T> {
    if items.is_empty() {
        return None;
    }
    items.get(below(random, items.len()))
}

/// A number in `0..n`, 0 for `n = 0`.
pub(super) fn below(random: &mut SplitMix64, n: usize) -> usize {
    // The result is below `n`, which is a `usize`.
    usize::try_from(random.below(n as u64)).unwrap_or(0)
}

/// `text` with edited words: [`Dose::of`] of those that are `eligible`, each put through `edit` once. What is between
/// words stays.
///
/// An edit that gives the same word back, or one that [negates], is drawn anew up to 16 times; after that the
/// word stays as it was.
pub fn edit_words(
    text: &str,
    dose: Dose,
    random: &mut SplitMix64,
    eligible: impl Fn(&str) -> bool,
    mut edit: impl FnMut(&str, &mut SplitMix64) -> String,
) -> String {
    let mut chosen: Vec<(usize, &str)> = words(text).filter(|(_, word)| eligible(word)).collect();
    let count = dose.of(chosen.len());
    keep_some(&mut chosen, count, random);
    // The places are in the order of the text again, so that its beginning is edited first whatever was drawn.
    chosen.sort_unstable_by_key(|(start, _)| *start);
    let mut noisy = String::with_capacity(text.len() + chosen.len() * 2);
    let mut done = 0;
    for (start, word) in chosen {
        noisy.push_str(text.get(done..start).unwrap_or_default());
        let edited = (0..MOST_TRIES)
            .map(|_| edit(word, random))
            .find(|edited| edited != word && (!negates(edited) || negates(word)));
        noisy.push_str(edited.as_deref().unwrap_or(word));
        done = start + word.len();
    }
    noisy.push_str(text.get(done..).unwrap_or_default());
    noisy
}

/// Keeps `count` of `items`, drawn without replacement (the beginning of a Fisher and Yates shuffle).
fn keep_some<T>(items: &mut Vec<T>, count: usize, random: &mut SplitMix64) {
    let count = count.min(items.len());
    for place in 0..count {
        let other = place + below(random, items.len() - place);
        items.swap(place, other);
    }
    items.truncate(count);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_choices_are_alike_likely() {
        let mut seen = [0_u32; 5];
        for seed in 0..10_000 {
            let mut items = vec![0, 1, 2, 3, 4];
            keep_some(&mut items, 2, &mut SplitMix64::named(&seed.to_string()));
            assert_eq!(items.len(), 2);
            assert_ne!(items[0], items[1]);
            items.into_iter().for_each(|item| seen[item] += 1);
        }
        // 4,000 expected; the standard deviation is 49.
        assert!(seen.iter().all(|count| (3_750..4_250).contains(count)), "{seen:?}");
    }

    #[test]
    fn an_edit_never_makes_a_negation() {
        let cut = |word: &str, _: &mut SplitMix64| word.chars().take(3).collect();
        let dose = Dose::new(1.0).unwrap();
        let noisy = edit_words("note  this\n", dose, &mut SplitMix64::new(1), |_| true, cut);
        assert_eq!(noisy, "note  thi\n");
    }

    #[test]
    fn nothing_to_choose_from() {
        assert_eq!(choose::<u8>(&mut SplitMix64::new(1), &[]), None);
        let untouched = edit_words(
            " \n",
            Dose::new(1.0).unwrap(),
            &mut SplitMix64::new(1),
            |_| true,
            |_, _| String::new(),
        );
        assert_eq!(untouched, " \n");
    }
}
