//! From what a load run saw to the rows and series of a record.

use crate::measure::load::{Ending, Load, LoadOutcome, Row, Scheduling, Times, Validity};
use crate::record::{
    Batch, CheckRow, Data, FailureClass, InputSet, LoadCounts, LoadPoint, LoadRow, Metric, ObjectiveRow,
    SteadyRow, TimeOf, TimesRow,
};
use crate::stats;

/// Error level of an upper bound of a quantile at 95 %.
const ONE_SIDED: f64 = 0.05;

/// Stretches that a rate is observed in, so that its interval allows for what lasts longer than a request.
const STRETCHES: usize = 20;

/// The row of the record.
pub(super) fn row(
    point: LoadPoint,
    inputs: InputSet,
    searching: bool,
    others_share: Option<f64>,
    load: &Load,
    outcome: &LoadOutcome,
) -> LoadRow {
    let counts = &outcome.counts;
    let stream = outcome.stream.as_ref();
    let all_times = [
        (TimeOf::Latency, Some(&outcome.latency)),
        (TimeOf::Queue, Some(&outcome.queue)),
        (TimeOf::Service, Some(&outcome.service)),
        (TimeOf::SendLag, Some(&outcome.send_lag)),
        (TimeOf::Ttft, stream.map(|stream| &stream.ttft)),
        (TimeOf::Itl, stream.map(|stream| &stream.itl)),
        (TimeOf::TpotExclFirst, stream.map(|stream| &stream.tpot_excl_first)),
        (TimeOf::TpotInclFirst, stream.map(|stream| &stream.tpot_incl_first)),
    ];
    let looks = &outcome.depth.looks;
    LoadRow {
        point,
        inputs,
        searching,
        invalid: match &outcome.validity {
            Validity::Valid if counts.completed == 0 => Some("no request was answered".to_owned()),
            Validity::Valid => None,
            Validity::Invalid(reason) => Some(reason.clone()),
        },
        counts: LoadCounts {
            issued: outcome.issued,
            warm_up: counts.warm_up,
            completed: counts.completed,
            failed: counts.failed,
            refused: counts.refused,
            timed_out: counts.timed_out,
            classes: outcome
                .failures
                .iter()
                .map(|(class, count)| FailureClass { class: class.to_string(), count: *count })
                .collect(),
        },
        offered_per_second: outcome.offered_per_second,
        achieved_share: outcome.achieved_share,
        window_seconds: outcome.window_seconds,
        throughput_per_second: outcome.throughput_per_second,
        goodput_per_second: outcome.goodput_per_second,
        tokens_per_second: outcome.tokens_per_second,
        objectives: outcome
            .objectives
            .iter()
            .map(|found| ObjectiveRow {
                objective: found.objective,
                inside: found.inside,
                all: found.all,
                met: found.met,
                enough: found.enough,
            })
            .collect(),
        times: all_times.into_iter().filter_map(|(of, times)| times_row(of, times?)).collect(),
        growth: outcome.offered_per_second.and_then(|_| growth(&outcome.rows)),
        in_system_mean: (!looks.is_empty())
            .then(|| looks.iter().map(|look| look.1 as f64).sum::<f64>() / looks.len() as f64),
        in_system_most: outcome.depth.most(),
        steady: outcome.steady.map(|steady| SteadyRow {
            seconds: (steady.to_ns - steady.from_ns) as f64 * 1e-9,
            per_second: steady.per_second,
        }),
        host_growth_bytes: None,
        workers: outcome.workers as u64,
        utilisation: outcome.utilisation,
        replaced_workers: outcome.replaced_workers,
        pairs: None,
        batches: (outcome.batches > 0).then_some(outcome.batches),
        checks: outcome
            .checks
            .iter()
            .map(|check| CheckRow {
                name: check.name.to_owned(),
                left: check.left,
                right: check.right,
                holds: check.holds,
            })
            .collect(),
        scheduling: match &outcome.scheduling {
            Scheduling::Ordinary if load.realtime => "ordinary".to_owned(),
            Scheduling::Ordinary => "ordinary, nothing else asked for".to_owned(),
            Scheduling::Realtime => "real-time".to_owned(),
            Scheduling::Refused(why) => format!("ordinary, real-time refused: {why}"),
        },
        others_share,
    }
}

fn times_row(of: TimeOf, times: &Times) -> Option<TimesRow> {
    let seconds = |ns: u64| ns as f64 * 1e-9;
    let n = times.count();
    let quantile = |p: f64| {
        let carried = stats::smallest_n_one_sided(p, ONE_SIDED).is_some_and(|needed| n >= needed);
        times.quantile_ns(p).filter(|_| carried).map(seconds)
    };
    Some(TimesRow {
        of,
        n,
        mean: times.mean_ns()? * 1e-9,
        p50: quantile(0.5),
        p95: quantile(0.95),
        p99: quantile(0.99),
        p99_9: quantile(0.999),
        max: seconds(times.max_ns()?),
    })
}

/// The least-squares slope of latency over due time.
fn growth(rows: &[Row]) -> Option<f64> {
    let answered = || rows.iter().filter(|row| row.ending == Ending::Completed);
    let n = answered().count() as f64;
    let point = |row: &Row| (row.due_ns as f64 * 1e-9, row.end_ns.saturating_sub(row.due_ns) as f64 * 1e-9);
    let (x, y) = answered().map(point).fold((0.0, 0.0), |sum, point| (sum.0 + point.0, sum.1 + point.1));
    let (x, y) = (x / n, y / n);
    let (xy, xx) = answered()
        .map(point)
        .fold((0.0, 0.0), |sum, (at, takes)| (sum.0 + (at - x) * (takes - y), sum.1 + (at - x) * (at - x)));
    (n >= 2.0 && xx > 0.0).then(|| xy / xx)
}

/// The observations that claims can be held against; none where single requests were not kept.
pub(super) fn data(load: &Load, outcome: &LoadOutcome) -> Vec<(Metric, Data)> {
    let answered: Vec<&Row> = outcome.rows.iter().filter(|row| row.ending == Ending::Completed).collect();
    if answered.is_empty() {
        return Vec::new();
    }
    let values = |times: Vec<f64>| Data::Values { values: times, calls_per_value: 1 };
    let seconds = |from_ns: u64, to_ns: u64| to_ns.saturating_sub(from_ns) as f64 * 1e-9;
    let latency = answered.iter().map(|row| seconds(row.due_ns, row.end_ns)).collect();
    let mut found = vec![(Metric::LatencyE2e, values(latency))];
    let ttft: Vec<f64> = answered.iter().filter_map(|row| Some(seconds(row.due_ns, row.first_ns?))).collect();
    let tpot: Vec<f64> = answered
        .iter()
        .filter(|row| row.tokens > 1)
        .filter_map(|row| Some(seconds(row.first_ns?, row.end_ns) / f64::from(row.tokens - 1)))
        .collect();
    for (metric, times) in [(Metric::LatencyTtft, ttft), (Metric::LatencyTpot, tpot)] {
        if !times.is_empty() {
            found.push((metric, values(times)));
        }
    }
    let mut rate = |metric, work: &dyn Fn(&Row) -> f64| {
        let batches = stretches(outcome, &answered, work);
        if !batches.is_empty() {
            found.push((metric, Data::Rates { batches }));
        }
    };
    rate(Metric::ThroughputRequests, &|_| 1.0);
    if !load.objectives.is_empty() {
        rate(Metric::ThroughputGoodput, &|row| f64::from(u8::from(row.inside)));
    }
    if outcome.tokens_per_second.is_some() {
        rate(Metric::ThroughputTokens, &|row| f64::from(row.tokens));
    }
    found
}

/// Work that ended in equal stretches of the time in which the load was all there: the steady window of a closed loop,
/// the time in which requests were due of an open one, all of an offline one.
fn stretches(outcome: &LoadOutcome, answered: &[&Row], work: &dyn Fn(&Row) -> f64) -> Vec<Batch> {
    let due = || outcome.rows.iter().map(|row| row.due_ns);
    let last_end = outcome.rows.iter().map(|row| row.end_ns).max().unwrap_or(0);
    let first_due = due().min().unwrap_or(0);
    let (from, to) = match (&outcome.steady, outcome.offered_per_second) {
        (Some(steady), _) => (steady.from_ns.max(first_due), steady.to_ns),
        (None, Some(_)) => (first_due, due().max().unwrap_or(0)),
        (None, None) => (first_due, last_end),
    };
    let inside: Vec<&Row> =
        answered.iter().copied().filter(|row| row.end_ns > from && row.end_ns <= to).collect();
    let count = (inside.len() / 2).min(STRETCHES);
    if count < 2 || to <= from {
        return Vec::new();
    }
    let length = (to - from) as f64 / count as f64;
    let mut batches = vec![Batch { work: 0.0, seconds: length * 1e-9 }; count];
    for row in inside {
        let index = (((row.end_ns - from) as f64 / length) as usize).min(count - 1);
        if let Some(batch) = batches.get_mut(index) {
            batch.work += work(row);
        }
    }
    batches
}
