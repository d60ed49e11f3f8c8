//! A claims file as text: what was imported with what was assumed, and what was not as comments. Everything foreign is
//! escaped. Knows no format and decides nothing.

use std::fmt::Write;

use gapbench::record::Metric;
use toml_writer::{ToTomlValue, TomlStringBuilder};

use super::claim::{Found, Left, Spread, Stated, UnitOf};
use super::document::shown;

/// The publication of some of the claims, as it will be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Paper {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) url: String,
    pub(super) date: Option<String>,
    pub(super) version: Option<String>,
    /// Comments.
    pub(super) notes: Vec<String>,
}

/// A claim with its id, the index of its paper and the file it is from.
#[derive(Clone, Debug)]
pub(super) struct Claim {
    pub(super) id: String,
    pub(super) paper: usize,
    pub(super) file: String,
    pub(super) found: Found,
}

/// A number that was left out, with its file.
#[derive(Clone, Debug)]
pub(super) struct Rest {
    pub(super) file: String,
    pub(super) left: Left,
}

/// The whole file.
pub(super) fn write(papers: &[Paper], claims: &[Claim], rest: &[Rest]) -> String {
    let mut out = String::from(
        "# Written by `cargo gapbench import` for review: what a source does not say was not guessed. Add the conditions that\n\
         # you know, and the addresses.\n\nschema = 1\n",
    );
    for paper in papers {
        out.push('\n');
        for note in &paper.notes {
            comment(&mut out, note);
        }
        out.push_str(if papers.len() == 1 { "[paper]\n" } else { "[[paper]]\n" });
        pair(&mut out, "id", &paper.id);
        pair(&mut out, "title", &paper.title);
        pair(&mut out, "url", &paper.url);
        for (key, text) in [("version", &paper.version), ("date", &paper.date)] {
            if let Some(text) = text {
                pair(&mut out, key, text);
            }
        }
    }
    for claim in claims {
        out.push('\n');
        let paper = papers.get(claim.paper).filter(|_| papers.len() > 1);
        result(&mut out, claim, paper.map(|paper| paper.id.as_str()));
    }
    if !rest.is_empty() {
        out.push('\n');
        comment(&mut out, &format!("Not imported: {}", rest.len()));
        for Rest { file, left } in rest {
            comment(&mut out, &format!("{}:{}: {} {}", shown(file), left.at, left.what, left.why));
        }
    }
    out
}

/// A file with this claim alone.
pub(super) fn write_one(paper: &Paper, claim: &Claim) -> String {
    write(std::slice::from_ref(paper), &[Claim { paper: 0, ..claim.clone() }], &[])
}

fn result(out: &mut String, claim: &Claim, paper: Option<&str>) {
    let found = &claim.found;
    comment(out, &format!("{}:{}: {}", shown(&claim.file), found.at, found.shown()));
    for note in &found.notes {
        comment(out, &format!("note: {note}"));
    }
    out.push_str("[[result]]\n");
    pair(out, "id", &claim.id);
    if let Some(paper) = paper {
        pair(out, "paper", paper);
    }
    pair(out, "metric", found.metric.name());
    line(out, "value", &found.value);
    if let UnitOf::Said(unit) = &found.unit {
        pair(out, "unit", unit);
    }
    pair(out, "statistic", found.statistic.name());
    if let Some(n) = &found.n {
        line(out, "n", n);
    }
    let spread = match &found.spread {
        Some(Spread::Sd(value)) => Some(format!("{{ kind = \"sd\", value = {value} }}")),
        Some(Spread::Se(value)) => Some(format!("{{ kind = \"se\", value = {value} }}")),
        Some(Spread::Ci95(lo, hi)) => Some(format!("{{ kind = \"ci95\", lo = {lo}, hi = {hi} }}")),
        Some(Spread::P20P80(lo, hi)) => Some(format!("{{ kind = \"p20-p80\", lo = {lo}, hi = {hi} }}")),
        // Settled before anything is written.
        Some(Spread::PlusMinus(_)) | None => None,
    };
    if let Some(spread) = spread {
        line(out, "spread", &spread);
    }
    conditions(out, found);
    out.push_str("[result.source]\n");
    pair(out, "kind", found.kind);
    let texts = [("url", &found.url), ("locator", &found.locator)];
    for (key, text) in texts.into_iter().filter_map(|(key, text)| Some((key, text.as_deref()?))) {
        pair(out, key, text);
    }
    if let Some(verified) = found.verified {
        pair(out, "verified", verified);
    }
}

fn conditions(out: &mut String, found: &Found) {
    if found.conditions.is_empty() && found.software.is_empty() {
        return;
    }
    out.push_str("[result.conditions]\n");
    for (condition, stated) in &found.conditions {
        match stated {
            Stated::Text(text) => pair(out, condition.name(), text),
            Stated::Number(digits) => line(out, condition.name(), digits),
        }
    }
    if !found.software.is_empty() {
        let parts: Vec<String> = found
            .software
            .iter()
            // A string in quotes is a key, too.
            .map(|(name, version)| format!("{} = {}", text(name), text(version)))
            .collect();
        line(out, "software", &format!("{{ {} }}", parts.join(", ")));
    }
}

/// `text` as a TOML string on one line.
fn text(text: &str) -> String {
    TomlStringBuilder::new(text).as_basic().to_toml_value()
}

fn pair(out: &mut String, key: &str, value: &str) {
    line(out, key, &text(value));
}

fn line(out: &mut String, key: &str, value: &str) {
    let _ = writeln!(out, "{key} = {value}");
}

/// Comments hold no control characters: one would end them, or be refused.
fn comment(out: &mut String, words: &str) {
    let clean: String = words
        .chars()
        .map(
            |letter| {
                if letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}') { ' ' } else { letter }
            },
        )
        .collect();
    let _ = writeln!(out, "# {clean}");
}

/// Whether `unit` is one of `metric`'s.
pub(super) fn unit_fits(metric: Metric, unit: &str) -> bool {
    metric.family().names().contains(&unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_stays_text() {
        for hostile in
            ["a\"\n[[result]]\nid = \"b", "\u{0}\u{7f}\u{1b}[31m", "'''\"\"\"\\", "é\u{202e}x", "\r\n\t"]
        {
            let toml = format!("k = {}", text(hostile));
            assert_eq!(toml.lines().count(), 1, "{toml:?}");
            let table: toml::Table = toml.parse().unwrap();
            assert_eq!(table["k"].as_str(), Some(hostile));
        }
        let mut out = String::new();
        comment(&mut out, "a\nschema = 2\r\u{b}");
        assert_eq!(out, "# a schema = 2  \n");
    }
}
