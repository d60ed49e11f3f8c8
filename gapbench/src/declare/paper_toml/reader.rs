//! Typed, strict access to a parsed TOML file that collects every mistake with its place.
//!
//! Knows nothing of what the keys mean.

use std::ops::{Range, RangeInclusive};

use toml::de::{DeTable, DeValue};

use super::ClaimError;

/// Sizes that stay finite and above 0 in every unit and in products of a few of them.
const MAGNITUDES: RangeInclusive<f64> = 1e-100..=1e100;

/// A stretch of the file, in bytes.
pub(super) type Span = Range<usize>;

/// The file, and what was found wrong with it so far.
pub(super) struct Reader<'t> {
    file: &'t str,
    text: &'t str,
    line_starts: Vec<usize>,
    pub(super) errors: Vec<ClaimError>,
    pub(super) warnings: Vec<ClaimError>,
}

/// A TOML table whose keys have been checked.
#[derive(Clone)]
pub(super) struct Table<'t> {
    map: &'t DeTable<'t>,
    /// Where it begins.
    pub(super) at: Span,
    /// Its name in messages: `[[result]]`.
    pub(super) name: &'static str,
}

/// A text value and its place.
#[derive(Clone)]
pub(super) struct Text<'t> {
    pub(super) value: &'t str,
    pub(super) at: Span,
}

/// A finite decimal number, as written and as read.
#[derive(Clone)]
pub(super) struct Number<'t> {
    pub(super) value: f64,
    pub(super) written: &'t str,
    pub(super) at: Span,
}

impl<'t> Reader<'t> {
    pub(super) fn new(file: &'t str, text: &'t str) -> Self {
        let newlines = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let line_starts = std::iter::once(0).chain(newlines.map(|(index, _)| index + 1)).collect();
        Reader { file, text, line_starts, errors: Vec::new(), warnings: Vec::new() }
    }

    /// What messages call the file.
    pub(super) fn file(&self) -> &'t str {
        self.file
    }

    /// Line, and column in characters, of a byte; both from 1.
    pub(super) fn place(&self, offset: usize) -> (usize, usize) {
        let line = self.line_starts.partition_point(|start| *start <= offset);
        let start = self.line_starts.get(line.saturating_sub(1)).copied().unwrap_or(0);
        let before = self.text.get(start..offset).unwrap_or("");
        (line, before.chars().count() + 1)
    }

    pub(super) fn error(&mut self, at: &Span, message: impl Into<String>) {
        let error = self.located(at, message.into());
        self.errors.push(error);
    }

    pub(super) fn warn(&mut self, at: &Span, message: impl Into<String>) {
        let warning = self.located(at, message.into());
        self.warnings.push(warning);
    }

    fn located(&self, at: &Span, message: String) -> ClaimError {
        let (line, column) = self.place(at.start);
        ClaimError { file: self.file.to_owned(), line, column, message }
    }

    /// The table `map`, with an error for each key outside `keys`.
    pub(super) fn table(
        &mut self,
        map: &'t DeTable<'t>,
        at: Span,
        name: &'static str,
        keys: &[&'static str],
    ) -> Table<'t> {
        for key in map.keys() {
            if !keys.contains(&key.get_ref().as_ref()) {
                let known = allowed("allowed keys", keys);
                let hint = did_you_mean(key.get_ref(), keys);
                let message = format!("unknown key {} in {name};{hint} {known}", quoted(key.get_ref()));
                self.error(&key.span(), message);
            }
        }
        Table { map, at, name }
    }

    /// The table below `key`, if there is one.
    pub(super) fn sub_table(&mut self, table: &Table<'t>, key: &str) -> Option<(&'t DeTable<'t>, Span)> {
        let (value, at) = table.get(key)?;
        match value {
            DeValue::Table(map) => Some((map, at)),
            other => {
                self.wrong_type(key, table, other, &at, "a table", "");
                None
            }
        }
    }

    /// The text below `key`, if it is there.
    pub(super) fn text(&mut self, table: &Table<'t>, key: &str) -> Option<Text<'t>> {
        let (value, at) = table.get(key)?;
        match value {
            DeValue::String(text) => Some(Text { value: text, at }),
            other => {
                self.wrong_type(key, table, other, &at, "text", "; put it in quotes");
                None
            }
        }
    }

    /// The text below `key`, which has to be there and not be blank.
    pub(super) fn required_text(&mut self, table: &Table<'t>, key: &str, advice: &str) -> Option<Text<'t>> {
        if table.get(key).is_none() {
            self.missing(table, key, advice);
            return None;
        }
        let text = self.text(table, key)?;
        if text.value.trim().is_empty() {
            self.error(&text.at, format!("`{key}` of {} is empty; {advice}", table.name));
            return None;
        }
        Some(text)
    }

    /// The text below `key`; a blank one counts as absent, with a warning.
    pub(super) fn filled_text(&mut self, table: &Table<'t>, key: &str) -> Option<Text<'t>> {
        let text = self.text(table, key)?;
        if text.value.trim().is_empty() {
            let message = format!("`{key}` of {} is empty and counts as unknown; remove the key", table.name);
            self.warn(&text.at, message);
            return None;
        }
        Some(text)
    }

    /// One of a closed list of words.
    pub(super) fn word<T: Copy>(
        &mut self,
        table: &Table<'t>,
        key: &str,
        words: &[(&'static str, T)],
    ) -> Option<T> {
        let text = self.text(table, key)?;
        self.word_of(&text, key, words)
    }

    /// One of a closed list of words, from a text already read.
    pub(super) fn word_of<T: Copy>(
        &mut self,
        text: &Text<'t>,
        key: &str,
        words: &[(&'static str, T)],
    ) -> Option<T> {
        let found = words.iter().find(|(word, _)| *word == text.value).map(|(_, value)| *value);
        if found.is_none() {
            let names: Vec<_> = words.iter().map(|(word, _)| *word).collect();
            let hint = did_you_mean(text.value, &names);
            let known = allowed("allowed words", &names);
            self.error(&text.at, format!("unknown {key} {};{hint} {known}", quoted(text.value)));
        }
        found
    }

    /// The number below `key`: an integer or a float, finite and decimal.
    pub(super) fn number(&mut self, table: &Table<'t>, key: &str) -> Option<Number<'t>> {
        let (value, at) = table.get(key)?;
        let written = self.text.get(at.clone()).unwrap_or("");
        let parsed = match value {
            DeValue::Integer(integer) if integer.radix() != 10 => {
                self.error(&at, format!("`{key}` is {}; write it in decimal digits", quoted(written)));
                return None;
            }
            DeValue::Integer(integer) => integer.as_str().parse::<f64>().ok(),
            DeValue::Float(float) => float.as_str().parse::<f64>().ok(),
            other => {
                let advice =
                    if matches!(other, DeValue::String(_)) { "; write it without quotes" } else { "" };
                self.wrong_type(key, table, other, &at, "a number", advice);
                return None;
            }
        };
        match parsed {
            Some(value) if value == 0.0 || MAGNITUDES.contains(&value.abs()) => {
                Some(Number { value, written, at })
            }
            Some(value) if value.is_finite() => {
                let message = format!("`{key}` is {}; expected a size from 1e-100 to 1e100", quoted(written));
                self.error(&at, message);
                None
            }
            _ => {
                let message = format!("`{key}` is {}; expected a finite number", quoted(written));
                self.error(&at, message);
                None
            }
        }
    }

    /// The number below `key` when `accept` holds; `expected` says in words what holds.
    pub(super) fn number_where(
        &mut self,
        table: &Table<'t>,
        key: &str,
        accept: impl Fn(f64) -> bool,
        expected: &str,
    ) -> Option<Number<'t>> {
        let number = self.number(table, key)?;
        if accept(number.value) {
            return Some(number);
        }
        self.error(&number.at, format!("`{key}` is {}; expected {expected}", quoted(number.written)));
        None
    }

    /// The whole number below `key`, from `smallest` on.
    pub(super) fn whole(&mut self, table: &Table<'t>, key: &str, smallest: u64) -> Option<u64> {
        let expected = format!("a whole number from {smallest} on");
        // 2^53: above it a float no longer holds every whole number.
        let accept = |number: f64| {
            number.fract() == 0.0 && number >= smallest as f64 && number <= 9_007_199_254_740_992.0
        };
        self.number_where(table, key, accept, &expected).map(|number| number.value as u64)
    }

    /// The flag below `key`.
    pub(super) fn flag(&mut self, table: &Table<'t>, key: &str) -> Option<bool> {
        let (value, at) = table.get(key)?;
        match value {
            DeValue::Boolean(flag) => Some(*flag),
            other => {
                self.wrong_type(key, table, other, &at, "true or false", "");
                None
            }
        }
    }

    /// The list of texts below `key`.
    pub(super) fn texts(&mut self, table: &Table<'t>, key: &str) -> Option<Vec<Text<'t>>> {
        let (value, at) = table.get(key)?;
        let DeValue::Array(items) = value else {
            self.wrong_type(key, table, value, &at, "a list of texts", "; put it in [ ]");
            return None;
        };
        let mut texts = Vec::new();
        for item in items.iter() {
            match item.get_ref() {
                DeValue::String(text) => texts.push(Text { value: text, at: item.span() }),
                other => {
                    self.wrong_type(
                        key,
                        table,
                        other,
                        &item.span(),
                        "texts in its list",
                        "; put it in quotes",
                    );
                }
            }
        }
        Some(texts)
    }

    pub(super) fn missing(&mut self, table: &Table<'t>, key: &str, advice: &str) {
        self.error(&table.at, format!("missing `{key}` in {}; {advice}", table.name));
    }

    pub(super) fn wrong_type(
        &mut self,
        key: &str,
        table: &Table<'t>,
        found: &DeValue<'t>,
        at: &Span,
        expected: &str,
        advice: &str,
    ) {
        let kind = kind_of(found);
        self.error(at, format!("`{key}` of {} is {kind}; expected {expected}{advice}", table.name));
    }

    pub(super) fn written(&self, at: &Span) -> &'t str {
        self.text.get(at.clone()).unwrap_or("")
    }

    /// What stands between `offset` and the end of its line, without a comment.
    pub(super) fn rest_of_line(&self, offset: usize) -> &'t str {
        let rest = self.text.get(offset..).unwrap_or("");
        rest.split(['\n', '#']).next().unwrap_or("").trim()
    }
}

impl<'t> Table<'t> {
    /// A table whose keys are checked elsewhere.
    pub(super) fn unchecked(map: &'t DeTable<'t>, at: Span, name: &'static str) -> Self {
        Table { map, at, name }
    }

    /// The value below `key` and its place.
    pub(super) fn get(&self, key: &str) -> Option<(&'t DeValue<'t>, Span)> {
        self.map.get(key).map(|value| (value.get_ref(), value.span()))
    }

    /// The place of `key`'s value, or of the table where the key is absent.
    pub(super) fn place_of(&self, key: &str) -> Span {
        self.get(key).map_or_else(|| self.at.clone(), |(_, at)| at)
    }
}

/// What a TOML value is, for a person.
pub(super) fn kind_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "a flag",
        DeValue::Datetime(_) => "a date without quotes",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// Text of the file as a message shows it: on one line, and not longer than a person reads.
pub(super) fn clean(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut shown = String::new();
    for (index, letter) in text.chars().enumerate() {
        if index == LONGEST {
            shown.push('…');
            break;
        }
        if letter.is_control() {
            shown.extend(letter.escape_default());
        } else {
            shown.push(letter);
        }
    }
    shown
}

/// [`clean`] text between the marks that set it apart from the sentence.
pub(super) fn quoted(text: &str) -> String {
    format!("`{}`", clean(text))
}

/// ` did you mean ...?`, with a leading blank, or nothing.
pub(super) fn did_you_mean(found: &str, words: &[&'static str]) -> String {
    nearest(found, words).map_or_else(String::new, |word| format!(" did you mean `{word}`?"))
}

/// The word that was probably meant: another case, the end of a dotted name, or a near spelling.
pub(super) fn nearest(found: &str, words: &[&'static str]) -> Option<&'static str> {
    /// Below this similarity a suggestion is more often wrong than right.
    const NEAR: f64 = 0.8;
    let lower = found.to_lowercase();
    let same = words.iter().find(|word| word.to_lowercase() == lower);
    let end = || {
        let suffix = format!(".{lower}");
        words.iter().find(|word| word.ends_with(&suffix))
    };
    let near = || {
        let scored = words.iter().map(|word| (strsim::jaro_winkler(&word.to_lowercase(), &lower), word));
        scored.filter(|(score, _)| *score > NEAR).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, word)| word)
    };
    same.or_else(end).or_else(near).copied()
}

/// `what: a, b, c`.
pub(super) fn allowed(what: &str, words: &[&'static str]) -> String {
    format!("{what}: {}", words.join(", "))
}
