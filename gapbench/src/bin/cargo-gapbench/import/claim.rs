//! What a format's reader hands over: numbers that could be claims, and those that could not, each with its place. Knows
//! neither the formats nor how a claims file is written.

use std::collections::BTreeMap;

use gapbench::record::{Condition, Metric, Statistic};

use super::document::{Place, quoted};
use super::number;

/// Everything one file says.
#[derive(Clone, Debug, Default)]
pub(super) struct Import {
    pub(super) paper: Publication,
    pub(super) found: Vec<Found>,
    pub(super) left: Vec<Left>,
    /// What was assumed of the file as a whole.
    pub(super) notes: Vec<String>,
}

/// What the file says of where its numbers were published.
#[derive(Clone, Debug, Default)]
pub(super) struct Publication {
    pub(super) title: String,
    pub(super) url: Option<String>,
    /// As the source writes it.
    pub(super) date: Option<String>,
    pub(super) version: Option<String>,
}

/// How a share is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Share {
    Percent,
    Fraction,
}

/// The unit of a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum UnitOf {
    /// The source or its format says it.
    Said(String),
    /// A share of which nobody says whether it is a percentage.
    Unsaid,
}

/// A condition as it will be written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stated {
    Text(String),
    /// Decimal digits.
    Number(String),
}

/// What a source prints beside its number, digits as printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Spread {
    Sd(String),
    Se(String),
    Ci95(String, String),
    P20P80(String, String),
    /// `±` without a word that says what it is.
    PlusMinus(String),
}

/// A number that could become a claim.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) at: Place,
    /// Its name in the source; with the metric and the conditions it says which number this is.
    pub(super) name: Vec<String>,
    /// What else tells it apart, where that is no condition: the rest of a configuration.
    pub(super) apart: String,
    pub(super) metric: Metric,
    pub(super) statistic: Statistic,
    /// Digits that TOML can hold, otherwise as printed.
    pub(super) value: String,
    pub(super) unit: UnitOf,
    pub(super) spread: Option<Spread>,
    pub(super) n: Option<String>,
    pub(super) conditions: BTreeMap<Condition, Stated>,
    pub(super) software: BTreeMap<String, String>,
    /// The kind of the source: `model-card`, `run-log`.
    pub(super) kind: &'static str,
    pub(super) url: Option<String>,
    pub(super) locator: Option<String>,
    pub(super) verified: Option<&'static str>,
    /// What was assumed.
    pub(super) notes: Vec<String>,
}

/// A number that is no claim, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Left {
    pub(super) at: Place,
    pub(super) what: String,
    pub(super) why: String,
}

impl Left {
    pub(super) fn new(at: Place, what: impl Into<String>, why: impl Into<String>) -> Left {
        Left { at, what: what.into(), why: why.into() }
    }
}

impl Found {
    /// The number written as `text` at `at`, of the metric's canonical unit unless another is said. Its name is `name`.
    ///
    /// # Errors
    /// Where `text` is no number: what and why.
    pub(super) fn read(
        at: Place,
        name: &[&str],
        metric: Metric,
        statistic: Statistic,
        text: &str,
    ) -> Result<Found, Left> {
        let number = number::read(text)
            .map_err(|why| Left::new(at, format!("{} = {}", quoted(&name.join(" ")), quoted(text)), why))?;
        let unit = if number.percent {
            UnitOf::Said("%".to_owned())
        } else if metric.family() == gapbench::units::Family::Fraction {
            UnitOf::Unsaid
        } else {
            UnitOf::Said(metric.family().canonical().to_owned())
        };
        Ok(Found {
            at,
            name: name.iter().map(|part| (*part).to_owned()).collect(),
            apart: String::new(),
            metric,
            statistic,
            value: number.value,
            unit,
            spread: number.plus_minus.map(Spread::PlusMinus),
            n: None,
            conditions: BTreeMap::new(),
            software: BTreeMap::new(),
            kind: "run-log",
            url: None,
            locator: None,
            verified: None,
            notes: number.note.into_iter().collect(),
        })
    }

    /// States a condition, where there is something to state.
    pub(super) fn text(&mut self, condition: Condition, text: Option<&str>) {
        if let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) {
            self.conditions.insert(condition, Stated::Text(text.to_owned()));
        }
    }

    /// States a condition that is a number, where `text` is one.
    pub(super) fn number(&mut self, condition: Condition, text: Option<&str>) {
        if let Some(Ok(number)) = text.map(number::read)
            && !number.percent
            && number.plus_minus.is_none()
        {
            self.conditions.insert(condition, Stated::Number(number.value));
        }
    }

    /// Its name in messages, with the digits.
    pub(super) fn shown(&self) -> String {
        format!("{} = {}", quoted(&self.name.join(" ")), self.value)
    }

    /// The same number as something that was not imported.
    pub(super) fn left(&self, why: impl Into<String>) -> Left {
        Left::new(self.at, self.shown(), why)
    }
}
