//! From what the children of a case reported to the case's row.

use std::path::PathBuf;

use crate::record::{
    CaseId, CaseRow, ColdLevel, Data, Event, Failure, FailureKind, Note, Outcome, PROTOCOL, Series, Timing,
};

use super::child::{Ending, Report, signal_name};
use super::stretches::{self, Start};

/// The row of a case while its children report.
pub(super) struct Collector {
    row: CaseRow,
    /// Fresh processes whose start was followed up to the first answer.
    starts: Vec<Start>,
    /// Where a process said which they are.
    model_files: Vec<PathBuf>,
    required_devices: Vec<String>,
}

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
            model_files: Vec::new(),
            required_devices: required_devices.to_vec(),
        }
    }

    /// The child could not even be run.
    pub(super) fn could_not_run(&mut self, error: &std::io::Error) {
        self.row.outcome =
            failed(FailureKind::Harness, format!("the child process could not be run: {error}"), vec![]);
    }

    /// The model's files, as far as a process has said which they are.
    pub(super) fn model_files(&self) -> &[PathBuf] {
        &self.model_files
    }

    /// A process of this level was not started, since it would not have been that cold.
    pub(super) fn not_cold(&mut self, level: Option<ColdLevel>, why: &str) {
        let level = level.unwrap_or_default();
        let text = format!("no cold start of level `{level}`: {why}");
        self.note(Note { code: "not_cold".to_owned(), text });
    }

    /// Several processes of a case may notice the same thing.
    fn note(&mut self, note: Note) {
        if !self.row.notes.contains(&note) {
            self.row.notes.push(note);
        }
    }

    /// Takes the report of a child that followed a cold start of this level, or none; false when the case has failed or
    /// was skipped and no further child is of use.
    pub(super) fn take(&mut self, report: Report, cold_start: Option<ColdLevel>, timeout: f64) -> bool {
        self.row.outcome = self.outcome(&report, timeout);
        self.starts.extend(cold_start.and_then(|level| stretches::of(&report, level)));
        for event in report.events {
            match event {
                Event::Series(series) => self.merge(series),
                Event::Noise(row) => self.row.noise.push(*row),
                Event::Load(row) => self.row.loads.push(*row),
                Event::Search(found) => self.row.search = Some(found),
                Event::Device(device) => self.row.device = Some(device),
                Event::Timing(timing) => self.row.timing = Some(sum(self.row.timing, timing)),
                Event::Note(note) => self.note(note),
                Event::ModelFiles { files } => self.model_files = files,
                _ => {}
            }
        }
        self.row.outcome == Outcome::Measured
    }

    /// The finished row.
    pub(super) fn finish(mut self, wall_seconds: f64) -> CaseRow {
        self.row.wall_seconds = wall_seconds;
        self.row.phases = stretches::join(&self.starts);
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
