//! Finds numbers that JSON cannot hold: it would write NaN and infinity as `null`, and the observation would be lost
//! without a word.
//!
//! Every struct is taken apart completely, so that a field added to it does not compile until it is looked at here.

use super::{Batch, CaseRow, ConditionValue, Data, End, Peak, Phase, Series, Timing};

/// Where the first number that is not finite stands in `row`, for a person.
pub(super) fn find_in_row(row: &CaseRow) -> Option<String> {
    let CaseRow { case: _, function: _, outcome: _, series, phases, timing, device, notes: _, wall_seconds } =
        row;
    let series = series.iter().find_map(find_in_series);
    let phases = || phases.iter().find_map(find_in_phase);
    let timing = || timing.as_ref().and_then(find_in_timing);
    let peaks = || {
        let mut peaks = device.iter().flat_map(|device| &device.peaks);
        peaks.find_map(|Peak { metric, dtype: _, value }| {
            check(*value, || format!("the device's peak {metric}"))
        })
    };
    series
        .or_else(phases)
        .or_else(timing)
        .or_else(peaks)
        .or_else(|| check(*wall_seconds, || "wall_seconds".to_owned()))
}

/// Where the first number that is not finite stands in `end`.
pub(super) fn find_in_end(end: &End) -> Option<String> {
    let End { status: _, wall_seconds } = end;
    check(*wall_seconds, || "wall_seconds".to_owned())
}

fn check(number: f64, place: impl FnOnce() -> String) -> Option<String> {
    (!number.is_finite()).then(|| format!("{} is {number}", place()))
}

fn find_in_series(series: &Series) -> Option<String> {
    let Series { metric, inputs: _, conditions, data } = series;
    let condition = conditions.known.iter().find_map(|(condition, value)| match value {
        ConditionValue::Number(number) => check(*number, || format!("condition {condition} of {metric}")),
        ConditionValue::Flag(_) | ConditionValue::Text(_) => None,
    });
    let observation =
        |index: usize, number: f64| check(number, || format!("observation {} of {metric}", index + 1));
    condition.or_else(|| match data {
        Data::Values { values, calls_per_value: _ } => {
            values.iter().enumerate().find_map(|(index, number)| observation(index, *number))
        }
        Data::Rates { batches } => batches.iter().enumerate().find_map(|(index, Batch { work, seconds })| {
            observation(index, *work).or_else(|| observation(index, *seconds))
        }),
        Data::Counts { successes: _, trials: _ } => None,
        Data::Exact { value } => observation(0, *value),
    })
}

fn find_in_phase(phase: &Phase) -> Option<String> {
    let Phase { name, seconds } = phase;
    seconds.iter().find_map(|number| check(*number, || format!("a time of phase `{name}`")))
}

fn find_in_timing(timing: &Timing) -> Option<String> {
    let Timing { wall_seconds, cpu_seconds, waited_seconds, involuntary_switches: _ } = timing;
    check(*wall_seconds, || "timing.wall_seconds".to_owned())
        .or_else(|| check(*cpu_seconds, || "timing.cpu_seconds".to_owned()))
        .or_else(|| waited_seconds.and_then(|waited| check(waited, || "timing.waited_seconds".to_owned())))
}
