//! YAML as a tree. Every scalar keeps its digits: which of them are numbers is decided by who reads them. Knows nothing
//! of what the keys mean.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span};

use super::document::{DEEPEST, MOST_NODES, Node, Place, Refusal, Value, quoted};

/// Reads the only document of `text`, whose first line is line `lines_before + 1` of its file.
///
/// # Errors
/// What is no YAML, with its place; several documents; a key that stands twice; a tree that is too deep or too large.
pub(super) fn read(text: &str, lines_before: usize) -> Result<Node, Refusal> {
    let mut events =
        Events { parser: Parser::new_from_str(text), lines_before, anchors: BTreeMap::new(), nodes: 0 };
    let mut document = None;
    loop {
        match events.next()? {
            None => break,
            Some((Event::StreamStart | Event::StreamEnd | Event::DocumentEnd | Event::Nothing, _)) => {}
            Some((Event::DocumentStart(_), at)) => {
                if document.is_some() {
                    let message = "a second YAML document begins; expected one; keep one per file";
                    return Err(Refusal::at(at, message));
                }
                document = Some(events.document()?);
            }
            Some((_, at)) => return Err(Refusal::at(at, "expected the start of a YAML document")),
        }
    }
    document.ok_or_else(|| Refusal::whole("the file holds no YAML; expected a document"))
}

struct Events<'t> {
    parser: Parser<'t, saphyr_parser::StrInput<'t>>,
    lines_before: usize,
    anchors: BTreeMap<usize, (Node, usize)>,
    nodes: usize,
}

impl<'t> Events<'t> {
    fn next(&mut self) -> Result<Option<(Event<'t>, Place)>, Refusal> {
        match self.parser.next_event() {
            None => Ok(None),
            Some(Ok((event, span))) => Ok(Some((event, self.place(span)))),
            Some(Err(error)) => Err(self.refused(&error)),
        }
    }

    fn place(&self, span: Span) -> Place {
        Place { line: span.start.line() + self.lines_before, column: span.start.col() + 1 }
    }

    fn refused(&self, error: &ScanError) -> Refusal {
        let at = Place { line: error.marker().line() + self.lines_before, column: error.marker().col() + 1 };
        Refusal::at(at, format!("not valid YAML: {}", super::document::shown(error.info())))
    }

    fn document(&mut self) -> Result<Node, Refusal> {
        match self.next()? {
            Some((event, at)) => Ok(self.node(event, at, 0)?.0),
            None => Err(Refusal::whole("the YAML document ends before its first value")),
        }
    }

    fn count(&mut self, more: usize, at: Place) -> Result<(), Refusal> {
        self.nodes = self.nodes.saturating_add(more);
        if self.nodes > MOST_NODES {
            let message = format!(
                "more than {MOST_NODES} values, repeated ones included; check that it is the right file"
            );
            return Err(Refusal::at(at, message));
        }
        Ok(())
    }

    /// The value that begins with `event`, and how many values it holds.
    fn node(&mut self, event: Event<'t>, at: Place, depth: usize) -> Result<(Node, usize), Refusal> {
        if depth > DEEPEST {
            return Err(Refusal::at(
                at,
                format!("more than {DEEPEST} levels; check that it is the right file"),
            ));
        }
        let (value, size, anchor) = match event {
            Event::Scalar(text, style, anchor, _) => {
                self.count(1, at)?;
                (Value::Scalar { text: text.into_owned(), plain: style == ScalarStyle::Plain }, 1, anchor)
            }
            Event::Alias(id) => {
                let Some((node, size)) = self.anchors.get(&id).cloned() else {
                    return Err(Refusal::at(at, "an alias of something that is not complete yet"));
                };
                self.count(size, at)?;
                return Ok((Node { at, value: node.value }, size));
            }
            Event::SequenceStart(anchor, _) => {
                self.count(1, at)?;
                let (items, size) = self.list(depth)?;
                (Value::List(items), size + 1, anchor)
            }
            Event::MappingStart(anchor, _) => {
                self.count(1, at)?;
                let (members, size) = self.map(depth)?;
                (Value::Map(members), size + 1, anchor)
            }
            _ => return Err(Refusal::at(at, "the YAML ends inside a value")),
        };
        let node = Node { at, value };
        if anchor > 0 {
            self.anchors.insert(anchor, (node.clone(), size));
        }
        Ok((node, size))
    }

    fn list(&mut self, depth: usize) -> Result<(Vec<Node>, usize), Refusal> {
        let (mut items, mut size) = (Vec::new(), 0);
        loop {
            match self.next()? {
                Some((Event::SequenceEnd, _)) => return Ok((items, size)),
                Some((event, at)) => {
                    let (node, more) = self.node(event, at, depth + 1)?;
                    items.push(node);
                    size += more;
                }
                None => return Err(Refusal::whole("the YAML ends inside a list")),
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<(Vec<(String, Node)>, usize), Refusal> {
        let (mut members, mut size) = (Vec::<(String, Node)>::new(), 0);
        loop {
            let (key, at) = match self.next()? {
                Some((Event::MappingEnd, _)) => return Ok((members, size)),
                Some((Event::Scalar(text, ..), at)) => (text.into_owned(), at),
                Some((_, at)) => {
                    return Err(Refusal::at(at, "a key that is no text; expected a word before `:`"));
                }
                None => return Err(Refusal::whole("the YAML ends inside a table")),
            };
            if members.iter().any(|(name, _)| *name == key) {
                let message =
                    format!("the key {} stands twice in one table; keep one of the two", quoted(&key));
                return Err(Refusal::at(at, message));
            }
            match self.next()? {
                Some((event, at)) => {
                    let (node, more) = self.node(event, at, depth + 1)?;
                    members.push((key, node));
                    size += more;
                }
                None => return Err(Refusal::whole("the YAML ends after a key")),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_and_places_are_kept() {
        let node = read("a:\n  - b: 0.850\n    c: '12'\n", 1).unwrap();
        let item = &node.get("a").unwrap().items()[0];
        assert_eq!(item.text_of("b"), Some("0.850"));
        assert_eq!(item.get("b").unwrap().at, Place { line: 3, column: 8 });
        assert_eq!(item.get("c").unwrap().value, Value::Scalar { text: "12".to_owned(), plain: false });
    }

    #[test]
    fn mistakes_have_a_place() {
        let place = |text: &str| read(text, 0).unwrap_err();
        assert_eq!(place("a: 1\na: 2\n").at, Some(Place { line: 2, column: 1 }));
        assert!(place("a: [1, 2\nb: 3").at.is_some(), "{:?}", place("a: [1, 2\nb: 3"));
        assert!(place("a: 1\n---\nb: 2\n").message.contains("second YAML document"));
        assert!(place("").message.contains("no YAML"));
        assert!(place(&format!("{}{}", "[".repeat(100), "]".repeat(100))).message.contains("levels"));
        assert!(place(&"[".repeat(5_000)).at.is_some());
    }

    #[test]
    fn a_short_text_cannot_name_a_huge_tree() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..12 {
            let before = format!("*a{}", level - 1);
            text.push_str(&format!("a{level}: &a{level} [{}]\n", [before.as_str(); 10].join(", ")));
        }
        assert!(read(&text, 0).unwrap_err().message.contains("more than"));
    }
}
