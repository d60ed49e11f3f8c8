//! What becomes of the numbers: shares get their unit, `±` its meaning, equal numbers are kept once, contradicting ones
//! not at all, and nothing is written that a claims file would refuse. Knows no format.

use std::collections::{BTreeMap, BTreeSet};

use gapbench::declare;

use super::claim::{Found, Import, Left, Publication, Share, Spread};
use super::claims_file::{self, Claim, Paper, Rest};
use super::document::quoted;
use super::share;

/// What the user decided.
#[derive(Clone, Debug, Default)]
pub(super) struct Wish {
    pub(super) id: Option<String>,
    pub(super) title: Option<String>,
    pub(super) url: Option<String>,
    pub(super) shares: Option<Share>,
    pub(super) plus_minus: Option<PlusMinus>,
    /// Only claims whose id holds this.
    pub(super) only: Option<String>,
}

/// What stands behind `±`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PlusMinus {
    Sd,
    Se,
}

/// What will be written.
#[derive(Clone, Debug, Default)]
pub(super) struct Reviewed {
    pub(super) papers: Vec<Paper>,
    pub(super) claims: Vec<Claim>,
    pub(super) rest: Vec<Rest>,
    ids: BTreeSet<String>,
}

impl Reviewed {
    /// Takes in what the file `name` says.
    pub(super) fn add(&mut self, name: &str, import: Import, wish: &Wish) {
        let paper = self.paper(name, &import, wish);
        let mut left = import.left;
        let found = share::settle(import.found, &mut left, wish.shares);
        let found = once(found, &mut left);
        for mut one in found {
            plus_minus(&mut one, wish.plus_minus);
            address(&mut one);
            let claim = Claim { id: self.id(&one), paper, file: name.to_owned(), found: one };
            if wish.only.as_ref().is_some_and(|only| !claim.id.contains(only.as_str())) {
                continue;
            }
            match self.papers.get(paper).map(|paper| sound(paper, claim)) {
                Some(Ok(claim)) => {
                    self.ids.insert(claim.id.clone());
                    self.claims.push(claim);
                }
                Some(Err(refused)) => left.push(refused),
                None => {}
            }
        }
        left.sort_by_key(|left| left.at);
        self.rest.extend(left.into_iter().map(|left| Rest { file: name.to_owned(), left }));
    }

    /// Drops papers of which nothing is left: a claims file warns of them.
    pub(super) fn finish(&mut self) {
        let mut places = Vec::new();
        let mut kept = Vec::new();
        for (index, paper) in std::mem::take(&mut self.papers).into_iter().enumerate() {
            let used = self.claims.iter().any(|claim| claim.paper == index);
            places.push(kept.len());
            if used {
                kept.push(paper);
            }
        }
        self.papers = kept;
        for claim in &mut self.claims {
            claim.paper = places.get(claim.paper).copied().unwrap_or_default();
        }
    }

    /// The index of the paper of the file `name`.
    fn paper(&mut self, name: &str, import: &Import, wish: &Wish) -> usize {
        let Publication { title, url, date, version } = &import.paper;
        let title = wish.title.as_deref().unwrap_or(title).trim();
        let title = if title.is_empty() { "untitled" } else { title };
        let id = wish.id.clone().unwrap_or_else(|| slug(title, "paper"));
        let mut notes = import.notes.clone();
        let address = wish.url.clone().or_else(|| url.clone().filter(|url| is_address(url)));
        let url = address.unwrap_or_else(|| {
            notes.push("`url` is the imported file: write where it was published".to_owned());
            as_path(name)
        });
        let known = self
            .papers
            .iter()
            .position(|paper| paper.id == id && (wish.id.is_some() || paper.title == title));
        let index = known.unwrap_or(self.papers.len());
        if known.is_none() {
            let taken: BTreeSet<&str> = self.papers.iter().map(|paper| paper.id.as_str()).collect();
            let id = unique(id, |id| taken.contains(id));
            self.papers.push(Paper {
                id,
                title: title.to_owned(),
                url,
                date: None,
                version: version.clone(),
                notes: Vec::new(),
            });
        }
        let Some(paper) = self.papers.get_mut(index) else { return index };
        if let Some(written) = date {
            match day(written) {
                Some(day) if known.is_none() => paper.date = Some(day),
                Some(day) if paper.date.as_ref() != Some(&day) => {
                    notes.push(format!(
                        "several files have several dates; {} is not the paper's",
                        quoted(&day)
                    ));
                }
                Some(_) => {}
                None => notes.push(format!(
                    "the date {} is left out; expected an existing day as 2025-01-31",
                    quoted(written)
                )),
            }
        }
        for note in notes {
            if !paper.notes.contains(&note) {
                paper.notes.push(note);
            }
        }
        index
    }

    fn id(&self, found: &Found) -> String {
        unique(slug(&found.name.join("-"), "result"), |id| self.ids.contains(id))
    }
}

/// Equal numbers of one name and one set of conditions are one; different ones contradict each other and are none.
fn once(found: Vec<Found>, left: &mut Vec<Left>) -> Vec<Found> {
    let key = |one: &Found| {
        let name = one.name.join(" ").to_lowercase();
        (
            one.metric,
            one.statistic.name(),
            name,
            one.apart.clone(),
            one.conditions.clone(),
            one.software.clone(),
        )
    };
    let mut values: BTreeMap<_, Vec<(String, super::document::Place)>> = BTreeMap::new();
    for one in &found {
        values.entry(key(one)).or_default().push((one.value.clone(), one.at));
    }
    let mut kept = Vec::with_capacity(found.len());
    for mut one in found {
        let same = values.get(&key(&one)).map(Vec::as_slice).unwrap_or_default();
        let Some((first, at)) = same.first() else { continue };
        if same.iter().any(|(value, _)| value != first) {
            let all: Vec<&str> = same.iter().map(|(value, _)| value.as_str()).collect();
            left.push(one.left(format!(
                "contradicts itself: the same number under the same conditions is {}; say what tells them apart",
                all.join(" and ")
            )));
        } else if *at == one.at {
            if same.len() > 1 {
                one.notes.push(format!("stands {} times with the same value", same.len()));
            }
            kept.push(one);
        }
    }
    kept
}

fn plus_minus(one: &mut Found, asked: Option<PlusMinus>) {
    if let Some(Spread::PlusMinus(width)) = &one.spread {
        let width = width.clone();
        one.spread = match asked {
            Some(meaning) => {
                one.notes.push(format!("± {width} is the spread, as asked for with --plus-minus"));
                Some(match meaning {
                    PlusMinus::Sd => Spread::Sd(width),
                    PlusMinus::Se => Spread::Se(width),
                })
            }
            None => {
                one.notes.push(format!(
                    "no spread: of ± {width} the source does not say whether it is a standard deviation or a standard error; \
                     `--plus-minus sd` or `--plus-minus se` decides"
                ));
                None
            }
        };
    }
}

/// Drops an address that a report could not link to.
fn address(one: &mut Found) {
    if let Some(url) = one.url.take_if(|url| !is_address(url)) {
        one.notes.push(format!(
            "the address {} is left out; expected one that begins with https://",
            quoted(&url)
        ));
    }
}

/// Whether a report can link to `url`, as the claims format defines it.
pub(super) fn is_address(url: &str) -> bool {
    let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    host.is_some_and(|host| !host.is_empty() && !host.starts_with('/'))
        && !url.contains(|letter: char| letter.is_whitespace() || letter.is_control())
}

/// Whether `id` can be a paper's, as the claims format defines it.
pub(super) fn is_id(id: &str) -> bool {
    id.len() <= 100
        && id.starts_with(|letter: char| letter.is_ascii_alphanumeric())
        && id.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.'))
}

/// The file's name as a path that a claims file may hold.
fn as_path(name: &str) -> String {
    let name = if name.starts_with("./") || name.starts_with("../") {
        name.to_owned()
    } else if name.starts_with('/') {
        format!("./{}", name.rsplit('/').next().unwrap_or("file"))
    } else {
        format!("./{name}")
    };
    let mut path = String::new();
    for letter in name.chars() {
        if letter.is_whitespace() || letter.is_control() {
            let mut bytes = [0; 4];
            path.extend(letter.encode_utf8(&mut bytes).bytes().map(|byte| format!("%{byte:02X}")));
        } else {
            path.push(letter);
        }
    }
    path
}

/// The claim, where a claims file with it can be read; without its spread and n where only these cannot.
fn sound(paper: &Paper, mut claim: Claim) -> Result<Claim, Left> {
    let refused = |claim: &Claim| {
        let text = claims_file::write_one(paper, claim);
        declare::parse("import", text.as_bytes())
            .err()
            .map(|errors| errors.0.iter().map(|error| error.message.as_str()).collect::<Vec<_>>().join("; "))
    };
    if let super::claim::UnitOf::Said(unit) = &claim.found.unit
        && !claims_file::unit_fits(claim.found.metric, unit)
    {
        return Err(claim.found.left(format!(
            "is in {}, which is no unit of {}",
            quoted(unit),
            claim.found.metric
        )));
    }
    let Some(message) = refused(&claim) else { return Ok(claim) };
    let beside = (claim.found.spread.take(), claim.found.n.take());
    if beside != (None, None) && refused(&claim).is_none() {
        claim.found.notes.push(format!("what stands beside the number is left out: {message}"));
        return Ok(claim);
    }
    Err(claim.found.left(format!("is no claim: {message}")))
}

/// A name of letters, digits, `-`, `_` and `.`.
fn slug(text: &str, otherwise: &str) -> String {
    /// Leaves room for a number behind it within a claims file's 100.
    const LONGEST: usize = 80;
    let mut slug = String::new();
    for letter in text.chars() {
        if letter.is_ascii_alphanumeric() || matches!(letter, '_' | '.') {
            slug.push(letter);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
        if slug.len() == LONGEST {
            break;
        }
    }
    let slug = slug.trim_start_matches(['_', '.', '-']).trim_end_matches('-');
    if slug.is_empty() { otherwise.to_owned() } else { slug.to_owned() }
}

fn unique(id: String, taken: impl Fn(&str) -> bool) -> String {
    let mut found = id.clone();
    let mut number = 2_usize;
    while taken(&found) {
        found = format!("{id}-{number}");
        number += 1;
    }
    found
}

/// The day, month or year of an ISO date, where it exists.
fn day(written: &str) -> Option<String> {
    let written = written.trim();
    let date = written.split(['T', ' ']).next().unwrap_or(written);
    let probe = format!(
        "schema = 1\n[paper]\nid = \"a\"\ntitle = \"a\"\nurl = \"./a\"\ndate = \"{date}\"\n[[result]]\nid = \"a\"\n\
         metric = \"latency.e2e\"\nvalue = 1\nunit = \"s\"\nstatistic = \"mean\"\n[result.source]\nkind = \"self\"\n"
    );
    let plain = date.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    (plain && declare::parse("date", probe.as_bytes()).is_ok()).then(|| date.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        for (written, date) in
            [("2025-01-31T10:00:00Z", "2025-01-31"), ("2025-01-31 10:00", "2025-01-31"), ("2024", "2024")]
        {
            assert_eq!(day(written).as_deref(), Some(date));
        }
        for bad in ["31/01/2025", "01-31-2025", "2025-02-30", "yesterday", "2025-01-31\"", ""] {
            assert_eq!(day(bad), None, "{bad}");
        }
    }

    #[test]
    fn names() {
        assert_eq!(slug("glue/mrpc-Test WER (+LM)", "x"), "glue-mrpc-Test-WER-LM");
        assert_eq!(slug("..//ü", "x"), "x");
        assert_eq!(slug(&"a".repeat(200), "x").len(), 80);
        assert_eq!(as_path("a b/README.md"), "./a%20b/README.md");
        assert_eq!(as_path("/home/me/README.md"), "./README.md");
        assert!(
            is_address("https://example.com/a") && !is_address("javascript:x") && !is_address("https://a b")
        );
    }
}
