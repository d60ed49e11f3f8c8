//! `[paper]`, `[[paper]]` and `[policy]`.

use toml::de::{DeTable, DeValue};

use super::reader::{Reader, Span, Table, Text, quoted};
use super::source;
use crate::declare::{Gate, Paper, PaperClaim, Policy, Scale};

/// The publications of a file.
pub(super) struct Papers {
    /// A paper with mistakes is listed by its id alone, so that its results are not called wrong as well.
    list: Vec<Listed>,
    /// Whether `[paper]` or `[[paper]]` is in the file at all.
    declared: bool,
}

struct Listed {
    id: String,
    at: Span,
    paper: Option<Paper>,
}

impl Papers {
    /// Reads `[paper]`, or every `[[paper]]`.
    pub(super) fn read<'t>(reader: &mut Reader<'t>, root: &Table<'t>) -> Papers {
        let mut papers = Papers { list: Vec::new(), declared: false };
        match root.get("paper") {
            None => {
                let message = "the file has no [paper]; add one with id, title and url";
                reader.error(&root.at, message);
            }
            Some((DeValue::Table(map), at)) => {
                papers.declared = true;
                papers.add(reader, map, at, "[paper]");
            }
            Some((DeValue::Array(_), _)) => {
                papers.declared = true;
                for (map, at) in super::tables(reader, root, "paper") {
                    papers.add(reader, map, at, "[[paper]]");
                }
            }
            Some((other, at)) => {
                papers.declared = true;
                reader.wrong_type("paper", root, other, &at, "the table [paper] with id, title and url", "");
            }
        }
        papers
    }

    fn add<'t>(&mut self, reader: &mut Reader<'t>, map: &'t DeTable<'t>, at: Span, name: &'static str) {
        const KEYS: &[&str] = &["id", "title", "url", "version", "date", "doi", "code", "known_issues"];
        let table = reader.table(map, at, name, KEYS);
        let id = reader.required_text(&table, "id", "give it a short name").filter(|id| is_id(reader, id));
        if let Some(id) = &id {
            if let Some(first) = self.list.iter().find(|listed| listed.id == id.value) {
                let (line, _) = reader.place(first.at.start);
                let message =
                    format!("the paper of line {line} is called {} already; rename one", quoted(id.value));
                reader.error(&id.at, message);
            }
            self.list.push(Listed { id: id.value.to_owned(), at: table.at.clone(), paper: None });
        }
        let title = reader.required_text(&table, "title", "write the title of the publication");
        let url = reader
            .required_text(&table, "url", "say where it can be read")
            .and_then(|url| source::address(reader, &url, "url"));
        let version = reader.filled_text(&table, "version").map(owned);
        let date = source::date(reader, &table, "date", source::DatePrecision::YearOrFiner);
        let doi = reader.filled_text(&table, "doi").and_then(|doi| is_doi(reader, doi));
        let code = match reader.filled_text(&table, "code") {
            Some(code) => source::address(reader, &code, "code"),
            None => {
                if table.get("code").is_none() {
                    let message =
                        format!("{name} names no `code`; a claim without code is hard to reproduce");
                    reader.warn(&table.at, message);
                }
                None
            }
        };
        let known_issues = reader.texts(&table, "known_issues").unwrap_or_default();
        let known_issues: Vec<String> =
            known_issues.iter().filter_map(|issue| source::address(reader, issue, "known_issues")).collect();
        if let (Some(id), Some(title), Some(url)) = (id, title, url) {
            let (id, title) = (owned(id), owned(title));
            if let Some(listed) = self.list.last_mut() {
                listed.paper = Some(Paper { id, title, url, version, date, doi, code, known_issues });
            }
        }
    }

    /// The paper of a result: the one it names, or the only one.
    pub(super) fn of_result<'t>(&self, reader: &mut Reader<'t>, result: &Table<'t>) -> Option<Paper> {
        let ids = || self.list.iter().map(|listed| listed.id.as_str()).collect::<Vec<_>>().join(", ");
        if result.get("paper").is_none() {
            if self.list.len() > 1 {
                reader.missing(result, "paper", &format!("the file has several; write one of: {}", ids()));
                return None;
            }
            return self.list.first().and_then(|listed| listed.paper.clone());
        }
        let id = reader.text(result, "paper")?;
        match self.list.iter().find(|listed| listed.id == id.value) {
            Some(listed) => listed.paper.clone(),
            None => {
                if self.declared && !self.list.is_empty() {
                    let message =
                        format!("unknown paper {}; papers of this file: {}", quoted(id.value), ids());
                    reader.error(&id.at, message);
                }
                None
            }
        }
    }

    /// Warns of papers without a result, where the results are known.
    pub(super) fn warn_of_unused(&self, reader: &mut Reader<'_>, claims: &[PaperClaim]) {
        for listed in &self.list {
            if claims.iter().all(|claim| claim.paper.id != listed.id) {
                reader.warn(&listed.at, format!("no result is from the paper {}", quoted(&listed.id)));
            }
        }
    }
}

/// Reads `[policy]` or `[result.policy]`; what it does not say is as in `base`.
pub(super) fn policy<'t>(
    reader: &mut Reader<'t>,
    map: &'t DeTable<'t>,
    at: Span,
    name: &'static str,
    base: &Policy,
) -> Policy {
    let keys = ["discount", "fail_below", "equivalence", "alpha", "gate", "scale"];
    let table = reader.table(map, at, name, &keys);
    let before = reader.errors.len();
    let mut policy = base.clone();
    let mut share = |key: &str, slot: &mut f64, accept: fn(f64) -> bool, expected: &str| {
        if let Some(found) = reader.number_where(&table, key, accept, expected) {
            *slot = found.value;
        }
    };
    share(
        "discount",
        &mut policy.discount,
        |share| (0.0..1.0).contains(&share),
        "a share from 0 to below 1, such as 0.20 for 20 %",
    );
    share(
        "fail_below",
        &mut policy.fail_below,
        |share| share > 0.0 && share <= 1.0,
        "a share above 0 and up to 1, such as 0.75 for 75 %",
    );
    share(
        "equivalence",
        &mut policy.equivalence,
        |share| share > 0.0 && share <= 0.5,
        "a share above 0 and up to 0.5, such as 0.05 for ±5 %",
    );
    share(
        "alpha",
        &mut policy.alpha,
        |share| (0.0001..=0.5).contains(&share),
        "an error level from 0.0001 to 0.5, such as 0.05 for 95 % intervals",
    );
    if let Some(gate) = gates(reader, &table) {
        policy.gate = gate;
    }
    if let Some(scale) = reader.word(&table, "scale", &[("none", Scale::None)]) {
        policy.scale = scale;
    }
    /// Forgives the last bit of a sum such as 0.8 + 0.2.
    const ROUNDING: f64 = 1e-9;
    if reader.errors.len() == before && policy.fail_below > 1.0 - policy.discount + ROUNDING {
        let key = if table.get("fail_below").is_some() { "fail_below" } else { "discount" };
        let message = format!(
            "fail_below is {} but the discount of {} already begins at {}; fail_below must not lie above it",
            policy.fail_below,
            policy.discount,
            ((1.0 - policy.discount) * 1e9).round() / 1e9
        );
        reader.error(&table.place_of(key), message);
    }
    policy
}

fn gates<'t>(reader: &mut Reader<'t>, table: &Table<'t>) -> Option<Vec<Gate>> {
    const WORDS: &[(&str, Gate)] = &[
        ("fail", Gate::Fail),
        ("gap", Gate::Gap),
        ("unclear", Gate::Unclear),
        ("not-comparable", Gate::NotComparable),
    ];
    let mut gates = Vec::new();
    for text in reader.texts(table, "gate")? {
        if let Some(gate) = reader.word_of(&text, "gate", WORDS) {
            if gates.contains(&gate) {
                reader.error(&text.at, format!("gate {} stands twice; remove one", quoted(text.value)));
            } else {
                gates.push(gate);
            }
        }
    }
    Some(gates)
}

/// Whether `id` can be written after `#` in an attribute and in a file name; reports it where not.
pub(super) fn is_id(reader: &mut Reader<'_>, id: &Text<'_>) -> bool {
    /// Longer names are cut in every table they appear in.
    const LONGEST: usize = 100;
    let letters = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
    let good = id.value.len() <= LONGEST
        && id.value.starts_with(|letter: char| letter.is_ascii_alphanumeric())
        && id.value.chars().all(letters);
    if !good {
        let message = format!(
            "id {} is not a name; use a letter or digit, then letters, digits, `-`, `_` and `.`, at most {LONGEST}",
            quoted(id.value)
        );
        reader.error(&id.at, message);
    }
    good
}

fn is_doi(reader: &mut Reader<'_>, doi: Text<'_>) -> Option<String> {
    let good = doi.value.starts_with("10.")
        && doi.value.contains('/')
        && !doi.value.contains(|letter: char| letter.is_whitespace() || letter.is_control());
    if !good {
        let message =
            format!("doi is {}; expected the bare identifier, such as `10.1000/182`", quoted(doi.value));
        reader.error(&doi.at, message);
        return None;
    }
    Some(owned(doi))
}

pub(super) fn owned(text: Text<'_>) -> String {
    text.value.to_owned()
}
