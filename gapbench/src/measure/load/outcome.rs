//! What a load run hands to a report.

use std::borrow::Cow;

use super::checks::{self, Check, Validity};
use super::depth::Depth;
use super::pace::Scheduling;
use super::record::{Counts, Recorder, Row, StreamTimes, Times};
use super::{Load, Run};
use crate::load::Objective;
use crate::record::Timing;

/// Everything a run saw, before it is summed up.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) recorder: Recorder,
    pub(super) depth: Depth,
    pub(super) timing: Option<Timing>,
    pub(super) scheduling: Scheduling,
    pub(super) replaced_workers: u64,
    pub(super) batches: u64,
}

/// A closed loop while at least 0.95 of its clients had a request in flight.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Steady {
    /// Beginning, nanoseconds from the start.
    pub from_ns: u64,
    /// End, nanoseconds from the start.
    pub to_ns: u64,
    /// Requests that ended inside, however they ended.
    pub ended: u64,
    /// The same per second.
    pub per_second: f64,
}

/// How an objective fared.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectiveOutcome {
    /// The objective.
    pub objective: Objective,
    /// Requests inside its bound.
    pub inside: u64,
    /// Requests that were measured, failures among them.
    pub all: u64,
    /// Whether enough of them were inside.
    pub met: bool,
    /// Whether there were enough requests to bound the quantile from above at 95 %. Without them a percentile is a lower
    /// bound only.
    pub enough: bool,
    /// Requests inside the bound per second.
    pub goodput_per_second: f64,
}

/// What a load run saw. Times are from the due time unless they say otherwise.
#[derive(Clone, Debug)]
pub struct LoadOutcome {
    /// Whether the generator kept the schedule.
    pub validity: Validity,
    /// Requests that were sent.
    pub issued: u64,
    /// How they ended.
    pub counts: Counts,
    /// Failures per class, the most frequent first. Panics are classes that begin with `panicked`.
    pub failures: Vec<(Cow<'static, str>, u64)>,
    /// Requests per second of the schedule as drawn; absent for closed loops and where all are due at once.
    pub offered_per_second: Option<f64>,
    /// The sending rate over the intended one; absent likewise.
    pub achieved_share: Option<f64>,
    /// Seconds from the first measured due time to the last end.
    pub window_seconds: f64,
    /// Answered requests per second of the window.
    pub throughput_per_second: f64,
    /// Tokens per second of the window; absent where no answer had any.
    pub tokens_per_second: Option<f64>,
    /// Answered requests inside every objective, per second of the window; absent without objectives.
    pub goodput_per_second: Option<f64>,
    /// Each objective.
    pub objectives: Vec<ObjectiveOutcome>,
    /// From due to end, of answered requests.
    pub latency: Times,
    /// From due to the service's beginning, of answered requests.
    pub queue: Times,
    /// From the service's beginning to the end, of answered requests: what counting from the sending would show.
    pub service: Times,
    /// How late the generator was with each measured request: from the time at which it was due and a worker was free, or
    /// in an open loop would have been without earlier lateness of the generator.
    pub send_lag: Times,
    /// The times of streams; absent for services that do not stream.
    pub stream: Option<StreamTimes>,
    /// Single requests in order, warm-up excluded; empty where there were more than [`Load::keep_rows`].
    pub rows: Vec<Row>,
    /// Requests in the system over time.
    pub depth: Depth,
    /// When a closed loop was steady; absent for other scenarios, and where its clients were never in flight together.
    pub steady: Option<Steady>,
    /// Share of the workers' time in which they were with a measured or warm-up request.
    pub utilisation: f64,
    /// Workers of the service.
    pub workers: usize,
    /// Workers that hung and were replaced. Their threads still exist.
    pub replaced_workers: u64,
    /// Batches that were served; 0 for a service without batches.
    pub batches: u64,
    /// Identities that must hold; those that this run can test.
    pub checks: Vec<Check>,
    /// The scheduling class of the sending threads.
    pub scheduling: Scheduling,
    /// Contention of the calling thread, where the service ran on it.
    pub timing: Option<Timing>,
}

pub(super) fn make(run: &Run, load: &Load, workers: usize, mut seen: Seen) -> LoadOutcome {
    let start_ns = run.rules.start_ns;
    let achieved_share = checks::achieved_share(&seen, &run.dispatch);
    let validity = checks::validity(&seen, load, achieved_share);
    let first_ns = seen.recorder.first_due_ns.min(seen.recorder.last_end_ns);
    let window_seconds = seen.recorder.last_end_ns.saturating_sub(first_ns) as f64 * 1e-9;
    let per_second = |count: u64| if window_seconds > 0.0 { count as f64 / window_seconds } else { 0.0 };
    let checks = [checks::littles_law(&seen, start_ns), checks::token_identity(&seen, load, window_seconds)];
    seen.recorder.classes.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let recorder = seen.recorder;
    let all = recorder.counts.measured();
    let objectives =
        load.objectives.iter().zip(&recorder.inside).map(|(objective, inside)| ObjectiveOutcome {
            objective: *objective,
            inside: *inside,
            all,
            met: objective.met(*inside, all),
            enough: objective.requests_needed().is_some_and(|needed| all >= needed),
            goodput_per_second: per_second(*inside),
        });
    let window = run.dispatch.window();
    let steady = window.from.zip(window.to).and_then(|((from_ns, before), (to_ns, after))| {
        let (length_ns, ended) = (to_ns.checked_sub(from_ns)?, after.saturating_sub(before));
        (length_ns > 0).then(|| Steady {
            from_ns: from_ns.saturating_sub(start_ns),
            to_ns: to_ns.saturating_sub(start_ns),
            ended,
            per_second: ended as f64 * 1e9 / length_ns as f64,
        })
    });
    let whole_ns = recorder.last_end_ns.saturating_sub(start_ns) as f64 * workers as f64;
    LoadOutcome {
        validity,
        issued: run.dispatch.issued() as u64,
        counts: recorder.counts,
        offered_per_second: run.dispatch.schedule().and_then(crate::load::Schedule::offered_rate),
        achieved_share,
        window_seconds,
        throughput_per_second: per_second(recorder.counts.completed),
        tokens_per_second: (recorder.tokens > 0).then(|| per_second(recorder.tokens)),
        goodput_per_second: (!load.objectives.is_empty()).then(|| per_second(recorder.inside_all)),
        objectives: objectives.collect(),
        failures: recorder.classes,
        latency: recorder.latency,
        queue: recorder.queue,
        service: recorder.service,
        send_lag: recorder.lag,
        stream: recorder.stream,
        rows: recorder.rows,
        depth: seen.depth,
        steady,
        utilisation: if whole_ns > 0.0 { recorder.busy_ns as f64 / whole_ns } else { 0.0 },
        workers,
        replaced_workers: seen.replaced_workers,
        batches: seen.batches,
        checks: checks.into_iter().flatten().collect(),
        scheduling: seen.scheduling,
        timing: seen.timing,
    }
}
