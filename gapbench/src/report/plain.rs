//! Text that may come from anywhere, made safe and fitted for a terminal: no escape sequences, no line breaks, no
//! marks that turn the direction of reading.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// `text` on one line: escape sequences and invisible direction marks are dropped, other control characters and
/// runs of space become one space.
pub(crate) fn one_line(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for word in visible(text).split(|letter: char| letter.is_whitespace() || letter.is_control()) {
        if !word.is_empty() {
            if !clean.is_empty() {
                clean.push(' ');
            }
            clean.push_str(word);
        }
    }
    clean
}

/// `text` without escape sequences and direction marks; its spaces stay, a tab becomes four.
pub fn verbatim(text: &str) -> String {
    visible(text).replace('\t', "    ").replace(char::is_control, " ").trim_end().to_owned()
}

fn visible(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\u{1b}' => match letters.next() {
                // A control sequence ends at its first letter (ECMA-48, 5.4).
                Some('[') => while letters.next_if(|next| !('@'..='~').contains(next)).is_some() {},
                // A string, such as a link or a title, ends at BEL or at ESC and a backslash.
                Some(']') => {
                    while letters.next_if(|next| !matches!(next, '\u{7}' | '\u{1b}')).is_some() {}
                    letters.next_if_eq(&'\u{1b}');
                }
                _ => continue,
            },
            // Unicode Standard Annex 9, explicit formatting characters.
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => continue,
            _ => {
                kept.push(letter);
                continue;
            }
        }
        // The last character of the sequence.
        letters.next();
    }
    kept
}

/// Columns of a terminal that `text` takes.
pub(crate) fn width(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// `text` filled with spaces to `columns`.
pub(crate) fn pad(text: &str, columns: usize) -> String {
    let missing = columns.saturating_sub(width(text));
    format!("{text}{}", " ".repeat(missing))
}

/// The words of `text` in lines of at most `columns`; a longer word is cut into pieces.
pub(crate) fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(8);
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && width(&line) + 1 + width(word) > columns {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        if width(&line) > columns {
            let mut pieces = cut(&line, columns);
            line = pieces.pop().unwrap_or_default();
            lines.append(&mut pieces);
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// `text` in pieces of at most `columns`, wherever that falls.
pub(crate) fn cut(text: &str, columns: usize) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut used = 0;
    for letter in text.chars() {
        let wide = letter.width().unwrap_or(0);
        if used + wide > columns {
            pieces.push(String::new());
            used = 0;
        }
        used += wide;
        if let Some(piece) = pieces.last_mut() {
            piece.push(letter);
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_reaches_the_terminal_but_text() {
        assert_eq!(one_line("a\u{1b}[31mred\u{1b}[0m\r\nb\tc  d"), "ared b c d");
        assert_eq!(one_line("\u{1b}]0;title\u{7}x\u{202e}y"), "xy");
        assert_eq!(one_line("\u{1b}]8;;http://a\u{1b}\\link"), "link");
        assert_eq!(verbatim("  a\u{1b}[1m\tb\u{7}"), "  a    b");
    }

    #[test]
    fn wraps_and_cuts() {
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("abcdefghijkl m", 8), ["abcdefgh", "ijkl m"]);
        assert_eq!(wrap("", 8), Vec::<String>::new());
        assert_eq!(width(&pad("µs", 4)), 4);
        assert_eq!(cut("漢字漢字漢", 8), ["漢字漢字", "漢"]);
    }
}
