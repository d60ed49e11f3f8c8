//! The punctuation that word processors put in place of typed one. Knows no operator.

/// `text` with curly quotes in pairs, the apostrophe `’`, the ellipsis `…`, and an en dash for a hyphen between spaces.
/// A double quote without a partner stays.
pub fn typographic(text: &str) -> String {
    let paired = text.bytes().filter(|byte| *byte == b'"').count() & !1;
    let mut quotes = 0;
    let mut curly = String::with_capacity(text.len() + text.len() / 16);
    // Up to here `text` is copied; up to `spent` its characters belong to a replacement.
    let (mut copied, mut spent) = (0, 0);
    for (at, mark) in text.match_indices(['"', '\'', '.', '-']) {
        if at < spent {
            continue;
        }
        let rest = text.get(at..).unwrap_or_default();
        let (with, typed) = match mark {
            "\"" if quotes < paired => {
                quotes += 1;
                (if quotes % 2 == 1 { '\u{201c}' } else { '\u{201d}' }, 1)
            }
            "'" => ('\u{2019}', 1),
            "." if rest.starts_with("...") => ('\u{2026}', 3),
            "-" if rest.starts_with("- ")
                && text.get(spent..at).is_some_and(|before| before.ends_with(' ')) =>
            {
                // The space after one dash is not the space before the next one.
                spent = at + 2;
                ('\u{2013}', 1)
            }
            _ => continue,
        };
        curly.push_str(text.get(copied..at).unwrap_or_default());
        curly.push(with);
        copied = at + typed;
        spent = spent.max(copied);
    }
    curly.push_str(text.get(copied..).unwrap_or_default());
    curly
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_word_processor_makes_of_it() {
        let cases = [
            ("", ""),
            ("\"a\" \"b", "\u{201c}a\u{201d} \"b"),
            ("\"\"", "\u{201c}\u{201d}"),
            ("it's 'so'", "it\u{2019}s \u{2019}so\u{2019}"),
            ("wait....", "wait\u{2026}."),
            ("......", "\u{2026}\u{2026}"),
            ("a - b - c", "a \u{2013} b \u{2013} c"),
            ("a - - c", "a \u{2013} - c"),
            ("- a-b -", "- a-b -"),
            ("... - '", "\u{2026} \u{2013} \u{2019}"),
        ];
        for (typed, curly) in cases {
            assert_eq!(typographic(typed), curly, "{typed}");
        }
    }
}
