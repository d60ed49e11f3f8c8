//! What every human-readable report says, as strings: one wording for terminal, Markdown and HTML.

use crate::judge::{Change, Estimate, Verdict};
use crate::record::date::show_utc;
use crate::record::{Device, Outcome};
use crate::units;

use super::plain::one_line;
use super::results::{Status, TargetResults};

mod case;
mod claim;
mod load;
mod noise;

pub use claim::declared;

/// One bench target.
#[derive(Clone, Debug)]
pub(crate) struct TargetView {
    pub(crate) name: String,
    /// One line: the machine, the build, the run.
    pub(crate) system: String,
    pub(crate) counts: String,
    /// `complete in 12.0 s`.
    pub(crate) status: String,
    pub(crate) complete: bool,
    pub(crate) record: String,
    pub(crate) claims: Vec<ClaimView>,
    pub(crate) cases: Vec<CaseView>,
    pub(crate) skipped: Vec<SkippedView>,
}

/// One claim.
#[derive(Clone, Debug)]
pub(crate) struct ClaimView {
    pub(crate) kind: Verdict,
    pub(crate) verdict: &'static str,
    /// A word for a style sheet: `fail`, `gap`, `unclear`, `good`, `ahead`, `quiet`.
    pub(crate) class: &'static str,
    pub(crate) id: String,
    pub(crate) case: String,
    pub(crate) metric: &'static str,
    pub(crate) statistic: &'static str,
    pub(crate) ours: String,
    pub(crate) paper: String,
    pub(crate) ratio: String,
    pub(crate) loss: String,
    pub(crate) reason: String,
    /// Differences that the reason does not name already.
    pub(crate) differing: Vec<String>,
    pub(crate) unknown: Vec<String>,
    pub(crate) gated: bool,
    pub(crate) source: String,
    /// An address that is safe to link to.
    pub(crate) link: Option<String>,
    pub(crate) ladder: LadderView,
}

/// The way from the paper to here.
#[derive(Clone, Debug, Default)]
pub(crate) struct LadderView {
    /// `paper 92.2 %`, `reproduced here 92.1 %`.
    pub(crate) steps: Vec<String>,
    /// `gap 4.6 %: inputs 4.4, unexplained 0.1`; empty where nothing was measured.
    pub(crate) gap: String,
    /// `not reproduced: why`.
    pub(crate) absent: Vec<String>,
}

/// One case.
#[derive(Clone, Debug)]
pub(crate) struct CaseView {
    pub(crate) case: String,
    pub(crate) numbers: Vec<NumberView>,
    /// A line per level; empty where no cold start was measured.
    pub(crate) cold_start: Vec<String>,
    pub(crate) noise: Option<TableView>,
    pub(crate) load: Option<TableView>,
    pub(crate) changes: Vec<ChangeView>,
    pub(crate) notes: Vec<String>,
    /// `panic: why`; absent where the case did not fail.
    pub(crate) failure: Option<String>,
    pub(crate) stderr_tail: Vec<String>,
}

/// A table with what is to be said of it.
#[derive(Clone, Debug)]
pub(crate) struct TableView {
    pub(crate) head: Vec<&'static str>,
    pub(crate) rows: Vec<Vec<String>>,
    pub(crate) remarks: Vec<String>,
}

/// Cases that were skipped for the same reason.
#[derive(Clone, Debug)]
pub(crate) struct SkippedView {
    pub(crate) reason: String,
    pub(crate) cases: Vec<String>,
}

/// One measured number.
#[derive(Clone, Debug)]
pub(crate) struct NumberView {
    pub(crate) metric: &'static str,
    pub(crate) inputs: String,
    pub(crate) statistic: &'static str,
    pub(crate) value: String,
    pub(crate) interval: String,
    pub(crate) n: u64,
}

/// One number against an earlier record.
#[derive(Clone, Debug)]
pub(crate) struct ChangeView {
    pub(crate) kind: Change,
    pub(crate) change: &'static str,
    pub(crate) metric: &'static str,
    pub(crate) inputs: String,
    pub(crate) numbers: String,
    pub(crate) reason: String,
    pub(crate) baseline: String,
}

impl TargetView {
    pub(crate) fn new(target: &TargetResults) -> TargetView {
        TargetView {
            name: one_line(&target.header.target.to_string()),
            system: system(target),
            counts: counts(target),
            status: match target.wall_seconds {
                Some(seconds) => {
                    format!("{} in {}", target.status.words(), units::show(seconds, units::Family::Time))
                }
                None => target.status.words().to_owned(),
            },
            complete: target.status == Status::Complete,
            record: one_line(&target.record),
            claims: target.judgement.claims.iter().map(claim::view).collect(),
            cases: target.cases.iter().map(|row| case::view(row, target)).collect(),
            skipped: skipped(target),
        }
    }
}

fn skipped(target: &TargetResults) -> Vec<SkippedView> {
    let mut found: Vec<SkippedView> = Vec::new();
    for row in &target.cases {
        let Outcome::Skipped { reason, .. } = &row.outcome else { continue };
        let (reason, case) = (one_line(reason), one_line(&row.case.0));
        match found.iter_mut().find(|group| group.reason == reason) {
            Some(group) => group.cases.push(case),
            None => found.push(SkippedView { reason, cases: vec![case] }),
        }
    }
    found
}

fn system(target: &TargetResults) -> String {
    let header = &target.header;
    let environment = &header.environment;
    let mut parts = Vec::new();
    if let Some(cpu) = &environment.cpu {
        parts.push(cpu.clone());
    }
    parts.push(format!("{} cores", environment.cores));
    parts.extend(environment.device.as_ref().map(device));
    parts.push(environment.system.clone());
    if let Some(revision) = &environment.revision {
        parts.push(format!("revision {revision}"));
    }
    parts.push(format!("profile {}", header.profile));
    parts.push(format!("seed {}", header.seed));
    parts.push(show_utc(header.started_unix));
    if environment.debug_build {
        parts.push("DEBUG BUILD: times mean nothing".to_owned());
    }
    one_line(&parts.join(", "))
}

/// The device, its driver and what it can do at most: `NVIDIA H200 (driver 13.0; measured peaks 4.2 TB/s, 700 TFLOP/s bf16)`.
fn device(device: &Device) -> String {
    let peaks: Vec<String> = device
        .peaks
        .iter()
        .map(|peak| {
            let dtype = peak.dtype.iter().map(|dtype| format!(" {dtype}")).collect::<String>();
            format!("{}{dtype}", units::show(peak.value, peak.metric.family()))
        })
        .collect();
    let peaks =
        if peaks.is_empty() { String::new() } else { format!("; measured peaks {}", peaks.join(", ")) };
    let simulated = if device.simulated { "SIMULATED: times come from a model; " } else { "" };
    format!("{} ({simulated}driver {}{peaks})", device.name, device.driver)
}

/// The verdicts in the order in which a reader wants to know of them.
const BY_GRAVITY: [Verdict; 8] = [
    Verdict::Fail,
    Verdict::Gap,
    Verdict::Unclear,
    Verdict::NotComparable,
    Verdict::NotMeasured,
    Verdict::Within,
    Verdict::OnPar,
    Verdict::Ahead,
];

fn counts(target: &TargetResults) -> String {
    let claims = &target.judgement.claims;
    let mut parts: Vec<String> = BY_GRAVITY
        .iter()
        .map(|verdict| (verdict, claims.iter().filter(|claim| claim.verdict == *verdict).count()))
        .filter(|(_, count)| *count > 0)
        .map(|(verdict, count)| format!("{count} {}", verdict.words()))
        .collect();
    if parts.is_empty() {
        parts.push("no claims".to_owned());
    }
    let cases = |wanted: fn(&Outcome) -> bool| target.cases.iter().filter(|row| wanted(&row.outcome)).count();
    let measured = cases(|outcome| matches!(outcome, Outcome::Measured));
    let failed = cases(|outcome| matches!(outcome, Outcome::Failed(_)));
    let skipped = cases(|outcome| matches!(outcome, Outcome::Skipped { .. }));
    let mut rows = vec![format!("{measured} {} measured", if measured == 1 { "case" } else { "cases" })];
    if failed > 0 {
        rows.push(format!("{failed} failed"));
    }
    if skipped > 0 {
        rows.push(format!("{skipped} skipped"));
    }
    let missing = target.header.planned.saturating_sub(target.cases.len());
    if missing > 0 {
        rows.push(format!("{missing} not run"));
    }
    format!("{}; {}", parts.join(", "), rows.join(", "))
}

/// `312 µs [290..315]`.
pub(crate) fn with_interval(estimate: &Estimate, family: units::Family) -> String {
    let value = units::show(estimate.interval.value, family);
    match interval(estimate, family) {
        interval if interval.is_empty() => value,
        interval => format!("{value} {interval}"),
    }
}

/// `[290..315]`; empty for a number that has no interval, such as a file's size.
fn interval(estimate: &Estimate, family: units::Family) -> String {
    let found = estimate.interval;
    let exact = found.lower == Some(found.value) && found.upper == Some(found.value);
    if exact || (found.lower.is_none() && found.upper.is_none()) {
        return String::new();
    }
    format!("[{}]", units::show_interval(found.value, found.lower, found.upper, family))
}
