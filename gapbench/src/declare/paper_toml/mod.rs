//! The strict reader of `papers/*.toml`.
//!
//! A claims file is written by hand, and a number with a wrong unit or without its conditions would make every
//! verdict wrong. So a typo never becomes a default: each mistake is named at its place, all of a file at once.
//! Knows nothing of how the claims are judged.

mod conditions;
mod cost;
mod number;
mod paper;
mod price;
mod reader;
mod result;
mod source;

use std::collections::BTreeSet;
use std::fmt;

use toml::de::{DeTable, DeValue};

use self::paper::Papers;
pub use self::price::{Price, PriceError, PriceUnit};
use self::reader::{Reader, Table, kind_of};
use super::{PaperClaim, Policy};

/// A claims file larger than this is refused: it is a few kilobytes of text written by hand.
pub const MAX_BYTES: usize = 4 << 20;

/// The newest format this reader understands.
const SCHEMA: u64 = 1;

/// A claims file.
#[derive(Clone, Debug, PartialEq)]
pub struct PaperFile {
    /// Its results, in the order of the file.
    pub claims: Vec<PaperClaim>,
    /// What the hardware costs, where the file says; without it nothing has a cost.
    pub cost: Option<Price>,
    /// Remarks that are no errors, such as a paper without code.
    pub warnings: Vec<ClaimError>,
}

/// One mistake, at its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimError {
    /// The file as the author named it.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What was found, what was expected, what to do.
    pub message: String,
}

impl fmt::Display for ClaimError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}:{}: {}", self.file, self.line, self.column, self.message)
    }
}

/// All mistakes of a file, in the order of the file; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimErrors(pub Vec<ClaimError>);

impl fmt::Display for ClaimErrors {
    /// One `file:line:column: message` per line, without a line break at the end.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 {
                formatter.write_str("\n")?;
            }
            error.fmt(formatter)?;
        }
        Ok(())
    }
}

impl std::error::Error for ClaimErrors {}

/// Reads a claims file: `bytes` is its content, `file` what messages call it.
///
/// # Errors
/// Every mistake of the file at once, each with line, column, what was found and what is allowed. A file that is too
/// large, is not text, is not TOML or is of a newer schema is not looked at any further.
pub fn parse(file: &str, bytes: &[u8]) -> Result<PaperFile, ClaimErrors> {
    let text = decode(file, bytes)?;
    let mut reader = Reader::new(file, text);
    let (document, syntax) = DeTable::parse_recoverable(text);
    if !report_syntax(&mut reader, &syntax) {
        return Err(sorted(reader.errors));
    }
    let (claims, cost) = read_document(&mut reader, document.get_ref());
    if reader.errors.is_empty() {
        let warnings = sorted(reader.warnings).0;
        Ok(PaperFile { claims, cost, warnings })
    } else {
        Err(sorted(reader.errors))
    }
}

fn sorted(mut errors: Vec<ClaimError>) -> ClaimErrors {
    errors.sort_by_key(|error| (error.line, error.column));
    ClaimErrors(errors)
}

/// The file as text, without the byte order mark that some editors put in front.
fn decode<'t>(file: &str, bytes: &'t [u8]) -> Result<&'t str, ClaimErrors> {
    let refuse = |line: usize, column: usize, message: String| {
        Err(ClaimErrors(vec![ClaimError { file: file.to_owned(), line, column, message }]))
    };
    if bytes.len() > MAX_BYTES {
        let message = format!(
            "the file has {} bytes; a claims file has at most {MAX_BYTES}; check that it is the right file",
            bytes.len()
        );
        return refuse(1, 1, message);
    }
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let valid = String::from_utf8_lossy(bytes.get(..error.valid_up_to()).unwrap_or_default());
            let line = valid.matches('\n').count() + 1;
            let column = valid.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
            let utf16 = bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF");
            let what = if utf16 { "the file is UTF-16" } else { "the file is not UTF-8" };
            let message = format!("{what} (byte {}); save it as UTF-8", error.valid_up_to());
            return refuse(line, column, message);
        }
    };
    if text.trim().is_empty() {
        let message = "the file is empty; start it with `schema = 1`, a [paper] and a [[result]]".to_owned();
        return refuse(1, 1, message);
    }
    Ok(text)
}

/// Reports what the TOML parser found. Returns whether the tables are good enough to look at: a key that stands twice
/// hides nothing else, while after a broken line every further message could be a consequence of it.
fn report_syntax(reader: &mut Reader<'_>, syntax: &[toml::de::Error]) -> bool {
    let mut usable = true;
    let mut lines = BTreeSet::new();
    for error in syntax {
        let at = error.span().unwrap_or(0..0);
        let (line, _) = reader.place(at.start);
        if error.message().starts_with("duplicate key") {
            let key = reader::quoted(reader.written(&at));
            reader.error(&at, format!("duplicate key {key}; it stands above already: keep one of the two"));
        } else {
            usable = false;
            // What follows the first mistake of a line is mostly its consequence.
            if lines.insert(line) {
                let message = syntax_message(reader, at.start, error.message());
                reader.error(&at, message);
            }
        }
    }
    usable
}

/// The parser's words, except where they mislead: text without quotes is the usual slip, and is called a boolean when it
/// begins like one.
fn syntax_message(reader: &Reader<'_>, offset: usize, words: &str) -> String {
    let value =
        ["invalid boolean", "string values must be quoted"].iter().any(|start| words.starts_with(start));
    match reader.rest_of_line(offset) {
        "" if value => "not valid TOML: there is no value after `=`".to_owned(),
        rest if value => {
            let rest = reader::quoted(rest);
            format!("not valid TOML: {rest} is neither a number nor text in quotes; put text in quotes")
        }
        _ => format!("not valid TOML: {words}"),
    }
}

fn read_document<'t>(reader: &mut Reader<'t>, root: &'t DeTable<'t>) -> (Vec<PaperClaim>, Option<Price>) {
    const NAME: &str = "the file";
    let plain = Table::unchecked(root, 0..0, NAME);
    if !schema_is_known(reader, &plain) {
        return (Vec::new(), None);
    }
    let root = reader.table(root, 0..0, NAME, &["schema", "paper", "policy", "cost", "result"]);
    let papers = Papers::read(reader, &root);
    let policy = match reader.sub_table(&root, "policy") {
        Some((map, at)) => paper::policy(reader, map, at, "[policy]", &Policy::default()),
        None => Policy::default(),
    };
    let cost = reader.sub_table(&root, "cost").and_then(|(map, at)| cost::read(reader, map, at));
    let mut claims = Vec::new();
    let mut seen = Vec::new();
    let tables = tables(reader, &root, "result");
    if tables.is_empty() && root.get("result").is_none() {
        let message = "the file has no results; add a [[result]] with id, metric, value, unit and statistic";
        reader.error(&root.at, message);
    }
    for (map, at) in tables {
        claims.extend(result::read(reader, map, at, &papers, &policy, &mut seen));
    }
    papers.warn_of_unused(reader, &claims);
    (claims, cost)
}

/// Whether the file is of a schema this reader understands; of a newer one nothing else can be judged.
fn schema_is_known<'t>(reader: &mut Reader<'t>, root: &Table<'t>) -> bool {
    if root.get("schema").is_none() {
        reader.error(&root.at, "missing `schema`; write `schema = 1` in the first line");
        return true;
    }
    match reader.number(root, "schema") {
        Some(found) if found.value == SCHEMA as f64 => true,
        Some(found) if found.value > SCHEMA as f64 => {
            let message = format!(
                "schema {} is newer than this gapbench, which understands schema {SCHEMA}; update gapbench",
                found.written
            );
            reader.error(&found.at, message);
            false
        }
        Some(found) => {
            let message =
                format!("unknown schema {}; this gapbench understands schema {SCHEMA}", found.written);
            reader.error(&found.at, message);
            true
        }
        None => true,
    }
}

/// The tables of `[[key]]`.
fn tables<'t>(
    reader: &mut Reader<'t>,
    root: &Table<'t>,
    key: &str,
) -> Vec<(&'t DeTable<'t>, std::ops::Range<usize>)> {
    let Some((value, at)) = root.get(key) else { return Vec::new() };
    let DeValue::Array(items) = value else {
        let kind = kind_of(value);
        reader.error(&at, format!("`{key}` is {kind}; expected [[{key}]] with two brackets on each side"));
        return Vec::new();
    };
    let mut found = Vec::new();
    for item in items.iter() {
        match item.get_ref() {
            DeValue::Table(map) => found.push((map, item.span())),
            other => {
                let kind = kind_of(other);
                reader.error(&item.span(), format!("`{key}` holds {kind}; expected [[{key}]] tables"));
            }
        }
    }
    found
}
