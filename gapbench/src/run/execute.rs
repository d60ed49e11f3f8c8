//! The loop over the plan.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::plan::{self, Job, JobMode, Part, Plan, PlannedCase};
use crate::record::{
    CaseId, CaseRow, ColdLevel, Condition, Device, End, Environment, Event, Header, PROTOCOL, Record, SCHEMA,
    StoreError, Target, VERSION, Writer,
};

use super::child::{self, Call};
use super::coldness::Coldness;
use super::collect::Collector;
use super::interrupt::Interrupt;

/// Watches a run: a progress bar, or nothing.
pub trait Observer {
    /// A case begins; it should take about so many seconds.
    fn started(&mut self, case: &CaseId, expected_seconds: f64);
    /// A case ended.
    fn finished(&mut self, row: &CaseRow);
}

/// Watches nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Observer for Silent {
    fn started(&mut self, _: &CaseId, _: f64) {}
    fn finished(&mut self, _: &CaseRow) {}
}

/// What a run needs to know besides the plan.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The bench target.
    pub target: Target,
    /// The run's name.
    pub run_id: String,
    /// Seconds since 1970.
    pub started_unix: u64,
    /// The system under test.
    pub environment: Environment,
    /// Where the run writes; created if absent.
    pub folder: PathBuf,
    /// Devices whose absence is a failure.
    pub required_devices: Vec<String>,
    /// Let the children's prints through.
    pub verbose: bool,
    /// How a child is told its job: the names of the variables for the job file, the parent and the start.
    pub variables: [&'static str; 3],
    /// Reads the monotonic clock.
    pub now_ns: fn() -> u64,
}

/// Why a run could not go on. What was measured before is in the record.
#[derive(Debug)]
pub enum RunError {
    /// The run's folder cannot be used.
    Folder(PathBuf, io::Error),
    /// The record cannot be written.
    Store(StoreError),
    /// This program cannot find itself.
    Program(io::Error),
}

impl fmt::Display for RunError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RunError::Folder(path, error) => write!(
                formatter,
                "write to {}: {error}; set GAPBENCH_HOME to a folder that can be written",
                path.display()
            ),
            RunError::Store(error) => error.fmt(formatter),
            RunError::Program(error) => write!(formatter, "find this program's own file: {error}"),
        }
    }
}

impl std::error::Error for RunError {}

impl From<StoreError> for RunError {
    fn from(error: StoreError) -> Self {
        RunError::Store(error)
    }
}

/// The record's file in a run's folder.
pub(crate) const RECORD_FILE: &str = "record.jsonl";

/// Runs the plan. Each row is on disk before the next case starts; what is returned is the record's outline, without
/// the observations.
///
/// # Errors
/// [`RunError`]: only what makes every further number impossible. A case that fails is a row.
pub fn execute(
    plan: &Plan,
    settings: &Settings,
    observer: &mut dyn Observer,
    interrupt: &Interrupt,
) -> Result<Record, RunError> {
    let folder = |path: &Path, error| RunError::Folder(path.to_owned(), error);
    fs::create_dir_all(&settings.folder).map_err(|error| folder(&settings.folder, error))?;
    let children = tempfile::Builder::new()
        .prefix("children-")
        .tempdir_in(&settings.folder)
        .map_err(|error| folder(&settings.folder, error))?;
    let call = Call {
        program: child::this_program().map_err(RunError::Program)?,
        job_variable: settings.variables[0],
        parent_variable: settings.variables[1],
        spawned_variable: settings.variables[2],
        now_ns: settings.now_ns,
        verbose: settings.verbose,
    };
    let start = (settings.now_ns)();
    let mut settings = settings.clone();
    settings.environment.device = survey(plan, &call, &settings, children.path(), observer, interrupt);
    let settings = &settings;
    let header = Header {
        schema: SCHEMA.to_owned(),
        version: VERSION,
        run_id: settings.run_id.clone(),
        target: settings.target.clone(),
        started_unix: settings.started_unix,
        profile: plan.options.profile.name().to_owned(),
        seed: plan.options.seed,
        planned: plan.cases.len(),
        environment: settings.environment.clone(),
    };
    let mut writer = Writer::create(&settings.folder.join(RECORD_FILE), &header)?;
    let mut record = Record { header, rows: Vec::new(), end: None };
    for case in &plan.cases {
        if interrupt.asked() {
            break;
        }
        observer.started(&case.id, expected_seconds(case));
        let row = run_case(plan, case, &call, settings, children.path(), interrupt);
        if interrupt.asked() {
            // A case that the user cut short was not measured; the record shows that the run was interrupted.
            break;
        }
        writer.append(&row)?;
        observer.finished(&row);
        record.rows.push(row.outline());
    }
    let end = End {
        status: if interrupt.asked() { "interrupted" } else { "complete" }.to_owned(),
        wall_seconds: seconds_since(start, settings.now_ns),
    };
    writer.finish(&end)?;
    record.end = Some(end);
    Ok(record)
}

fn run_case(
    plan: &Plan,
    case: &PlannedCase,
    call: &Call,
    settings: &Settings,
    folder: &Path,
    interrupt: &Interrupt,
) -> CaseRow {
    let start = (settings.now_ns)();
    let mut collector = Collector::new(case.id.clone(), case.declaration.path(), &settings.required_devices);
    let children = case.steps.iter().flat_map(|step| std::iter::repeat_n(step, step.processes));
    for step in children {
        let job = job(plan, case, step.mode, step.cold_start, settings, folder);
        let coldness = match Coldness::make(step.cold_start, collector.model_files(), folder) {
            Ok(coldness) => coldness,
            Err(why) => {
                collector.not_cold(step.cold_start, &why);
                continue;
            }
        };
        match child::run(call, &job, folder, &coldness.variables, step.timeout, interrupt) {
            Err(error) => {
                collector.could_not_run(&error);
                break;
            }
            Ok(report) => {
                if !collector.take(report, step.cold_start, step.timeout) {
                    break;
                }
            }
        }
    }
    collector.finish(seconds_since(start, settings.now_ns))
}

fn job(
    plan: &Plan,
    case: &PlannedCase,
    mode: JobMode,
    cold_start: Option<ColdLevel>,
    settings: &Settings,
    folder: &Path,
) -> Job {
    let wants = |part: Part| plan::wants(case.declaration, &plan.options, part);
    Job {
        protocol: PROTOCOL,
        function: case.declaration.path(),
        case: case.id.clone(),
        axis_index: case.axis_index.clone(),
        mode,
        survey: false,
        latency: wants(Part::Latency),
        quality: wants(Part::Quality),
        cold_start,
        // What a process takes does not depend on how cold it began, and a look takes time.
        memory: wants(Part::Memory) && cold_start.is_none_or(|level| level == ColdLevel::Process),
        load: case.load.clone(),
        budget: case.budget,
        seed: plan.options.seed,
        device: settings.environment.device.clone(),
        conditions: machine(&settings.environment, case),
        events: folder.join("events.jsonl"),
    }
}

/// How long a survey should take and may take, in seconds.
const SURVEY_SECONDS: (f64, f64) = (3.0, 120.0);

/// Asks a child that drives the first kernel what its device is. None where nothing is to be timed on one, and where the
/// survey ends without an answer: then each kernel says by itself why.
fn survey(
    plan: &Plan,
    call: &Call,
    settings: &Settings,
    folder: &Path,
    observer: &mut dyn Observer,
    interrupt: &Interrupt,
) -> Option<Device> {
    let kernel = plan.cases.iter().find(|case| case.is_timed_kernel())?;
    let (expected, timeout) = SURVEY_SECONDS;
    observer.started(&CaseId("the device's peaks".to_owned()), expected);
    let job = Job { survey: true, ..job(plan, kernel, JobMode::Measure, None, settings, folder) };
    let report = child::run(call, &job, folder, &[], timeout, interrupt).ok()?;
    report.events.into_iter().rev().find_map(|event| match event {
        Event::Device(device) => Some(device),
        _ => None,
    })
}

/// What is known of the machine, with the case's own conditions.
fn machine(environment: &Environment, case: &PlannedCase) -> crate::record::Conditions {
    let known = case.conditions.clone().with(Condition::Count, environment.cores as f64);
    match &environment.cpu {
        Some(cpu) => known.with(Condition::Hardware, cpu.as_str()),
        None => known,
    }
}

/// A guess for the progress bar: observing takes what it takes, and a fresh process a little.
fn expected_seconds(case: &PlannedCase) -> f64 {
    let sets =
        case.declaration.options.benchmark.iter().count() + case.declaration.options.inputs.iter().count();
    let measuring = case.budget.warm_up + case.budget.measure * sets.max(1) as f64;
    case.steps
        .iter()
        .map(|step| {
            let seconds = match step.mode {
                JobMode::Measure => measuring,
                JobMode::Load => case.load.as_ref().map_or(0.0, plan::LoadJob::expected_seconds),
                JobMode::Test | JobMode::FirstAnswer => 0.05,
            };
            step.processes as f64 * seconds
        })
        .sum()
}

fn seconds_since(start: u64, now_ns: fn() -> u64) -> f64 {
    now_ns().saturating_sub(start) as f64 * 1e-9
}
