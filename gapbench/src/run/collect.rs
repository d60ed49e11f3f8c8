//! From what the children of a case reported to the case's row.

use crate::record::{
    CaseId, CaseRow, Data, Event, Failure, FailureKind, Note, Outcome, PROTOCOL, Phase, Series, Timing,
};

use super::child::{Ending, Report, signal_name};

/// The row of a case while its children report.
pub(super) struct Collector {
    row: CaseRow,
    /// Fresh processes whose start was followed up to the first answer.
    starts: Vec<Start>,
    required_devices: Vec<String>,
}

/// One cold start: named stretches, the first from the spawn on, that sum to the total.
struct Start {
    phases: Vec<(String, f64)>,
}

/// The time between two named phases in which the author's function did unnamed things.
const UNACCOUNTED: &str = "unaccounted";

impl Collector {
    pub(super) fn new(case: CaseId, function: String, required_devices: &[String]) -> Collector {
        Collector {
            row: CaseRow {
                case,
                function,
                outcome: Outcome::Measured,
                series: Vec::new(),
                phases: Vec::new(),
                noise: Vec::new(),
                loads: Vec::new(),
                search: None,
                timing: None,
                device: None,
                notes: Vec::new(),
                wall_seconds: 0.0,
            },
            starts: Vec::new(),
            required_devices: required_devices.to_vec(),
        }
    }

    /// The child could not even be run.
    pub(super) fn could_not_run(&mut self, error: &std::io::Error) {
        self.row.outcome =
            failed(FailureKind::Harness, format!("the child process could not be run: {error}"), vec![]);
    }

    /// Takes a child's report; false when the case has failed or was skipped and no further child is of use.
    pub(super) fn take(&mut self, report: Report, timeout: f64) -> bool {
        self.row.outcome = self.outcome(&report, timeout);
        if let Some(start) = cold_start(&report) {
            self.starts.push(start);
        }
        for event in report.events {
            match event {
                Event::Series(series) => self.merge(series),
                Event::Noise(row) => self.row.noise.push(*row),
                Event::Load(row) => self.row.loads.push(*row),
                Event::Search(found) => self.row.search = Some(found),
                Event::Device(device) => self.row.device = Some(device),
                Event::Timing(timing) => self.row.timing = Some(sum(self.row.timing, timing)),
                // Several processes of a case may notice the same thing.
                Event::Note(note) if !self.row.notes.contains(&note) => self.row.notes.push(note),
                _ => {}
            }
        }
        self.row.outcome == Outcome::Measured
    }

    /// The finished row.
    pub(super) fn finish(mut self, wall_seconds: f64) -> CaseRow {
        self.row.wall_seconds = wall_seconds;
        self.row.phases = join(&self.starts);
        if let Some(timing) = self.row.timing.filter(Timing::contended) {
            self.row.notes.push(Note {
                code: "contended".to_owned(),
                text: format!(
                    "other work ran on this machine: the measured loop took {:.2} times as long as without waiting for it",
                    timing.pressure().unwrap_or(1.0)
                ),
            });
        }
        self.row
    }

    /// Observations of the same thing from several fresh processes are one series.
    fn merge(&mut self, series: Series) {
        let same = |known: &&mut Series| {
            known.metric == series.metric
                && known.inputs == series.inputs
                && known.conditions == series.conditions
        };
        match (self.row.series.iter_mut().find(same), &series.data) {
            (
                Some(Series { data: Data::Values { values, calls_per_value }, .. }),
                Data::Values { values: more, calls_per_value: calls },
            ) if calls_per_value == calls => {
                values.extend(more);
            }
            _ => self.row.series.push(series),
        }
    }

    fn outcome(&self, report: &Report, timeout: f64) -> Outcome {
        let tail = || report.stderr_tail.clone();
        match &report.ending {
            Ending::DeadlinePassed => {
                return failed(
                    FailureKind::Timeout,
                    format!(
                        "did not end within {timeout:.0} s and was killed; `--timeout` sets the deadline"
                    ),
                    tail(),
                );
            }
            Ending::Interrupted => {
                return failed(
                    FailureKind::Signal,
                    "ended because the run was interrupted".to_owned(),
                    tail(),
                );
            }
            Ending::Exited(_) => {}
        }
        // The first failure is the cause; what follows it is its consequence.
        for event in &report.events {
            match event {
                Event::Failed { kind, reason } => return failed(*kind, reason.clone(), tail()),
                Event::Skipped { reason, absent_device } => {
                    return self.skipped(reason, absent_device.as_deref());
                }
                Event::Started { protocol, .. } if *protocol != PROTOCOL => {
                    return failed(
                        FailureKind::Harness,
                        format!("the child speaks protocol {protocol}"),
                        tail(),
                    );
                }
                _ => {}
            }
        }
        let Ending::Exited(status) = report.ending else { return Outcome::Measured };
        if let Some(signal) = signal_name(status) {
            let cause = match signal.as_str() {
                "SIGKILL" if report.out_of_memory => ": the kernel ran out of memory meanwhile",
                "SIGKILL" => " from outside (the kernel does this when memory runs out)",
                "SIGSEGV" | "SIGBUS" => ": it touched memory it may not touch, or its stack overflowed",
                "SIGABRT" => ": it aborted",
                "SIGILL" => ": it met an instruction this processor does not have",
                _ => "",
            };
            return failed(FailureKind::Signal, format!("was ended by {signal}{cause}"), tail());
        }
        if report.garbage > 0 {
            let reason = format!("wrote {} lines into the channel of its events", report.garbage);
            return failed(FailureKind::Harness, reason, tail());
        }
        let finished = report.events.contains(&Event::Finished);
        match (finished, status.code()) {
            (true, Some(0)) => Outcome::Measured,
            (true, code) => failed(
                FailureKind::Exit,
                format!("ended with exit code {} after it had finished", code.unwrap_or(-1)),
                tail(),
            ),
            // The child says on standard error why it could not do its job, or could not say what it saw.
            (false, Some(1)) if report.stderr_tail.iter().any(|line| line.starts_with("gapbench: ")) => {
                failed(FailureKind::Harness, report.stderr_tail.join("; "), Vec::new())
            }
            (false, code) => failed(
                FailureKind::Exit,
                format!(
                    "ended with exit code {} before the benchmark had finished; does something call \
                     `std::process::exit`?",
                    code.unwrap_or(-1)
                ),
                tail(),
            ),
        }
    }

    fn skipped(&self, reason: &str, absent_device: Option<&str>) -> Outcome {
        match absent_device.filter(|device| self.required_devices.iter().any(|required| required == device)) {
            Some(device) => failed(
                FailureKind::DeviceAbsent,
                format!("device `{device}` is required and absent: {reason}"),
                Vec::new(),
            ),
            None => Outcome::Skipped {
                reason: reason.to_owned(),
                absent_device: absent_device.map(str::to_owned),
            },
        }
    }
}

fn failed(kind: FailureKind, reason: String, stderr_tail: Vec<String>) -> Outcome {
    Outcome::Failed(Failure { kind, reason, stderr_tail })
}

fn sum(before: Option<Timing>, more: Timing) -> Timing {
    let Some(before) = before else { return more };
    Timing {
        wall_seconds: before.wall_seconds + more.wall_seconds,
        cpu_seconds: before.cpu_seconds + more.cpu_seconds,
        waited_seconds: before.waited_seconds.zip(more.waited_seconds).map(|(a, b)| a + b),
        involuntary_switches: before.involuntary_switches + more.involuntary_switches,
    }
}

/// The stretches of one start. Phases may nest in an author's code; an inner one is part of its outer one, so only
/// those that begin after the last one ended are counted, and the sum stays the total.
fn cold_start(report: &Report) -> Option<Start> {
    let mut phases = Vec::new();
    let mut reached = report.spawned_ns;
    let mut unaccounted = 0_u64;
    let mut stretches: Vec<(&str, u64, u64)> = Vec::new();
    let mut answered = false;
    for event in &report.events {
        match event {
            Event::Started { at_ns, .. } => stretches.push(("spawn to main", report.spawned_ns, *at_ns)),
            Event::Phase { name, start_ns, end_ns } => stretches.push((name, *start_ns, *end_ns)),
            Event::FirstAnswer { start_ns, end_ns } => {
                answered = true;
                stretches.push(("first answer", *start_ns, *end_ns));
            }
            _ => {}
        }
    }
    if !answered {
        return None;
    }
    // Events come in the order of their ends, so an outer phase comes after the phases it contains.
    stretches.sort_by_key(|(_, start, end)| (*start, std::cmp::Reverse(*end)));
    for (name, start, end) in stretches {
        if start < reached {
            continue;
        }
        unaccounted += start - reached;
        phases.push((name.to_owned(), (end - start) as f64 * 1e-9));
        reached = end;
    }
    phases.push((UNACCOUNTED.to_owned(), unaccounted as f64 * 1e-9));
    Some(Start { phases })
}

/// The same phase of several starts side by side, in the order of the first start.
fn join(starts: &[Start]) -> Vec<Phase> {
    let mut joined: Vec<Phase> = Vec::new();
    for start in starts {
        for (name, seconds) in &start.phases {
            match joined.iter_mut().find(|phase| phase.name == *name) {
                Some(phase) => phase.seconds.push(*seconds),
                None => joined.push(Phase { name: name.clone(), seconds: vec![*seconds] }),
            }
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(events: Vec<Event>) -> Option<Vec<(String, f64)>> {
        let report = Report {
            ending: Ending::DeadlinePassed,
            spawned_ns: 1_000,
            events,
            garbage: 0,
            stderr_tail: Vec::new(),
            out_of_memory: false,
        };
        cold_start(&report).map(|start| start.phases)
    }

    #[test]
    fn phases_sum_to_the_total_and_nested_ones_are_counted_once() {
        let phase = |name: &str, start_ns, end_ns| Event::Phase { name: name.into(), start_ns, end_ns };
        let phases = start(vec![
            Event::Started { protocol: PROTOCOL, at_ns: 2_000 },
            phase("inner", 2_600, 2_800),
            phase("outer", 2_500, 3_000),
            Event::FirstAnswer { start_ns: 3_100, end_ns: 4_000 },
        ])
        .unwrap();
        let names: Vec<&str> = phases.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["spawn to main", "outer", "first answer", UNACCOUNTED]);
        let total: f64 = phases.iter().map(|(_, seconds)| seconds).sum();
        assert!((total - 3e-6).abs() < 1e-12, "{phases:?}");
        assert!((phases[3].1 - 0.6e-6).abs() < 1e-12);
    }

    #[test]
    fn without_an_answer_there_is_no_cold_start() {
        assert!(start(vec![Event::Started { protocol: PROTOCOL, at_ns: 2_000 }]).is_none());
    }
}
