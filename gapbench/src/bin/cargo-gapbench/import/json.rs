//! JSON as a tree. Numbers keep their digits, and `NaN` and `Infinity`, which Python writes, are read as words. Knows
//! nothing of what the keys mean.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::document::{DEEPEST, MOST_NODES, Node, Place, Refusal, Value, quoted, shown};

/// Reads `text`.
///
/// # Errors
/// What is no JSON, with its place; a key that stands twice; a tree that is too deep or too large.
pub(super) fn read(text: &str) -> Result<Node, Refusal> {
    let tamed = tame(text);
    let newlines = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
    let line_starts = std::iter::once(0).chain(newlines.map(|(index, _)| index + 1)).collect();
    let mut reader = Reader { text, tamed: &tamed, line_starts, nodes: 0 };
    let whole: &RawValue = serde_json::from_str(&tamed).map_err(|error| {
        // The column counts bytes; characters are what an editor shows.
        let start = reader.line_starts.get(error.line().saturating_sub(1)).copied().unwrap_or(0);
        let at = reader.place(start + error.column().saturating_sub(1));
        Refusal::at(at, format!("not valid JSON: {}", words(&error)))
    })?;
    reader.node(whole, 0)
}

/// The reader's words without the place, which stands before them.
fn words(error: &serde_json::Error) -> String {
    let text = error.to_string();
    shown(text.split(" at line ").next().unwrap_or(&text))
}

/// `text` with texts of the same length for Python's words that are not JSON.
fn tame(text: &str) -> Cow<'_, str> {
    const WORDS: [(&str, &str); 3] =
        [("-Infinity", "\"-Infini\""), ("Infinity", "\"Infini\""), ("NaN", "\"N\"")];
    if !WORDS.iter().any(|(word, _)| text.contains(word)) {
        return Cow::Borrowed(text);
    }
    let mut tamed = String::with_capacity(text.len());
    let (mut inside, mut escaped) = (false, false);
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let word = if inside { None } else { WORDS.iter().find(|(word, _)| rest.starts_with(word)) };
        if let Some((word, instead)) = word {
            tamed.push_str(instead);
            rest = rest.get(word.len()..).unwrap_or("");
            continue;
        }
        if inside && !escaped && letter == '\\' {
            escaped = true;
        } else {
            if letter == '"' && !escaped {
                inside = !inside;
            }
            escaped = false;
        }
        tamed.push(letter);
        rest = rest.get(letter.len_utf8()..).unwrap_or("");
    }
    Cow::Owned(tamed)
}

struct Reader<'t> {
    text: &'t str,
    tamed: &'t str,
    line_starts: Vec<usize>,
    nodes: usize,
}

impl Reader<'_> {
    fn place(&self, offset: usize) -> Place {
        let line = self.line_starts.partition_point(|start| *start <= offset);
        let start = self.line_starts.get(line.saturating_sub(1)).copied().unwrap_or(0);
        let before = self.text.get(start..offset).unwrap_or("");
        Place { line, column: before.chars().count() + 1 }
    }

    fn node(&mut self, raw: &RawValue, depth: usize) -> Result<Node, Refusal> {
        let written = raw.get();
        // The raw value is a part of the tamed text.
        let offset = written.as_ptr().addr().saturating_sub(self.tamed.as_ptr().addr());
        let at = self.place(offset);
        self.nodes += 1;
        if depth > DEEPEST || self.nodes > MOST_NODES {
            let message =
                format!("more than {DEEPEST} levels or {MOST_NODES} values; check that it is the right file");
            return Err(Refusal::at(at, message));
        }
        let wrong = |error: &serde_json::Error| Refusal::at(at, format!("not valid JSON: {}", words(error)));
        let value = match written.bytes().next() {
            Some(b'{') => {
                let members: Members<'_> = serde_json::from_str(written).map_err(|error| wrong(&error))?;
                let mut map = Vec::<(String, Node)>::with_capacity(members.0.len());
                let mut names = std::collections::BTreeSet::new();
                for (key, raw) in members.0 {
                    let node = self.node(raw, depth + 1)?;
                    if !names.insert(key.clone()) {
                        let message = format!(
                            "the key {} stands twice in one object; keep one of the two",
                            quoted(&key)
                        );
                        return Err(Refusal::at(node.at, message));
                    }
                    map.push((key, node));
                }
                Value::Map(map)
            }
            Some(b'[') => {
                let items: Vec<&RawValue> = serde_json::from_str(written).map_err(|error| wrong(&error))?;
                Value::List(items.into_iter().map(|raw| self.node(raw, depth + 1)).collect::<Result<_, _>>()?)
            }
            Some(b'"') => match self.text.get(offset..offset + written.len()) {
                Some(original) if !original.starts_with('"') => {
                    Value::Scalar { text: original.to_owned(), plain: true }
                }
                _ => Value::Scalar {
                    text: serde_json::from_str(written).map_err(|error| wrong(&error))?,
                    plain: false,
                },
            },
            _ => Value::Scalar { text: written.to_owned(), plain: true },
        };
        Ok(Node { at, value })
    }
}

/// An object's members in the order of the file.
struct Members<'t>(Vec<(String, &'t RawValue)>);

impl<'t> Deserialize<'t> for Members<'t> {
    fn deserialize<D: Deserializer<'t>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'t> Visitor<'t> for InOrder {
            type Value = Members<'t>;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }
            fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<Members<'t>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry::<String, &'t RawValue>()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_and_places_are_kept() {
        let node = read("{\n \"ä\": [1.50, 1e-05],\n \"b\": \"NaN \\\" NaN\"}").unwrap();
        let items = node.get("ä").unwrap().items();
        assert_eq!((items[0].text(), items[1].text()), (Some("1.50"), Some("1e-05")));
        assert_eq!(items[1].at, Place { line: 2, column: 14 });
        assert_eq!(node.text_of("b"), Some("NaN \" NaN"));
    }

    #[test]
    fn what_python_writes_is_a_word() {
        let node = read(r#"{"a": NaN, "b": -Infinity, "c": Infinity, "d": "N"}"#).unwrap();
        let texts: Vec<_> = node.members().iter().map(|(_, node)| node.text().unwrap()).collect();
        assert_eq!(texts, ["NaN", "-Infinity", "Infinity", "N"]);
        assert_eq!(node.members()[3].1.at, Place { line: 1, column: 48 });
    }

    #[test]
    fn mistakes_have_a_place() {
        let refused = |text: &str| read(text).unwrap_err();
        assert_eq!(refused("{\"a\": 1,\n \"b\": }").at, Some(Place { line: 2, column: 7 }));
        assert_eq!(refused("{\"a\": 1, \"a\": 2}").at, Some(Place { line: 1, column: 15 }));
        assert!(refused("{\"a\": 1").message.contains("EOF"));
        let deep = format!("{}1{}", "[".repeat(100), "]".repeat(100));
        assert!(refused(&deep).message.contains("levels"));
    }
}
