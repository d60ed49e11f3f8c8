//! What a word is, and which words noise leaves alone because the answer hangs on them. Knows no operator.

use std::borrow::Cow;

use unicode_width::UnicodeWidthChar;

/// Words with fewer letters are left alone: one edit would leave nothing to recognise.
const FEWEST_LETTERS: usize = 4;

/// English words that turn a sentence round, and the contractions that people type without their apostrophe.
const NEGATIONS: &[&str] = &[
    "aint", "arent", "cannot", "cant", "couldnt", "didnt", "doesnt", "dont", "hadnt", "hasnt", "havent",
    "isnt", "mustnt", "neither", "never", "no", "nobody", "none", "nor", "not", "nothing", "nowhere",
    "shouldnt", "wasnt", "werent", "without", "wont", "wouldnt",
];

/// The words of `text` with the byte each begins at. A word is a run without white space.
pub fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = text.get(at..)?;
        let start = at + rest.find(|letter: char| !letter.is_whitespace())?;
        let rest = text.get(start..)?;
        let word = rest.get(..rest.find(char::is_whitespace).unwrap_or(rest.len()))?;
        at = start + word.len();
        Some((start, word))
    })
}

/// Whether an operator may edit the letters of `word`: at least four ASCII letters that carry no mark, not
/// [protected](is_protected), not [negating](negates).
pub fn is_editable(word: &str) -> bool {
    if word.len() < FEWEST_LETTERS {
        return false;
    }
    let letters = if word.is_ascii() {
        word.bytes().filter(u8::is_ascii_alphabetic).count()
    } else {
        let mut letters = word.chars().peekable();
        let mut free = 0;
        while let Some(letter) = letters.next() {
            let bare = letters.peek().is_none_or(|next| !is_mark(*next));
            free += usize::from(letter.is_ascii_alphabetic() && bare);
        }
        free
    };
    letters >= FEWEST_LETTERS && !is_protected(word) && !negates(word)
}

/// Whether `word` has a digit, or is an address, a name of a file or host, or a placeholder: one changed character
/// makes another thing of it.
pub fn is_protected(word: &str) -> bool {
    let bytes = word.as_bytes();
    let special = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'@' | b'<' | b'>' | b'{' | b'}');
    if bytes.iter().any(special) || (!word.is_ascii() && word.chars().any(char::is_numeric)) {
        return true;
    }
    let dotted = |three: &[u8]| match three {
        [before, b'.', after] => before.is_ascii_alphanumeric() && after.is_ascii_alphanumeric(),
        _ => false,
    };
    // One byte is found much sooner than three.
    (bytes.contains(&b':') && word.contains("://")) || (bytes.contains(&b'.') && bytes.windows(3).any(dotted))
}

/// Whether `word` is or contains an English negation: `not`, `No,`, `didn't`, `didn’t`, `dont`, `not-so-good`; also
/// with invisible characters inside.
pub fn negates(word: &str) -> bool {
    let visible: Cow<'_, str> = if word.is_ascii() {
        Cow::Borrowed(word)
    } else {
        word.chars().filter(|letter| !is_mark(*letter) && *letter != '\u{ad}').collect()
    };
    has_contraction(&visible) || visible.split(|letter: char| !letter.is_alphanumeric()).any(is_negation)
}

/// Whether `n't` or `n’t` ends a piece of `word`.
fn has_contraction(word: &str) -> bool {
    let mut rest = if word.is_ascii() && !word.as_bytes().contains(&b'\'') { "" } else { word };
    while let Some(at) = rest.find(['\'', '\u{2019}']) {
        let (before, after) = rest.split_at(at);
        let after = after.trim_start_matches(['\'', '\u{2019}']);
        if before.ends_with(['n', 'N']) && after.starts_with(['t', 'T']) {
            return true;
        }
        rest = after;
    }
    false
}

/// Whether `piece` is one of [`NEGATIONS`] in any case.
fn is_negation(piece: &str) -> bool {
    // Most words are none, and two letters say so: a negation begins with n or ends with t.
    let begins = piece.as_bytes().first().is_some_and(|first| first.eq_ignore_ascii_case(&b'n'));
    let ends = piece.as_bytes().last().is_some_and(|last| last.eq_ignore_ascii_case(&b't'));
    (begins || ends) && NEGATIONS.iter().any(|negation| piece.eq_ignore_ascii_case(negation))
}

/// Whether `letter` sits on the character before it, such as an accent that is a character of its own, or joins it to
/// the next one.
pub(super) fn is_mark(letter: char) -> bool {
    !letter.is_ascii() && letter.width() == Some(0)
}

/// Whether `letter` stands for itself and can change places with another one.
pub(super) fn is_letter(letter: char) -> bool {
    letter.is_alphabetic() && !is_mark(letter)
}

/// Whether the character at `index` exists and carries no mark. Moving or removing one that does would leave the mark
/// on another letter.
pub(super) fn is_bare(letters: &[char], index: usize) -> bool {
    index < letters.len() && letters.get(index + 1).is_none_or(|next| !is_mark(*next))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_with_their_places() {
        let found: Vec<_> = words("  one two\n\u{a0}three ").collect();
        assert_eq!(found, [(2, "one"), (6, "two"), (12, "three")]);
        assert_eq!(words(" \n").count(), 0);
        assert_eq!(words("").count(), 0);
    }

    #[test]
    fn what_noise_may_edit() {
        for word in ["please", "user's", "\"first\"", "offices,", "caf\u{e9}s", "gr\u{f6}\u{df}er"] {
            assert!(is_editable(word), "{word}");
        }
        let left_alone = [
            "the",
            "a1b2c3d",
            "https://example.org/a",
            "me@example.org",
            "<name>",
            "{name}",
            "example.org",
            "not",
            "Never,",
            "\"never\"",
            "didn't",
            "DIDN\u{2019}T",
            "dont",
            "without",
            "not-so-good",
            "ne\u{200b}v\u{ad}er",
            "di\u{200d}dn\u{2019}t",
            "\u{bd}cups",
            "\u{663}files",
            // Four letters, each with an accent of its own.
            "e\u{301}e\u{301}e\u{301}e\u{301}",
        ];
        for word in left_alone {
            assert!(!is_editable(word), "{word}");
        }
    }

    #[test]
    fn only_negations_negate() {
        for negation in NEGATIONS {
            assert!(negates(&negation.to_uppercase()), "{negation}");
        }
        for word in ["note", "notes", "knot", "nonsense", "user's", "want", "n'", "north", "don"] {
            assert!(!negates(word), "{word}");
        }
    }

    #[test]
    fn marks_belong_to_their_letter() {
        assert!(is_mark('\u{301}') && is_mark('\u{200d}') && !is_mark('e') && !is_mark('\n'));
        assert!(is_letter('\u{e9}') && !is_letter('\u{301}') && !is_letter('7'));
        let letters: Vec<char> = "ae\u{301}".chars().collect();
        assert!(is_bare(&letters, 0) && !is_bare(&letters, 1) && !is_bare(&letters, 3));
    }
}
