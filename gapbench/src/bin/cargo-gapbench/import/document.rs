//! What YAML and JSON have in common: a tree in which every value knows its place and every scalar its digits. Knows
//! nothing of what the keys mean.

use std::fmt;

/// Deeper trees are not what any of the formats writes.
pub(super) const DEEPEST: usize = 64;

/// So many values are read at most, those that an alias repeats included: a short text can name a huge tree.
pub(super) const MOST_NODES: usize = 4_000_000;

/// A place in a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// From 1.
    pub(super) line: usize,
    /// In characters, from 1.
    pub(super) column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.line, self.column)
    }
}

/// Why a file was not read, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) at: Option<Place>,
    pub(super) message: String,
}

impl Refusal {
    pub(super) fn at(at: Place, message: impl Into<String>) -> Refusal {
        Refusal { at: Some(at), message: message.into() }
    }

    pub(super) fn whole(message: impl Into<String>) -> Refusal {
        Refusal { at: None, message: message.into() }
    }

    /// The refusal of the file `name`.
    pub(super) fn of(&self, name: &str) -> String {
        let name = shown(name);
        match self.at {
            Some(at) => format!("{name}:{at}: {}", self.message),
            None => format!("{name}: {}", self.message),
        }
    }
}

/// A value and where it begins.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    pub(super) at: Place,
    pub(super) value: Value,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// `plain`: written without quotes.
    Scalar {
        text: String,
        plain: bool,
    },
    List(Vec<Node>),
    /// In the order of the file; no key stands twice.
    Map(Vec<(String, Node)>),
}

impl Node {
    /// The value below `key`, where this is a map that has it and it is not null.
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        self.members()
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, node)| node)
            .filter(|node| !node.is_null())
    }

    /// The value below these keys, one inside the other.
    pub(super) fn path(&self, keys: &[&str]) -> Option<&Node> {
        keys.iter().try_fold(self, |node, key| node.get(key))
    }

    /// The scalar's text, where this is one that is not null or blank.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, .. } if !self.is_null() && !text.trim().is_empty() => Some(text),
            _ => None,
        }
    }

    /// The text below `key`.
    pub(super) fn text_of(&self, key: &str) -> Option<&str> {
        self.get(key).and_then(Node::text)
    }

    /// The list's items; of anything else none.
    pub(super) fn items(&self) -> &[Node] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// The map's members; of anything else none.
    pub(super) fn members(&self) -> &[(String, Node)] {
        match &self.value {
            Value::Map(members) => members,
            _ => &[],
        }
    }

    /// Whether the value says that there is none.
    pub(super) fn is_null(&self) -> bool {
        matches!(&self.value, Value::Scalar { text, plain: true } if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    /// Whether the value is `false`, `true`, or neither.
    pub(super) fn flag(&self) -> Option<bool> {
        match &self.value {
            Value::Scalar { text, plain: true } => match text.as_str() {
                "true" | "True" | "TRUE" => Some(true),
                "false" | "False" | "FALSE" => Some(false),
                _ => None,
            },
            _ => None,
        }
    }

    /// The value in a message.
    pub(super) fn described(&self) -> String {
        match &self.value {
            Value::Scalar { .. } if self.is_null() => "null".to_owned(),
            Value::Scalar { text, .. } => quoted(text),
            Value::List(items) => format!("a list of {}", items.len()),
            Value::Map(members) => {
                let keys: Vec<&str> = members.iter().take(6).map(|(key, _)| key.as_str()).collect();
                format!("a table with {}", shown(&keys.join(", ")))
            }
        }
    }
}

/// `text` on one line, with nothing in it that a terminal or a reader obeys, and not longer than a person reads.
pub(super) fn shown(text: &str) -> String {
    const LONGEST: usize = 120;
    let mut clean = String::with_capacity(text.len().min(LONGEST));
    for (index, letter) in text.chars().enumerate() {
        if index == LONGEST {
            clean.push('…');
            break;
        }
        let hidden = letter.is_control()
            || matches!(letter, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
        if hidden {
            clean.extend(letter.escape_unicode());
        } else {
            clean.push(letter);
        }
    }
    clean
}

/// [`shown`] text between the marks that set it apart from the sentence.
pub(super) fn quoted(text: &str) -> String {
    format!("`{}`", shown(text))
}

/// Line and column of a byte of `text`.
pub(super) fn place_of(text: &str, offset: usize) -> Place {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
    Place { line, column }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_message_is_obeyed() {
        assert_eq!(shown("a\u{1b}[31m\n\u{202e}b"), "a\\u{1b}[31m\\u{a}\\u{202e}b");
        assert_eq!(shown(&"x".repeat(500)).chars().count(), 121);
    }
}
