//! Which series were measured under which load, and which load stands for production.

use crate::declare::PaperClaim;
use crate::record::{Arrival, CaseRow, Condition, ConditionValue, LoadPoint, LoadRow, Metric, Series};

use super::comparability::same;

/// The conditions that a load sets.
pub(super) const CONDITIONS: [Condition; 3] = [Condition::Load, Condition::Concurrency, Condition::Rate];

/// Whether requests came beside others, or on a schedule.
pub(super) fn is_loaded(series: &Series) -> bool {
    let alone = ConditionValue::from("single-stream");
    series.conditions.get(Condition::Load).is_some_and(|load| !same(load, &alone))
}

/// Whether a claim is about requests that come beside others, or on a schedule.
pub(super) fn is_asked(claim: &PaperClaim) -> bool {
    CONDITIONS.iter().any(|condition| {
        let alone = match condition {
            Condition::Load => ConditionValue::from("single-stream"),
            _ => ConditionValue::Number(1.0),
        };
        let stated = claim.conditions.get(*condition);
        stated.is_some_and(|stated| *condition == Condition::Rate || !same(stated, &alone))
    })
}

/// The load of `row` that a series was measured under.
pub(super) fn point(row: &CaseRow, series: &Series) -> Option<LoadPoint> {
    let points = row.loads.iter().map(|load| load.point);
    is_loaded(series).then(|| points.into_iter().find(|point| is_under(series, point)))?
}

/// Whether a series was measured under this load.
pub(super) fn is_under(series: &Series, point: &LoadPoint) -> bool {
    let wanted = point.conditions(crate::record::Conditions::default());
    CONDITIONS.iter().all(|condition| match (wanted.get(*condition), series.conditions.get(*condition)) {
        (Some(wanted), Some(here)) => same(wanted, here),
        (None, None) => true,
        _ => false,
    })
}

/// The load at which a service would be run, and what the step of the ladder is called.
pub(super) struct Production {
    pub point: LoadPoint,
    pub label: String,
}

/// The load that stands for production: of those that met the objectives and with which the service kept up, the one of
/// most clients, else of the largest rate, else the offline one; for a throughput the largest rate that a search found
/// comes first. Where none did, the smallest load, so that its label can say so.
pub(super) fn production(row: &CaseRow, metric: Metric) -> Result<Production, String> {
    let found = row.search.as_ref().and_then(|search| search.last_passing);
    let is_found = |load: &LoadRow| load.searching && load.point.rate == found;
    let valid: Vec<&LoadRow> = row
        .loads
        .iter()
        .filter(|load| load.invalid.is_none() && (!load.searching || is_found(load)))
        .collect();
    let throughput = metric.name().starts_with("throughput.");
    let rank = |load: &LoadRow| match load.point.arrival {
        _ if load.searching && throughput => 4,
        Arrival::Closed => 3,
        Arrival::Constant | Arrival::Poisson | Arrival::Gamma | Arrival::Trace if !load.searching => 2,
        Arrival::Offline => 1,
        _ => 0,
    };
    let size = |load: &LoadRow| load.point.clients.map_or(load.point.rate.unwrap_or(0.0), f64::from);
    let passes = |load: &&&LoadRow| load.meets_objectives() != Some(false) && !load.falls_behind();
    let best = valid
        .iter()
        .filter(passes)
        .max_by(|a, b| rank(a).cmp(&rank(b)).then_with(|| size(a).total_cmp(&size(b))));
    if let Some(load) = best {
        return Ok(Production { point: load.point, label: label(&load.point) });
    }
    let smallest =
        valid.iter().min_by(|a, b| rank(b).cmp(&rank(a)).then_with(|| size(a).total_cmp(&size(b))));
    match (smallest, row.loads.first()) {
        (Some(load), _) => {
            let why =
                if load.meets_objectives() == Some(false) { "objectives missed" } else { "falling behind" };
            Ok(Production { point: load.point, label: format!("{}, {why}", label(&load.point)) })
        }
        (None, Some(LoadRow { invalid: Some(reason), point, .. })) => {
            Err(format!("no load was valid; {point}: {reason}"))
        }
        _ => Err("no load was sent".to_owned()),
    }
}

fn label(point: &LoadPoint) -> String {
    match point.arrival {
        Arrival::Offline => point.to_string(),
        _ => format!("at {point}"),
    }
}
