//! `[result.source]`, and the dates and addresses of a claims file.

use toml::de::{DeTable, DeValue};

use super::paper::owned;
use super::reader::{Reader, Span, Table, Text, quoted};
use crate::declare::Source;

/// How much of a date has to be there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum DatePrecision {
    /// `2024`, `2024-07` or `2024-07-11`.
    YearOrFiner,
    /// `2024-07-11`.
    Day,
}

/// Reads `[result.source]`.
pub(super) fn read<'t>(reader: &mut Reader<'t>, map: &'t DeTable<'t>, at: Span) -> Option<Source> {
    const KEYS: &[&str] = &["kind", "url", "locator", "page", "table", "quote", "retrieved", "verified"];
    let table = reader.table(map, at, "[result.source]", KEYS);
    let kind = kind(reader, &table);
    let url = reader.filled_text(&table, "url").and_then(|url| address(reader, &url, "url"));
    let locator = reader.filled_text(&table, "locator").map(owned);
    let page = reader.whole(&table, "page", 1);
    let table_name = reader.filled_text(&table, "table").map(owned);
    let quote = reader.filled_text(&table, "quote").map(owned);
    let retrieved = date(reader, &table, "retrieved", DatePrecision::Day);
    let verified = reader.word(
        &table,
        "verified",
        &[
            ("self-reported", "self-reported"),
            ("third-party", "third-party"),
            ("mlcommons", "mlcommons"),
            ("hf-token", "hf-token"),
            ("reproduced", "reproduced"),
        ],
    );
    Some(Source {
        kind: kind?.to_owned(),
        url,
        locator,
        page,
        table: table_name,
        quote,
        retrieved,
        verified: verified.map(str::to_owned),
    })
}

fn kind<'t>(reader: &mut Reader<'t>, table: &Table<'t>) -> Option<&'static str> {
    const WORDS: &[(&str, &str)] = &[
        ("paper", "paper"),
        ("model-card", "model-card"),
        ("vendor-docs", "vendor-docs"),
        ("leaderboard", "leaderboard"),
        ("run-log", "run-log"),
        ("issue", "issue"),
        ("self", "self"),
    ];
    if table.get("kind").is_none() {
        let names: Vec<_> = WORDS.iter().map(|(word, _)| *word).collect();
        reader.missing(table, "kind", &format!("write one of: {}", names.join(", ")));
        return None;
    }
    reader.word(table, "kind", WORDS)
}

/// What [`is_address`] accepts, in words.
pub(super) const ADDRESS_WORDS: &str =
    "an address that begins with https://, or a file's path that begins with ./ or ../";

/// An address that a report can link to, or the path of a file beside the claims. Other schemes are refused: a report is
/// opened in a browser.
pub(super) fn is_address(text: &str) -> bool {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let file = text.starts_with("./") || text.starts_with("../");
    (file || host.is_some_and(|host| !host.is_empty() && !host.starts_with('/')))
        && !text.contains(|letter: char| letter.is_whitespace() || letter.is_control())
}

/// The address of `key`; reports what is none.
pub(super) fn address(reader: &mut Reader<'_>, text: &Text<'_>, key: &str) -> Option<String> {
    if !is_address(text.value) {
        reader.error(&text.at, format!("`{key}` is {}; expected {ADDRESS_WORDS}", quoted(text.value)));
        return None;
    }
    Some(text.value.to_owned())
}

/// A date, as text or as a TOML date.
pub(super) fn date<'t>(
    reader: &mut Reader<'t>,
    table: &Table<'t>,
    key: &str,
    precision: DatePrecision,
) -> Option<String> {
    let (value, at) = table.get(key)?;
    let written = match value {
        DeValue::String(text) => text.as_ref().to_owned(),
        DeValue::Datetime(date) => date.to_string(),
        other => {
            reader.wrong_type(key, table, other, &at, "a date such as \"2024-07-11\"", "");
            return None;
        }
    };
    if !is_date(&written, precision) {
        let expected = match precision {
            DatePrecision::Day => "an existing day as YYYY-MM-DD",
            DatePrecision::YearOrFiner => "an existing day, month or year as YYYY-MM-DD, YYYY-MM or YYYY",
        };
        reader.error(&at, format!("`{key}` is {}; expected {expected}", quoted(&written)));
        return None;
    }
    Some(written)
}

/// Whether `written` is a date of this precision that exists.
pub(super) fn is_date(written: &str, precision: DatePrecision) -> bool {
    let parts: Vec<&str> = written.split('-').collect();
    let widths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    let shaped = match precision {
        DatePrecision::Day => widths == [4, 2, 2],
        DatePrecision::YearOrFiner => widths == [4] || widths == [4, 2] || widths == [4, 2, 2],
    };
    if !shaped || !written.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') {
        return false;
    }
    let number = |index: usize| parts.get(index).and_then(|part| part.parse::<u32>().ok());
    let year = number(0).unwrap_or(0);
    let (month, day) = (number(1).unwrap_or(1), number(2).unwrap_or(1));
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 31,
    };
    (1..=12).contains(&month) && (1..=days).contains(&day) && year > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_days_of_the_calendar_are_dates() {
        for good in ["2024-02-29", "2000-02-29", "2026-12-31", "2026-04-30"] {
            assert!(is_date(good, DatePrecision::Day), "{good}");
        }
        for bad in [
            "2023-02-29",
            "1900-02-29",
            "2026-04-31",
            "2026-13-01",
            "2026-00-10",
            "2026-1-1",
            "2026-01-00",
            "2026-01",
            "26-01-01",
            "2026/01/01",
            "",
            "2026-01-011",
            "+026-01-01",
            "０２６-01-01",
        ] {
            assert!(!is_date(bad, DatePrecision::Day), "{bad}");
        }
        assert!(
            is_date("2024-07", DatePrecision::YearOrFiner) && is_date("2024", DatePrecision::YearOrFiner)
        );
        assert!(!is_date("2024-14", DatePrecision::YearOrFiner));
    }
}
