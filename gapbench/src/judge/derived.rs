//! Numbers that follow from others: what answers cost, from the rate at which they came under load and a declared price.

use std::borrow::Cow;

use crate::declare::Price;
use crate::record::{Batch, CaseRow, Data, Metric, Series};

use super::cost::{Per, age_warning, sentence};
use super::load;
use super::{CostLine, Summary};

/// Hours of a second.
const HOURS_PER_SECOND: f64 = 1.0 / 3600.0;

/// What a fleet is paid for is taken to be used: nobody declared less.
const UTILISATION: f64 = 1.0;

/// The row with a series of costs for every rate under load; the row itself where nothing has a price.
pub(super) fn with_costs<'a>(row: &'a CaseRow, price: Option<&Price>) -> Cow<'a, CaseRow> {
    let Some(price) = price.filter(|_| !row.loads.is_empty()) else { return Cow::Borrowed(row) };
    let mut found = row.clone();
    found.series.extend(row.series.iter().filter_map(|series| cost(row, series, price)));
    Cow::Owned(found)
}

/// The cost of what a rate counts: dollars over what was done for them, stretch by stretch.
fn cost(row: &CaseRow, series: &Series, price: &Price) -> Option<Series> {
    let Data::Rates { batches } = &series.data else { return None };
    let (metric, per) = per(row, series)?;
    let usd_per_second = price.fleet_usd_per_hour() * HOURS_PER_SECOND / UTILISATION;
    let batches = batches.iter().map(|batch| Batch {
        work: batch.seconds * usd_per_second,
        // What a rate is taken over; here it is work.
        seconds: batch.work / per.work(),
    });
    Some(Series { metric, data: Data::Rates { batches: batches.collect() }, ..series.clone() })
}

/// The rates that have a cost: those inside the objectives where there are any.
fn per(row: &CaseRow, series: &Series) -> Option<(Metric, Per)> {
    let point = load::point(row, series)?;
    let objectives = row.loads.iter().any(|load| load.point == point && !load.objectives.is_empty());
    match series.metric {
        Metric::ThroughputGoodput => Some((Metric::CostPer1kRequests, Per::ThousandRequests)),
        Metric::ThroughputRequests if !objectives => Some((Metric::CostPer1kRequests, Per::ThousandRequests)),
        // Tokens of answers outside the objectives are among them, so this cost is the least that it can be.
        Metric::ThroughputTokens => Some((Metric::CostPer1mOutputTokens, Per::MillionOutputTokens)),
        _ => None,
    }
}

/// The cost at the load that stands for production, with its arithmetic.
pub(super) fn cost_lines(
    row: &CaseRow,
    measured: &[Summary],
    price: Option<&Price>,
    unix: u64,
) -> Vec<CostLine> {
    let Some(price) = price.filter(|_| !row.loads.is_empty()) else { return Vec::new() };
    let line = |text: String| CostLine { case: row.case.clone(), text };
    let production = match load::production(row, Metric::ThroughputRequests) {
        Ok(production) => production,
        Err(why) => return vec![line(format!("no cost: {why}"))],
    };
    let rates = [
        (Metric::ThroughputGoodput, Per::ThousandRequests),
        (Metric::ThroughputRequests, Per::ThousandRequests),
        (Metric::ThroughputTokens, Per::MillionOutputTokens),
    ];
    let rate_of = |metric: Metric| {
        let at = |summary: &&Summary| {
            summary.case == row.case && summary.metric == metric && summary.load == Some(production.point)
        };
        measured.iter().find(at).map(|summary| summary.estimate.interval)
    };
    let mut lines = Vec::new();
    for (metric, per) in rates {
        let objectives_count =
            metric == Metric::ThroughputRequests && rate_of(Metric::ThroughputGoodput).is_some();
        let Some(rate) = rate_of(metric).filter(|_| !objectives_count) else { continue };
        lines.push(line(match sentence(per, rate, price, UTILISATION) {
            Ok(text) => format!("{}: {text}", production.label),
            Err(why) => format!("{}: {why}", production.label),
        }));
    }
    lines.extend(age_warning(price, unix).map(line));
    lines
}
