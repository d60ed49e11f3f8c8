//! Our numbers against those of an earlier record.

use crate::record::{CaseRow, Condition, Data, Direction, Environment, Header, Outcome, Series, Statistic};
use crate::stats::{Bounds, newcombe_difference};
use crate::units::{Family, show_percent};

use super::comparability::same;
use super::estimate::Measured;
use super::numbers::{self, ALPHA};
use super::{Change, ChangeVerdict, Interval, contention, load, reason};

/// Changes of times, rates and memory below this are not called changes.
///
/// # Source
/// The observations of one process do not show what differs between processes. With 2 % between processes, 5 % is the
/// smallest threshold whose rate of false alarms stays at 2 % (simulated; 26 % at criterion's 1 %).
const THRESHOLD: f64 = 0.05;

/// Scores are deterministic where their inputs are, except for the order of additions: a relative difference below this
/// is rounding.
const ROUNDING: f64 = 1e-6;

/// An earlier run, and its row of the case at hand, if it has one.
#[derive(Clone, Copy)]
pub(super) struct Before<'a> {
    pub header: &'a Header,
    pub row: Option<&'a CaseRow>,
}

/// One verdict per series of a measured case.
pub(super) fn changes(row: &CaseRow, environment: &Environment, before: Before<'_>) -> Vec<ChangeVerdict> {
    let series = row.series.iter().filter(|_| row.outcome == Outcome::Measured);
    series.filter_map(|series| change(row, series, environment, before)).collect()
}

fn change(
    row: &CaseRow,
    series: &Series,
    environment: &Environment,
    before: Before<'_>,
) -> Option<ChangeVerdict> {
    let now = Measured::prepare(series, Statistic::Unspecified).ok()?;
    let mut verdict = ChangeVerdict {
        case: row.case.clone(),
        metric: series.metric,
        inputs: series.inputs,
        load: load::point(row, series),
        also: numbers::also(series),
        change: Change::New,
        reason: String::new(),
        ours: Some(now.estimate(ALPHA)),
        before: None,
        ratio: None,
        baseline: before.header.run_id.clone(),
    };
    let differences_of = |there: &Series| differences(environment, &before.header.environment, series, there);
    let (before_row, before_series) = match earlier(before.row, series) {
        Ok(found) => found,
        Err(why) => return Some(ChangeVerdict { reason: why, ..verdict }),
    };
    let then = match Measured::prepare(before_series, Statistic::Unspecified) {
        Ok(then) => then,
        Err(why) => return Some(ChangeVerdict { reason: format!("the earlier number: {why}"), ..verdict }),
    };
    verdict.before = Some(then.estimate(ALPHA));
    verdict.ratio = ratio(series, &now, &then, ALPHA);
    let differences = differences_of(before_series);
    (verdict.change, verdict.reason) = if differences.is_empty() {
        let pair = Pair { series, before: before_series, now: &now, then: &then, ratio: verdict.ratio };
        let disturbed = contention::disturbed(row, series.metric)
            .or_else(|| contention::disturbed(before_row, series.metric));
        undisturbed(pair.decide(), disturbed)
    } else {
        (Change::NotComparable, format!("another system: {}", differences.join("; ")))
    };
    Some(verdict)
}

/// The same number of the earlier record: same case, metric and inputs, and no condition that contradicts.
fn earlier<'a>(before: Option<&'a CaseRow>, series: &Series) -> Result<(&'a CaseRow, &'a Series), String> {
    let Some(before) = before else {
        return Err("the earlier record has no such case".to_owned());
    };
    match &before.outcome {
        Outcome::Failed(failure) => {
            return Err(format!("the case failed in the earlier run: {}", failure.reason));
        }
        Outcome::Skipped { reason, .. } => {
            return Err(format!("the case was skipped in the earlier run: {reason}"));
        }
        Outcome::Measured => {}
    }
    before
        .series
        .iter()
        .find(|other| {
            other.metric == series.metric
                && other.inputs == series.inputs
                && contradictions(series, other) == 0
                && series.conditions.get(Condition::Noise).is_some()
                    == other.conditions.get(Condition::Noise).is_some()
        })
        .map(|found| (before, found))
        .ok_or_else(|| "the earlier record has no such number under these conditions".to_owned())
}

/// How many conditions of the experiment differ; those of the machine are named, not searched for.
fn contradictions(series: &Series, other: &Series) -> usize {
    let known = &series.conditions.known;
    let experiment = known.iter().filter(|(condition, _)| !condition.describes_machine());
    experiment
        .filter(|(condition, value)| {
            other.conditions.get(**condition).is_some_and(|there| !same(value, there))
        })
        .count()
}

/// What makes times of the two records incomparable; nothing does for numbers that do not depend on the machine.
fn differences(here: &Environment, there: &Environment, series: &Series, before: &Series) -> Vec<String> {
    if !series.metric.depends_on_machine() {
        return Vec::new();
    }
    let mut found = here.differences(there);
    for condition in [Condition::Hardware, Condition::Count] {
        if let (Some(here), Some(there)) =
            (series.conditions.get(condition), before.conditions.get(condition))
            && !same(here, there)
        {
            found.push(format!("{condition} ({there} there, {here} here)"));
        }
    }
    found
}

/// The goodness ratio, now over then. Two intervals at half the error level each cover together (Bonferroni).
fn ratio(series: &Series, now: &Measured, then: &Measured, alpha: f64) -> Option<Interval> {
    let (better, worse) = match series.metric.direction() {
        Direction::Higher => (now, then),
        Direction::Lower => (then, now),
    };
    let over = |number: f64, divisor: f64| (divisor > 0.0).then(|| number / divisor);
    let (top, bottom): (Bounds, Bounds) = (better.bounds(alpha / 2.0), worse.bounds(alpha / 2.0));
    Some(Interval {
        value: over(better.value, worse.value)?,
        lower: top.lower.zip(bottom.upper).and_then(|(top, bottom)| over(top, bottom)),
        upper: top.upper.zip(bottom.lower).and_then(|(top, bottom)| over(top, bottom)),
    })
}

/// Two numbers that may be compared.
struct Pair<'a> {
    series: &'a Series,
    before: &'a Series,
    now: &'a Measured,
    then: &'a Measured,
    ratio: Option<Interval>,
}

impl Pair<'_> {
    fn decide(&self) -> (Change, String) {
        let numbers = format!(
            "{}, before {}",
            reason::number(&self.now.estimate(ALPHA), self.series.metric),
            reason::number(&self.then.estimate(ALPHA), self.series.metric)
        );
        let (change, finding) = match (&self.series.data, &self.before.data) {
            (Data::Counts { successes, trials }, Data::Counts { successes: before, trials: of }) => {
                self.shares((*successes, *trials), (*before, *of))
            }
            _ => match self.series.metric.family() {
                Family::Fraction | Family::Number => self.scores(),
                Family::Time
                | Family::Rate
                | Family::Flops
                | Family::ByteRate
                | Family::Bytes
                | Family::Usd => self.sizes(),
            },
        };
        (change, format!("{numbers}: {finding}"))
    }

    /// Shares of successes: any difference beyond the noise counts.
    fn shares(&self, now: (u64, u64), then: (u64, u64)) -> (Change, String) {
        let Some(Bounds { lower: Some(lower), upper: Some(upper) }) = newcombe_difference(now, then, ALPHA)
        else {
            return (Change::Ambiguous, "the difference has no interval".to_owned());
        };
        let ends = format!(
            "{:+.1} points ({:+.1}..{:+.1})",
            (self.now.value - self.then.value) * 100.0,
            lower * 100.0,
            upper * 100.0
        );
        let (more, less) = match self.series.metric.direction() {
            Direction::Higher => (Change::Faster, Change::Slower),
            Direction::Lower => (Change::Slower, Change::Faster),
        };
        if lower > 0.0 {
            (more, format!("{ends}, beyond the noise"))
        } else if upper < 0.0 {
            (less, format!("{ends}, beyond the noise"))
        } else {
            (Change::Same, format!("{ends}, inside the noise"))
        }
    }

    /// Scores without a threshold: any ratio whose interval leaves out 1 counts.
    fn scores(&self) -> (Change, String) {
        let Some(ratio) = self.ratio else {
            let same = self.now.value == self.then.value;
            let change = if same { Change::Same } else { Change::Ambiguous };
            return (change, "a ratio has no meaning".to_owned());
        };
        if ratio.lower.is_some_and(|lower| lower > 1.0 + ROUNDING) {
            (Change::Faster, format!("{}, beyond the noise", change_words(&ratio)))
        } else if ratio.upper.is_some_and(|upper| upper < 1.0 - ROUNDING) {
            (Change::Slower, format!("{}, beyond the noise", change_words(&ratio)))
        } else if ratio.lower.is_none() || ratio.upper.is_none() {
            (Change::Ambiguous, self.open_end())
        } else {
            (Change::Same, format!("{}, inside the noise", change_words(&ratio)))
        }
    }

    /// Times, rates and memory: a change must exceed the threshold.
    fn sizes(&self) -> (Change, String) {
        let Some(ratio) = self.ratio else {
            return (Change::Ambiguous, "a ratio has no meaning".to_owned());
        };
        let threshold = format!("the threshold of {:.0} %", THRESHOLD * 100.0);
        let words = change_words(&ratio);
        let (low, high) = (1.0 - THRESHOLD, 1.0 + THRESHOLD);
        if ratio.lower.is_some_and(|lower| lower > high) {
            (Change::Faster, format!("{words}, wholly beyond {threshold}"))
        } else if ratio.upper.is_some_and(|upper| upper < low) {
            (Change::Slower, format!("{words}, wholly beyond {threshold}"))
        } else if ratio.lower.is_some_and(|lower| lower >= low)
            && ratio.upper.is_some_and(|upper| upper <= high)
        {
            (Change::Same, format!("{words}, inside {threshold}"))
        } else {
            (Change::Ambiguous, format!("{words} straddles {threshold}; {}", self.what_would_decide(&ratio)))
        }
    }

    fn open_end(&self) -> String {
        let open = self.now.open_end(ALPHA / 2.0).map(|why| format!("now: {why}"));
        open.or_else(|| self.then.open_end(ALPHA / 2.0).map(|why| format!("before: {why}")))
            .unwrap_or_else(|| "an end of the ratio is open".to_owned())
    }

    fn what_would_decide(&self, ratio: &Interval) -> String {
        let (Some(lower), Some(upper)) = (ratio.lower, ratio.upper) else { return self.open_end() };
        let to_line = |line: f64| (ratio.value - line).abs();
        let distance = to_line(1.0 - THRESHOLD).min(to_line(1.0 + THRESHOLD));
        let half = (ratio.value - lower).max(upper - ratio.value);
        let n = self.now.n.max(self.then.n);
        let needed = (n as f64 * (half / distance).powi(2)).max(n as f64 + 1.0);
        if needed.is_finite() && needed <= 1e7 {
            format!("about {} {} a side would decide", reason::rounded_up(needed), self.now.noun())
        } else {
            "undecidable, since the ratio lies on the threshold".to_owned()
        }
    }
}

/// `97.0 % as good as before (95.1..99.0 %)`.
fn change_words(ratio: &Interval) -> String {
    format!("{} as good as before ({})", show_percent(ratio.value), reason::percent_ends(ratio))
}

fn undisturbed((change, reason): (Change, String), disturbed: Option<f64>) -> (Change, String) {
    match disturbed {
        Some(ratio) if change != Change::Same => {
            (Change::Ambiguous, format!("{}: {reason}", contention::words(ratio)))
        }
        _ => (change, reason),
    }
}
