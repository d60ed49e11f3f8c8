//! The report child: criterion prints as it likes and may panic, so it is shown the recorded times in a process of its
//! own, and whatever becomes of it changes no verdict.

use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use serde::{Deserialize, Serialize};

use crate::record::Rows;
use crate::report::criterion::{REPORT_HREF, ReplayJob, replay};
use crate::report::html;
use crate::report::replayable::Replayable;
use crate::report::sections::Sections;
use crate::run::RECORD_FILE;

use super::options::Options;
use super::{exit, home};

/// What the report child is told; the observations are in the record.
#[derive(Serialize, Deserialize)]
struct Task {
    record: PathBuf,
    home: PathBuf,
    save_baseline: Option<String>,
    baseline: Option<(String, bool)>,
    plots: bool,
    page: String,
}

/// Names the job file; its presence makes a process the report child.
const VARIABLE: &str = "GAPBENCH_REPLAY_JOB";

/// The job file, if this process is the report child.
pub(super) fn job() -> Option<OsString> {
    env::var_os(VARIABLE)
}

/// Shows criterion what was recorded.
#[allow(clippy::print_stderr)]
pub(super) fn serve(job: &Path) -> ExitCode {
    match read(job).and_then(|job| replay(&job)) {
        Ok(()) => ExitCode::from(exit::OK),
        Err(problems) => {
            eprintln!("{problems}");
            ExitCode::FAILURE
        }
    }
}

fn read(job: &Path) -> Result<ReplayJob, String> {
    let bytes = fs::read(job).map_err(|error| error.to_string())?;
    let task: Task = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
    let rows = Rows::open(&task.record).map_err(|error| error.to_string())?;
    let target = rows.header().target.clone();
    let mut replayable = Replayable::default();
    for row in rows {
        replayable.add(&target, &row.map_err(|error| error.to_string())?);
    }
    Ok(ReplayJob {
        home: task.home,
        save_baseline: task.save_baseline,
        baseline: task.baseline,
        plots: task.plots,
        items: replayable.items,
        page: task.page,
    })
}

/// criterion draws for about half a processor second per series, so that more than these would take longer than many a
/// run; its tables and baselines are kept for all of them.
const MOST_PLOTTED: usize = 60;

/// From so many series on, criterion takes seconds, and a waiting user wants to know for what.
const WORTH_SAYING: usize = 20;

/// Starts the report child for what is `replayable` and waits for it. Returns criterion's index.
///
/// # Errors
/// A sentence for a warning.
#[allow(clippy::print_stderr)]
pub(super) fn run(
    replayable: &Replayable,
    sections: &Sections,
    unix: u64,
    options: &Options,
    folder: &Path,
) -> Result<PathBuf, String> {
    let home = env::var_os("CRITERION_HOME")
        .filter(|home| !home.is_empty())
        .map_or_else(|| home::target_of_bench().join("criterion"), PathBuf::from);
    let mut remarks: Vec<String> = replayable
        .left_out
        .iter()
        .map(|left| format!("{}/{} is not shown by criterion: {}", left.group, left.id, left.reason))
        .collect();
    let series = replayable.items.len();
    let plots = options.plots && series <= MOST_PLOTTED;
    if options.plots && !plots {
        remarks
            .push(format!("{series} series were measured; criterion draws plots for up to {MOST_PLOTTED}"));
    }
    if !options.quiet && series >= WORTH_SAYING {
        eprintln!("showing {series} series to criterion{}", if plots { "" } else { ", without plots" });
    }
    let task = Task {
        record: folder.join(RECORD_FILE),
        page: html::verdict_page(&sections.verdicts, unix, REPORT_HREF, &remarks),
        home: home.clone(),
        save_baseline: options.save_baseline.clone(),
        // Our own comparison has already answered for a baseline that is missing.
        baseline: options.baseline.clone().map(|(name, _)| (name, true)),
        plots,
    };
    let (job_file, log) = (folder.join("criterion-job.json"), folder.join("criterion.log"));
    let refused = |error: io::Error| format!("criterion's pages were not written: {error}");
    let text = serde_json::to_vec(&task).map_err(|error| refused(error.into()))?;
    fs::write(&job_file, text).map_err(refused)?;
    let output = File::create(&log).map_err(refused)?;
    let program = env::current_exe().map_err(refused)?;
    let status = Command::new(program)
        .env(VARIABLE, &job_file)
        .env("CRITERION_HOME", &home)
        .stdin(Stdio::null())
        .stdout(output.try_clone().map_err(refused)?)
        .stderr(output)
        .status()
        .map_err(refused)?;
    let _ = fs::remove_file(&job_file);
    if status.success() {
        // What criterion printed is of use only when it failed.
        let _ = fs::remove_file(&log);
        Ok(home.join("report").join("index.html"))
    } else {
        Err(format!("criterion's pages are incomplete; {} says why", log.display()))
    }
}
