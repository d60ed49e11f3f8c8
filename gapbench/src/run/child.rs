//! One child process from its start to its end, however it ends.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use shared_child::SharedChild;

use crate::plan::Job;
use crate::record::Event;

use super::interrupt::Interrupt;
use super::output::Tail;

/// How a child is told its job; the child's side knows the same names.
#[derive(Clone, Debug)]
pub(super) struct Call {
    /// This program.
    pub(super) program: PathBuf,
    /// Variable that names the job file.
    pub(super) job_variable: &'static str,
    /// Variable that names the parent.
    pub(super) parent_variable: &'static str,
    /// Variable that carries the time of the start.
    pub(super) spawned_variable: &'static str,
    /// Reads the clock that the child reads.
    pub(super) now_ns: fn() -> u64,
    /// Let the child's prints through.
    pub(super) verbose: bool,
}

/// How the process ended.
#[derive(Debug)]
pub(super) enum Ending {
    /// By itself or by a signal.
    Exited(ExitStatus),
    /// We ended it at its deadline.
    DeadlinePassed,
    /// We ended it because the user stopped the run.
    Interrupted,
}

/// Everything a child left.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) ending: Ending,
    pub(super) spawned_ns: u64,
    pub(super) events: Vec<Event>,
    /// Lines that are no events, which only a foreign hand can have written.
    pub(super) garbage: usize,
    pub(super) stderr_tail: Vec<String>,
    /// The kernel killed something for lack of memory meanwhile.
    pub(super) out_of_memory: bool,
}

/// How often a waiting parent looks whether the user wants to stop.
const LOOK: Duration = Duration::from_millis(100);
/// How long a grandchild may keep the output open after everything was ended.
const PATIENCE: Duration = Duration::from_millis(500);

/// Starts a child for `job`, waits for its end and reads what it said.
pub(super) fn run(
    call: &Call,
    job: &Job,
    folder: &Path,
    variables: &[(&'static str, OsString)],
    timeout: f64,
    interrupt: &Interrupt,
) -> io::Result<Report> {
    let job_file = folder.join("job.json");
    fs::write(&job_file, serde_json::to_vec(job)?)?;
    fs::write(&job.events, b"")?;
    let kills_before = memory_kills();
    let mut command = Command::new(&call.program);
    command
        .env(call.job_variable, &job_file)
        .env(call.parent_variable, std::process::id().to_string())
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // A group of its own, so that what it started can be ended with it.
        .process_group(0);
    if !call.verbose {
        // The report has room for the cause, not for a trace of our own frames.
        command.env("RUST_BACKTRACE", "0");
    }
    let spawned_ns = (call.now_ns)();
    command.env(call.spawned_variable, spawned_ns.to_string());
    let child = SharedChild::spawn(&mut command)?;
    let copy = |stream: fn() -> Box<dyn io::Write + Send>| call.verbose.then(stream);
    let stdout = child.take_stdout().map(|stream| Tail::of(stream, copy(|| Box::new(io::stdout()))));
    let stderr = child.take_stderr().map(|stream| Tail::of(stream, copy(|| Box::new(io::stderr()))));

    let ending = wait(&child, timeout, interrupt, call.now_ns)?;
    end_group(&child);
    let stderr_tail = stderr.map(|tail| tail.lines(PATIENCE)).unwrap_or_default();
    drop(stdout);
    let (events, garbage) = read_events(&job.events)?;
    Ok(Report {
        ending,
        spawned_ns,
        events,
        garbage,
        stderr_tail,
        out_of_memory: memory_kills() > kills_before,
    })
}

fn wait(child: &SharedChild, timeout: f64, interrupt: &Interrupt, now_ns: fn() -> u64) -> io::Result<Ending> {
    let start = now_ns();
    loop {
        let left = timeout - now_ns().saturating_sub(start) as f64 * 1e-9;
        let step = LOOK.min(Duration::try_from_secs_f64(left).unwrap_or(Duration::ZERO));
        if let Some(status) = child.wait_timeout(step)? {
            return Ok(Ending::Exited(status));
        }
        if left <= 0.0 || interrupt.asked() {
            end_group(child);
            child.kill()?;
            child.wait()?;
            return Ok(if interrupt.asked() { Ending::Interrupted } else { Ending::DeadlinePassed });
        }
    }
}

/// Ends the child's process group: the child, if it still runs, and everything it started.
fn end_group(child: &SharedChild) {
    if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        // An error means that the group is gone already.
        let _ = kill_process_group(group, Signal::KILL);
    }
}

/// The events, and how many lines were none. A last line without its end was cut by a kill and counts as neither.
fn read_events(path: &Path) -> io::Result<(Vec<Event>, usize)> {
    let bytes = fs::read(path)?;
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let mut events = Vec::new();
    let mut garbage = 0;
    for line in
        bytes.get(..whole).unwrap_or_default().split(|byte| *byte == b'\n').filter(|line| !line.is_empty())
    {
        match serde_json::from_slice(line) {
            Ok(event) => events.push(event),
            Err(_) => garbage += 1,
        }
    }
    Ok((events, garbage))
}

/// How many processes the kernel has killed for lack of memory since it started.
///
/// # Source
/// Linux `/proc/vmstat`, `oom_kill`.
fn memory_kills() -> u64 {
    fs::read_to_string("/proc/vmstat")
        .ok()
        .and_then(|text| text.lines().find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse().ok()))
        .unwrap_or(0)
}

/// The signal that ended the process, by name.
pub(super) fn signal_name(status: ExitStatus) -> Option<String> {
    let number = status.signal()?;
    Some(
        signal_hook::low_level::signal_name(number).map_or_else(|| format!("signal {number}"), str::to_owned),
    )
}

/// This program, by the path that still leads to it when the file was replaced while it ran.
pub(super) fn this_program() -> io::Result<PathBuf> {
    let running = PathBuf::from("/proc/self/exe");
    let named = env::current_exe()?;
    let replaced = named.as_os_str().to_string_lossy().ends_with(" (deleted)");
    Ok(if replaced && running.exists() { running } else { named })
}
