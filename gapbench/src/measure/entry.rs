//! The child's `main`: the job in, events out, whatever happens in between.

use std::any::Any;
use std::env;
use std::ffi::OsString;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::process::ExitCode;

use crate::declare::{Declaration, Error, Skip};
use crate::plan::Job;
use crate::record::{Event, FailureKind, PROTOCOL};

use super::target::{Session, WrongAnswer};
use super::{channel, clock, cold, memory, panics};

/// Names the job file; its presence makes a process a child.
pub const JOB_VARIABLE: &str = "GAPBENCH_CHILD_JOB";
/// The parent's process id.
pub const PARENT_VARIABLE: &str = "GAPBENCH_CHILD_PARENT";
/// The parent's reading of the monotonic clock just before it started the child, in nanoseconds.
pub const SPAWNED_VARIABLE: &str = "GAPBENCH_CHILD_SPAWNED_NS";

/// The job file, if this process is a child.
pub fn child_job() -> Option<OsString> {
    env::var_os(JOB_VARIABLE)
}

/// Does the job. The exit code says only whether the job could be understood; what happened is in the events.
pub fn serve(job: &Path, declared: impl IntoIterator<Item = &'static Declaration>) -> ExitCode {
    let started_ns = clock::now_ns();
    die_with_parent();
    let job = match read_job(job) {
        Ok(job) => job,
        Err(reason) => return refuse(&reason),
    };
    if let Err(error) = channel::open(&job.events) {
        return refuse(&format!("open {}: {error}", job.events.display()));
    }
    memory::remember(&job);
    if cold::level(&job).is_some() {
        cold::follow();
    }
    channel::say(&Event::Started { protocol: PROTOCOL, at_ns: started_ns });
    let Some(declaration) = declared.into_iter().find(|found| found.path() == job.function) else {
        return refuse(&format!("no benchmark is called `{}`", job.function));
    };
    panics::report();
    let run = declaration.run;
    let axis_index = job.axis_index.clone();
    let mut session = Session { job, declaration };
    let session: &mut dyn Any = &mut session;
    // From `main` on there is nothing without a name but what the benchmark function does between its phases.
    cold::ended("reading the job", started_ns, clock::now_ns());
    // A panic was already reported by the hook.
    if let Ok(result) = panic::catch_unwind(AssertUnwindSafe(|| run(session, &axis_index))) {
        channel::say(&match result {
            Ok(()) => Event::Finished,
            Err(error) => explain(&error),
        });
    }
    match channel::silenced() {
        None => ExitCode::SUCCESS,
        Some(error) => refuse(&format!("report what was measured: {error}")),
    }
}

fn read_job(path: &Path) -> Result<Job, String> {
    let bytes = std::fs::read(path).map_err(|error| format!("read job {}: {error}", path.display()))?;
    let job: Job = serde_json::from_slice(&bytes)
        .map_err(|error| format!("understand job {}: {error}", path.display()))?;
    if job.protocol == PROTOCOL {
        Ok(job)
    } else {
        Err(format!("job {} speaks protocol {}, this binary {PROTOCOL}", path.display(), job.protocol))
    }
}

/// A child that cannot do its job says so where its parent looks: at the end of standard error.
#[allow(clippy::print_stderr)]
fn refuse(reason: &str) -> ExitCode {
    eprintln!("gapbench: failed to {reason}");
    ExitCode::FAILURE
}

fn explain(error: &Error) -> Event {
    let chain = || {
        std::iter::successors(Some(&**error as &(dyn std::error::Error + 'static)), |error| error.source())
    };
    // A device crate's own error carries the skip as its source.
    if let Some(Skip { reason, absent_device }) = chain().find_map(|error| error.downcast_ref()) {
        return Event::Skipped { reason: reason.clone(), absent_device: absent_device.clone() };
    }
    let kind = if error.is::<WrongAnswer>() { FailureKind::WrongAnswer } else { FailureKind::Error };
    let reason = chain().map(ToString::to_string).fold(String::new(), |reason, text| {
        match reason.as_str() {
            "" => text,
            // Many errors print their source already.
            said if said.contains(&text) => reason,
            _ => format!("{reason}: {text}"),
        }
    });
    Event::Failed { kind, reason }
}

/// A killed parent leaves no orphan.
#[cfg(target_os = "linux")]
fn die_with_parent() {
    use rustix::process::{Signal, getpid, getppid, kill_process, set_parent_process_death_signal};
    let _ = set_parent_process_death_signal(Some(Signal::KILL));
    // The parent may have died before that line: then this process has another parent already.
    let parent = env::var(PARENT_VARIABLE).ok().and_then(|text| text.parse::<i32>().ok());
    if parent.is_some_and(|parent| getppid().is_none_or(|now| now.as_raw_nonzero().get() != parent)) {
        let _ = kill_process(getpid(), Signal::KILL);
    }
}

#[cfg(not(target_os = "linux"))]
fn die_with_parent() {}
