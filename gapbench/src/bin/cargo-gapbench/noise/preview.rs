//! A text before and after noise, with the differences marked. Knows nothing of where they come from.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use dissimilar::{Chunk, diff};

/// Longer texts are not shown: finding the differences costs their square, and nobody reads them.
const LONGEST_SHOWN: usize = 4_000;

/// Shows items, with colours or with brackets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Preview {
    colour: bool,
}

impl Preview {
    /// With colours where `colour`; else what is gone stands in `[-…-]` and what is new in `{+…+}`.
    pub(crate) fn new(colour: bool) -> Preview {
        Preview { colour }
    }

    /// Writes the item's id, its text before (`-`) and after (`+`), or once (`=`) where nothing changed.
    pub(crate) fn show(self, id: &str, before: &str, after: &str, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "\n{}", visible(id))?;
        let (length_before, length_after) = (before.chars().count(), after.chars().count());
        if before == after {
            let text = if length_before > LONGEST_SHOWN {
                format!("({length_before} characters)")
            } else {
                visible(before)
            };
            return writeln!(out, "  = {text}");
        }
        if length_before.max(length_after) > LONGEST_SHOWN {
            return writeln!(
                out,
                "  ({length_before} characters before, {length_after} after: too long to show)"
            );
        }
        let (mut old, mut new) = (String::new(), String::new());
        for chunk in diff(before, after) {
            match chunk {
                Chunk::Equal(text) => {
                    let text = visible(text);
                    old.push_str(&text);
                    new.push_str(&text);
                }
                Chunk::Delete(text) => old.push_str(&self.mark(text, AnsiColor::Red, ["[-", "-]"])),
                Chunk::Insert(text) => new.push_str(&self.mark(text, AnsiColor::Green, ["{+", "+}"])),
            }
        }
        writeln!(out, "  - {old}\n  + {new}")
    }

    fn mark(self, text: &str, colour: AnsiColor, [open, close]: [&str; 2]) -> String {
        let text = visible(text);
        if self.colour {
            // A space that changed is seen by its ground.
            let style = Style::new().fg_color(Some(colour.into())).underline();
            format!("{style}{text}{style:#}")
        } else {
            format!("{open}{text}{close}")
        }
    }
}

/// `text` on one line with nothing in it that a terminal hides, obeys or cannot tell from a space: `<U+200B>`.
fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        let hidden = letter.is_control()
            || (letter.is_whitespace() && letter != ' ')
            || matches!(letter, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
        if hidden {
            shown.push_str(&format!("<U+{:04X}>", u32::from(letter)));
        } else {
            shown.push(letter);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(colour: bool, before: &str, after: &str) -> String {
        let mut out = Vec::new();
        Preview::new(colour).show("7", before, after, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn differences_are_marked() {
        assert_eq!(shown(false, "same", "same"), "\n7\n  = same\n");
        assert_eq!(
            shown(false, "the file is", "the\u{a0}filke is"),
            "\n7\n  - the[- -]file is\n  + the{+<U+00A0>+}fil{+k+}e is\n"
        );
        assert!(shown(true, "file", "files").contains("file\u{1b}["));
    }

    #[test]
    fn nothing_reaches_the_terminal_but_text() {
        let text = shown(false, "a\u{1b}[31mb\u{202e}c\r\n", "x");
        assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}') && !text.contains('\r'), "{text:?}");
    }

    #[test]
    fn a_long_text_is_not_compared() {
        let long = "a".repeat(5_000);
        assert_eq!(shown(false, &long, "b"), "\n7\n  (5000 characters before, 1 after: too long to show)\n");
        assert_eq!(shown(false, &long, &long), "\n7\n  = (5000 characters)\n");
    }
}
