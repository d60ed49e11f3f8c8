//! A cold start as its own process sees it: named phases from `main` on, and the first answer.
//!
//! Knows nothing of what is loaded or asked, and nothing of how the process was made cold.

mod phases;
mod storage;

use crate::declare::Result;
use crate::plan::{Job, JobMode};
use crate::record::{ColdLevel, Condition, Conditions, Data, Event, InputSet, Metric, Note, Series};

use super::SPAWNED_VARIABLE;
use super::channel::say;

pub use phases::phase;
pub(super) use phases::{ended, follow};

/// How cold this start is, where the job is to follow one.
pub(super) fn level(job: &Job) -> Option<ColdLevel> {
    job.cold_start.filter(|_| job.mode == JobMode::FirstAnswer)
}

/// Says the first answer of this process, asked and answered at these readings of the clock, with the phases before it.
/// Nothing is said where the job follows no cold start. For [`Serve`](super::Serve) and for crates that bring a
/// [`Target`](super::Target) of their own; `conditions` are those of the answer.
///
/// # Errors
/// When this process does not know when it was started.
pub fn first_answer(
    job: &Job,
    inputs: Option<InputSet>,
    conditions: &Conditions,
    start_ns: u64,
    end_ns: u64,
) -> Result<()> {
    let Some(level) = level(job) else { return Ok(()) };
    let fetched = if level == ColdLevel::Disk { storage::fetched_bytes() } else { None };
    let phases = phases::end();
    if level == ColdLevel::Disk && fetched.unwrap_or(0) == 0 {
        let found = match fetched {
            Some(_) => "the process fetched nothing from storage until its first answer",
            None => "the system does not say what a process fetched from storage (`/proc/self/io`)",
        };
        let text = format!("no cold start of level `disk`: {found}");
        say(&Event::Note(Note { code: "not_cold".to_owned(), text }));
        return Ok(());
    }
    phases.iter().for_each(say);
    say(&Event::FirstAnswer { start_ns, end_ns });
    let spawned = std::env::var(SPAWNED_VARIABLE).ok().and_then(|text| text.parse::<u64>().ok());
    let spawned = spawned.ok_or("the parent did not say when it started this process")?;
    let seconds = |from: u64| end_ns.saturating_sub(from) as f64 * 1e-9;
    let conditions = conditions.clone().with(Condition::Warm, false).with(Condition::Cold, level.name());
    let found = [
        (Metric::ColdTotal, Some(seconds(spawned))),
        (Metric::ColdFirstInference, Some(seconds(start_ns))),
        (Metric::ColdDiskBytes, fetched.map(|bytes| bytes as f64)),
    ];
    for (metric, value) in found {
        let Some(value) = value else { continue };
        let data = Data::Values { values: vec![value], calls_per_value: 1 };
        say(&Event::Series(Series { metric, inputs, conditions: conditions.clone(), data }));
    }
    Ok(())
}
