//! What holds for noise on every text: the same chance gives the same noise, the dose is what was changed, and what an
//! answer hangs on stays.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on fails"
)]

use gapbench::input::perturb::{
    Chain, Dose, LabelSafety, Registry, is_editable, is_protected, negates, typographic, words,
};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

fn chain(name: &str) -> Chain {
    Registry::standard().chain(name).unwrap()
}

/// The same texts each time, unless `PROPTEST_RNG_SEED` asks for others.
fn config() -> ProptestConfig {
    let mut config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    if std::env::var_os("PROPTEST_RNG_SEED").is_none() {
        config.rng_seed = RngSeed::Fixed(42);
    }
    config
}

fn plain_word() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "[a-z]{1,12}",
        2 => "[A-Z][a-z]{2,9}[.,;:!?]{0,2}",
        1 => "[A-Z]{2,8}",
        1 => Just("office".to_owned()),
        1 => Just("the".to_owned()),
        1 => Just("user's".to_owned()),
        1 => Just("\"quoted\"".to_owned()),
        1 => Just("wait...".to_owned()),
        1 => Just("-".to_owned()),
    ]
}

/// Numbers, addresses, placeholders.
fn fixed_word() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0-9]{1,6}",
        "[A-Z]{2}[0-9]{2}-[a-f0-9]{3,9}",
        "https://[a-z]{3,9}\\.(com|org)/[a-zA-Z]{0,12}",
        "[a-z]{3,9}@[a-z]{3,9}\\.org",
        "[a-z]{3,9}\\.(com|toml)",
        "<[a-z]{3,9}>",
        "\\{[a-z]{3,9}\\}",
    ]
}

fn negation() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "not", "never", "Nothing", "didn't", "CAN'T", "without", "dont", "shouldnt", "nobody",
    ])
    .prop_map(str::to_owned)
}

fn foreign_word() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zà-ÿ]{1,12}",
        "([b-y]?[aeou]\u{301}[b-y]?){1,5}",
        "[\u{4e00}-\u{4eff}]{1,6}",
        "[\u{430}-\u{44f}]{3,9}",
        "[\u{900}-\u{970}]{1,8}",
        Just("\u{1f469}\u{200d}\u{1f4bb}".to_owned()),
        "\\PC{1,6}",
    ]
}

fn text_of(word: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    prop::collection::vec(word, 0..30).prop_map(|words| words.join(" "))
}

/// ASCII with what must stay.
fn english() -> impl Strategy<Value = String> {
    text_of(prop_oneof![5 => plain_word(), 1 => fixed_word(), 1 => negation()])
}

fn any_text() -> impl Strategy<Value = String> {
    let word = prop_oneof![4 => plain_word(), 1 => fixed_word(), 1 => negation(), 3 => foreign_word()];
    (text_of(word), "[ \n\t]{0,3}", "\\PC{0,20}")
        .prop_map(|(text, space, rest)| format!("{text}{space}{rest}"))
}

fn dose() -> impl Strategy<Value = Dose> {
    (0.01..=1.0_f64).prop_map(|share| Dose::new(share).unwrap())
}

fn list(text: &str) -> Vec<&str> {
    words(text).map(|(_, word)| word).collect()
}

fn changed(before: &str, after: &str) -> usize {
    let (before, after) = (list(before), list(after));
    assert_eq!(before.len(), after.len());
    before.iter().zip(after).filter(|(before, after)| **before != *after).count()
}

fn must_stay(word: &str) -> bool {
    is_protected(word) || negates(word)
}

/// Whether two unlike letters stand inside an ASCII word, by another way than the operator's.
fn can_swap(word: &str) -> bool {
    let bytes = word.as_bytes();
    let letters: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at].is_ascii_alphabetic()).collect();
    let (first, last) = (letters[0], letters[letters.len() - 1]);
    letters
        .windows(2)
        .any(|two| two[1] == two[0] + 1 && two[0] > first && two[1] < last && bytes[two[0]] != bytes[two[1]])
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_same_chance_gives_the_same_noise(text in any_text(), dose in dose(), seed: u64, id in "\\PC{0,8}") {
        for operator in Registry::standard().operators() {
            let chain = chain(operator.name());
            let noisy = chain.apply(&text, dose, seed, &id);
            prop_assert_eq!(&noisy, &chain.apply(&text, dose, seed, &id));
            prop_assert_eq!(&chain.apply(&text, Dose::NONE, seed, &id), &text);
            prop_assert!(noisy.chars().count() <= 6 * text.chars().count() + 40, "{}: {}", operator.name(), noisy);
            prop_assert!(text.trim().is_empty() || !noisy.trim().is_empty(), "{} left nothing", operator.name());
        }
    }

    #[test]
    fn the_dose_is_what_was_changed(text in english(), dose in dose(), seed: u64) {
        let count = |eligible: &dyn Fn(&str) -> bool| dose.of(list(&text).into_iter().filter(|word| eligible(word)).count());
        let found = |name: &str| changed(&text, &chain(name).apply(&text, dose, seed, "1"));
        prop_assert_eq!(found("typo.keyboard"), count(&is_editable));
        prop_assert_eq!(found("typo.case"), count(&is_editable));
        prop_assert_eq!(found("typo.internal_swap"), count(&|word| is_editable(word) && can_swap(word)));
        let twins = "aceijopsxyABCEHIKMOPTX";
        prop_assert_eq!(found("mixscript.homoglyph"), count(&|word| is_editable(word) && word.contains(|letter| twins.contains(letter))));
    }

    #[test]
    fn numbers_addresses_and_negations_stay(text in english(), dose in dose(), seed: u64) {
        let kept = |text: &str, bare: &dyn Fn(&str) -> String| -> Vec<String> {
            list(text).into_iter().filter(|word| must_stay(word)).map(bare).collect()
        };
        let same = |word: &str| word.to_owned();
        for name in ["typo.keyboard", "typo.internal_swap", "typo.case", "mixlang.lexicon", "mixscript.homoglyph", "incomplete.telegraphic"] {
            let noisy = chain(name).apply(&text, dose, seed, "1");
            prop_assert_eq!(kept(&text, &same), kept(&noisy, &same), "{}", name);
        }
        let framed = chain("mixlang.frame").apply(&text, dose, seed, "1");
        prop_assert!(framed.contains(&text));
        // Case and the end of the sentence are what this operator takes; numbers and addresses keep their case.
        let bare = |word: &str| {
            let word = word.trim_end_matches(['.', ',', ';', ':', '!', '?']);
            if is_protected(word) { word.to_owned() } else { word.to_lowercase() }
        };
        let plain = chain("incomplete.no_punct").apply(&text, dose, seed, "1");
        prop_assert_eq!(kept(&text, &bare), kept(&plain, &same));
        let page = chain("format.pdf").apply(&text, dose, seed, "1");
        prop_assert_eq!(kept(&text, &same), kept(&page, &same));
        let rich = chain("format.rich_text").apply(&text, dose, seed, "1");
        let shown = |word: &str| uncurled(&word.replace(HIDDEN, ""));
        prop_assert_eq!(kept(&text, &same), kept(&rich, &shown));
        // What is left of a cut text is the beginning, and no number in it is cut.
        let cut = chain("incomplete.truncate").apply(&text, dose, seed, "1");
        prop_assert!(text.starts_with(&cut));
        let whole = list(&text);
        for (index, word) in list(&cut).into_iter().enumerate() {
            prop_assert!(!is_protected(whole[index]) || whole[index].trim_end_matches(['.', '!', '?']) == word, "{}", word);
        }
    }

    #[test]
    fn formatting_changes_nothing_but_formatting(text in english(), dose in dose(), seed: u64) {
        let noisy = |name: &str| chain(name).apply(&text, dose, seed, "1");
        let spaces = ["\u{a0}", "\u{2009}", "  ", "\t"];
        let rich = spaces.iter().fold(noisy("format.rich_text").replace(HIDDEN, ""), |rich, space| rich.replace(space, " "));
        prop_assert_eq!(uncurled(&rich), &*text);
        let html = noisy("format.html").replace("&nbsp;", " ").replace("&lt;", "<").replace("&gt;", ">");
        prop_assert_eq!(html.replace("&quot;", "\"").replace("&#39;", "'").replace("&amp;", "&"), &*text);
        let page = noisy("format.pdf").replace("\u{ad}\n", "").replace('\u{fb03}', "ffi").replace('\u{fb00}', "ff");
        let page = page.replace('\u{fb01}', "fi").replace('\u{fb02}', "fl").replace('\u{fb04}', "ffl");
        // A hyphen at the end of a line is either one that was written or one of the page.
        let bare = |text: &str| text.replace(['-', '\n', ' '], "");
        prop_assert_eq!(bare(&page), bare(&text));
        prop_assert!(noisy("format.pdf").lines().all(|line| line.chars().count() <= 72 + 12 || !line.contains(' ')));
    }

    #[test]
    fn garbled_bytes_are_the_bytes(text in any_text(), seed: u64) {
        let garbled = chain("format.mojibake").apply(&text, Dose::new(0.1).unwrap(), seed, "1");
        let bytes: Vec<u8> = garbled.chars().map(|letter| windows_1252(letter).unwrap()).collect();
        prop_assert_eq!(String::from_utf8(bytes).unwrap(), typographic(&text));
    }

    #[test]
    fn accents_stay_on_their_letters(text in text_of(prop_oneof!["([b-y]?[aeou]\u{301}[b-y]?){1,5}", "[a-z]{1,9}"]), dose in dose(), seed: u64) {
        let bases = |text: &str| -> Vec<char> {
            let letters: Vec<char> = text.chars().collect();
            letters.windows(2).filter(|two| two[1] == '\u{301}').map(|two| two[0]).collect()
        };
        for operator in Registry::standard().operators().iter().filter(|operator| operator.name() != "format.mojibake") {
            let noisy = chain(operator.name()).apply(&text, dose, seed, "1");
            let latin = noisy.replace('\u{430}', "a").replace('\u{435}', "e").replace('\u{43e}', "o").to_lowercase();
            let (before, after) = (bases(&text), bases(&latin));
            if operator.label_safety() == LabelSafety::MayChange {
                prop_assert!(before.starts_with(&after));
            } else {
                prop_assert_eq!(before, after, "{}", operator.name());
            }
        }
    }
}

const HIDDEN: [char; 4] = ['\u{200b}', '\u{200d}', '\u{feff}', '\u{ad}'];

fn uncurled(text: &str) -> String {
    let straight = text.replace(['\u{201c}', '\u{201d}'], "\"").replace('\u{2019}', "'");
    straight.replace('\u{2026}', "...").replace('\u{2013}', "-")
}

/// The byte that is `letter` in Windows-1252, where that has one, else in Latin-1.
fn windows_1252(letter: char) -> Option<u8> {
    // The characters of 0x80 to 0x9F in order; a space stands for the five that the code leaves open.
    let high = "€ ‚ƒ„…†‡ˆ‰Š‹Œ Ž  ‘’“”•–—˜™š›œ žŸ";
    let found = high.chars().position(|other| other == letter && other != ' ').map(|at| at as u8 + 0x80);
    found.or_else(|| u8::try_from(u32::from(letter)).ok())
}

#[test]
fn an_item_has_its_noise_whatever_stands_beside_it() {
    let text = "please forward the documents about the cancelled flight";
    let chain = chain("typo.keyboard,incomplete.truncate");
    let of = |seed, id: &str| chain.apply(text, Dose::new(0.25).unwrap(), seed, id);
    let forward: Vec<String> = (0..20).map(|id| of(42, &id.to_string())).collect();
    let mut backward: Vec<String> = (0..20).rev().map(|id| of(42, &id.to_string())).collect();
    backward.reverse();
    assert_eq!(forward, backward);
    let threads: Vec<String> = std::thread::scope(|scope| {
        let of = &of;
        let started: Vec<_> = (0..20).map(|id: u32| scope.spawn(move || of(42, &id.to_string()))).collect();
        started.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(forward, threads);
    let mut different = forward.clone();
    different.sort();
    different.dedup();
    assert!(different.len() > 15, "items differ in their noise: {}", different.len());
    assert_ne!(of(42, "1"), of(43, "1"), "and so do runs");
}
