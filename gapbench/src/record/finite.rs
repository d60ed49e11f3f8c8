//! Finds numbers that JSON cannot hold: it would write NaN and infinity as `null`, and the observation would be lost
//! without a word.
//!
//! Every struct is taken apart completely, so that a field added to it does not compile until it is looked at here.

use super::{
    Batch, CaseRow, CheckRow, ConditionValue, Data, End, LoadPoint, LoadRow, ObjectiveRow, Peak, Phase,
    SearchRow, Series, SteadyRow, TimesRow, Timing,
};

/// Where the first number that is not finite stands in `row`, for a person.
pub(super) fn find_in_row(row: &CaseRow) -> Option<String> {
    let CaseRow {
        case: _,
        function: _,
        outcome: _,
        series,
        phases,
        noise,
        loads,
        search,
        timing,
        device,
        notes: _,
        wall_seconds,
    } = row;
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
        .or_else(|| {
            let rates = noise.iter().filter_map(|noise| noise.character_error_rate);
            rates.into_iter().find_map(|rate| check(rate, || "a character error rate".to_owned()))
        })
        .or_else(|| loads.iter().find_map(find_in_load))
        .or_else(|| search.as_ref().and_then(find_in_search))
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
        Data::Pairs { ours, theirs } => {
            let all = ours.iter().zip(theirs).flat_map(|(our, their)| [*our, *their]).enumerate();
            all.into_iter().find_map(|(index, number)| observation(index / 2, number))
        }
        Data::Exact { value } => observation(0, *value),
    })
}

fn find_in_phase(phase: &Phase) -> Option<String> {
    let Phase { name, level: _, seconds } = phase;
    seconds.iter().find_map(|number| check(*number, || format!("a time of phase `{name}`")))
}

fn find_in_timing(timing: &Timing) -> Option<String> {
    let Timing { wall_seconds, cpu_seconds, waited_seconds, involuntary_switches: _ } = timing;
    check(*wall_seconds, || "timing.wall_seconds".to_owned())
        .or_else(|| check(*cpu_seconds, || "timing.cpu_seconds".to_owned()))
        .or_else(|| waited_seconds.and_then(|waited| check(waited, || "timing.waited_seconds".to_owned())))
}

fn find_in_load(row: &LoadRow) -> Option<String> {
    let LoadRow {
        point,
        inputs: _,
        searching: _,
        invalid: _,
        counts: _,
        offered_per_second,
        achieved_share,
        window_seconds,
        throughput_per_second,
        goodput_per_second,
        tokens_per_second,
        objectives,
        times,
        growth,
        in_system_mean,
        in_system_most: _,
        steady,
        host_growth_bytes: _,
        workers: _,
        utilisation,
        replaced_workers: _,
        batches: _,
        pairs: _,
        checks,
        scheduling: _,
        others_share,
    } = row;
    let LoadPoint { arrival: _, clients: _, think_seconds, rate, shape } = point;
    let optional = [
        offered_per_second,
        achieved_share,
        goodput_per_second,
        tokens_per_second,
        growth,
        in_system_mean,
        others_share,
        think_seconds,
        rate,
        shape,
    ];
    let plain = [*window_seconds, *throughput_per_second, *utilisation];
    let bounds = objectives.iter().map(|ObjectiveRow { objective, .. }| objective.quantile);
    let spreads = times.iter().flat_map(|TimesRow { of: _, n: _, mean, p50, p95, p99, p99_9, max }| {
        [p50, p95, p99, p99_9].into_iter().flatten().copied().chain([*mean, *max])
    });
    let stretches = steady.iter().flat_map(|SteadyRow { seconds, per_second }| [*seconds, *per_second]);
    let sides = checks.iter().flat_map(|CheckRow { name: _, left, right, holds: _ }| [*left, *right]);
    let mut all = plain.into_iter().chain(optional.into_iter().flatten().copied());
    all.by_ref()
        .chain(bounds)
        .chain(spreads)
        .chain(stretches)
        .chain(sides)
        .find_map(|number| check(number, || format!("a number of the load `{point}`")))
}

fn find_in_search(search: &SearchRow) -> Option<String> {
    let SearchRow { last_passing, first_failing, not_monotone_at, cut_short: _, repeats: _ } = search;
    let rates = [last_passing, first_failing, not_monotone_at];
    rates.into_iter().flatten().find_map(|rate| check(*rate, || "a rate of the search".to_owned()))
}
