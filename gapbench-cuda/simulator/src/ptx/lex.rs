//! Splits a PTX text into tokens.

use super::ParseError;

/// A word, a quoted string or a punctuation mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind<'t> {
    /// A name, number, opcode or directive with its dots: `add.rn.f32`, `%tid.x`, `.reg`, `0f3F800000`.
    Word(&'t str),
    /// Without its quotes.
    Quoted,
    /// Any other character.
    Mark(char),
}

/// A token and where it stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token<'t> {
    pub(super) kind: Kind<'t>,
    /// Counted from 1.
    pub(super) line: usize,
    /// Byte offsets in the text.
    pub(super) start: usize,
    pub(super) end: usize,
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'%' | b'.')
}

/// The tokens of a text, its comments left out.
pub(super) fn tokens(text: &str) -> Result<Vec<Token<'_>>, ParseError> {
    let bytes = text.as_bytes();
    let (mut tokens, mut at, mut line) = (Vec::new(), 0, 1);
    while at < bytes.len() {
        let (start, first_line) = (at, line);
        let length_where =
            |test: fn(u8) -> bool| bytes[start..].iter().take_while(|byte| test(**byte)).count();
        let kind = match bytes[at] {
            b'\n' => {
                line += 1;
                at += 1;
                continue;
            }
            byte if byte.is_ascii_whitespace() || byte == 0 => {
                at += 1;
                continue;
            }
            b'/' if text[at + 1..].starts_with('/') => {
                at += length_where(|byte| byte != b'\n');
                continue;
            }
            b'/' if bytes.get(at + 1) == Some(&b'*') => {
                let length =
                    text[at + 2..].find("*/").ok_or_else(|| error(line, "a comment without its end"))?;
                line += text[at..at + 2 + length].matches('\n').count();
                at += length + 4;
                continue;
            }
            b'"' => {
                let length =
                    text[at + 1..].find('"').ok_or_else(|| error(line, "a string without its end"))?;
                line += text[at + 1..at + 1 + length].matches('\n').count();
                at += length + 2;
                Kind::Quoted
            }
            byte if is_word(byte) => {
                // A directive ends at the next dot: `.reg.b32` is two. `.shared::cta` and `.L2::128B` are one word; a
                // label's single colon ends it.
                let ends = |at: usize| bytes[start] == b'.' && at > start && bytes[at] == b'.';
                while at < bytes.len() && !ends(at) && (is_word(bytes[at]) || text[at..].starts_with("::")) {
                    at += if bytes[at] == b':' { 2 } else { 1 };
                }
                Kind::Word(&text[start..at])
            }
            byte if byte.is_ascii() => {
                at += 1;
                Kind::Mark(byte as char)
            }
            _ => return Err(error(line, "a character that PTX does not know")),
        };
        tokens.push(Token { kind, line: first_line, start, end: at });
    }
    Ok(tokens)
}

fn error(line: usize, message: &str) -> ParseError {
    ParseError { line, message: message.into() }
}
