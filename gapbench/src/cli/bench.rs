//! `cargo bench`: measure the plan, judge, write every report, show the one on the terminal.

use std::env;
use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use crate::declare::Declarations;
use crate::judge::{Judge, Judgement};
use crate::plan::Plan;
use crate::record::{
    CaseId, CaseRow, Environment, Index, Metric, Outcome, Record, Rows, StoreError, Target, date,
    write_atomically,
};
use crate::report::replayable::Replayable;
use crate::report::results::{self, TargetResults};
use crate::report::sections::Sections;
use crate::report::{html, markdown, text};
use crate::run::{self, Interrupt, Observer, Settings};
use crate::{measure, units};

use super::options::Options;
use super::progress::Progress;
use super::{Binary, Stop, exit, home};

/// Measures and reports.
#[allow(clippy::print_stderr)]
pub(super) fn run(
    binary: Binary,
    declared: &Declarations,
    plan: &Plan,
    options: &Options,
) -> Result<u8, Stop> {
    if plan.cases.is_empty() {
        eprintln!("{}: none of its {} cases is selected; `--list` shows them", binary.bench, plan.left_out);
        return Ok(if options.gate { exit::NOTHING } else { exit::OK });
    }
    if binary.debug {
        eprintln!("warning: this is a build without optimisation; its times are held against no claim");
    }
    let target = Target { package: binary.package.to_owned(), bench: binary.bench.to_owned() };
    let folders = Folders { home: home::of_bench(), target: target.clone() };
    // Before anything runs: a baseline that is not there must not cost minutes first.
    let earlier = folders.earlier(options)?;
    let interrupt =
        Interrupt::listen().map_err(|error| Stop::usage(format!("failed to listen to signals: {error}")))?;
    let started_unix = date::now_unix();
    let settings = Settings {
        run_id: date::run_id(started_unix, std::process::id()),
        started_unix,
        environment: Environment::read(binary.debug, run::revision(Path::new(binary.manifest_dir))),
        folder: folders.run(&date::run_id(started_unix, std::process::id())),
        target,
        required_devices: options.required_devices.clone(),
        verbose: options.verbose,
        variables: [measure::JOB_VARIABLE, measure::PARENT_VARIABLE, measure::SPAWNED_VARIABLE],
        now_ns: measure::now_ns,
    };
    let mut watcher = Watcher(Progress::new(
        plan.cases.len(),
        options.quiet || options.verbose,
        io::stderr().is_terminal().then(|| columns().unwrap_or(80)),
    ));
    let executed = run::execute(plan, &settings, &mut watcher, &interrupt);
    watcher.0.close();
    let record =
        executed.map_err(|error| Stop { code: exit::USAGE, text: format!("error: failed to {error}") })?;
    let raw = folders.home.join(folders.relative_record(&settings.run_id));
    let Judged { judgement, replayable } = judge(&raw, &record, declared, earlier.as_ref())
        .map_err(|error| Stop::usage(format!("failed to {error}")))?;

    if options.bencher_output {
        bencher_lines(&record, &judgement);
    }
    let code = code(&record, &judgement, options);
    let results = TargetResults::new(&record, judgement, &folders.relative_record(&settings.run_id));
    let written = folders.write(&results, &record, replayable, options);
    if !options.bencher_output {
        // What was measured is shown even where it could not be written.
        show(&results, options, written.as_deref().unwrap_or_default().to_vec());
    }
    written.map(|_| code)
}

/// What was found in the observations.
struct Judged {
    judgement: Judgement,
    replayable: Replayable,
}

/// Judges the run from its file, a case at a time: together the observations of many cases would not fit into the few
/// megabytes that a parent should take from the machine it measures on.
fn judge(
    raw: &Path,
    outline: &Record,
    declared: &Declarations,
    earlier: Option<&Index>,
) -> Result<Judged, StoreError> {
    let mut judge = Judge::new(&outline.header, &outline.rows, declared, earlier.map(Index::header));
    let mut replayable = Replayable::default();
    for row in Rows::open(raw)? {
        let row = row?;
        judge.row(&row, earlier.and_then(|earlier| earlier.row(&row.case)).as_ref());
        replayable.add(&outline.header.target, &row);
        replayable.forget_observations();
    }
    Ok(Judged { judgement: judge.finish(), replayable })
}

/// The terminal's width, where the shell says it.
fn columns() -> Option<usize> {
    env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok())
}

struct Watcher(Progress);

impl Observer for Watcher {
    fn started(&mut self, case: &CaseId, expected_seconds: f64) {
        self.0.started(case, expected_seconds);
    }

    fn finished(&mut self, row: &CaseRow) {
        self.0.finished(row);
    }
}

fn code(record: &Record, judgement: &Judgement, options: &Options) -> u8 {
    let failed = record.rows.iter().any(|row| matches!(row.outcome, Outcome::Failed(_)));
    let measured = record.rows.iter().any(|row| row.outcome == Outcome::Measured);
    if !record.is_complete() {
        exit::INCOMPLETE
    } else if failed {
        exit::CASE_FAILED
    } else if options.gate && judgement.gated() > 0 {
        exit::STOPPED
    } else if options.gate && !measured {
        exit::NOTHING
    } else {
        exit::OK
    }
}

fn show(results: &TargetResults, options: &Options, files: Vec<(String, String)>) {
    let how = text::TextOptions { color: options.colour, width: columns().unwrap_or(100), files };
    let mut page = String::new();
    if text::render(&mut page, results, &how).is_ok() {
        // A closed pipe, as behind `| head`, is no error of ours.
        let _ = io::stdout().lock().write_all(page.as_bytes());
    }
}

/// libtest's bench lines: nanoseconds per call with half the interval.
fn bencher_lines(record: &Record, judgement: &Judgement) {
    let mut out = io::stdout().lock();
    for row in &record.rows {
        let times = judgement
            .measured
            .iter()
            .filter(|summary| summary.case == row.case && summary.metric == Metric::LatencyE2e);
        for summary in times {
            let interval = summary.estimate.interval;
            let half = interval.lower.zip(interval.upper).map_or(0.0, |(lower, upper)| (upper - lower) / 2.0);
            let set = summary.inputs.map(|inputs| format!("::{inputs:?}").to_lowercase()).unwrap_or_default();
            let _ = writeln!(
                out,
                "test {}{set} ... bench: {:>11} ns/iter (+/- {})",
                row.case,
                units::show_integer(interval.value * 1e9),
                units::show_integer(half * 1e9)
            );
        }
    }
}

/// Where a bench target's files are.
struct Folders {
    home: PathBuf,
    target: Target,
}

impl Folders {
    fn run(&self, run_id: &str) -> PathBuf {
        self.home.join("runs").join(run_id)
    }

    fn relative_record(&self, run_id: &str) -> PathBuf {
        Path::new("runs").join(run_id).join(run::RECORD_FILE)
    }

    fn results(&self) -> PathBuf {
        self.home.join("results.json")
    }

    fn baseline(&self, name: &str) -> PathBuf {
        self.home
            .join("baselines")
            .join(name)
            .join(format!("{}-{}.jsonl", self.target.package, self.target.bench))
    }

    /// The record to compare with: the named baseline, else this target's last run, if there is one.
    #[allow(clippy::print_stderr)]
    fn earlier(&self, options: &Options) -> Result<Option<Index>, Stop> {
        let Some((name, lenient)) = &options.baseline else {
            let runs = results::list(&self.results()).unwrap_or_default();
            let last = runs.into_iter().find(|run| run.target == self.target);
            // The last run is a courtesy: whatever is wrong with it must not stop this one.
            return Ok(last.and_then(|last| Index::read(&self.home.join(last.record)).ok()));
        };
        let path = self.baseline(name);
        match Index::read(&path) {
            Ok(index) => Ok(Some(index)),
            Err(_) if !path.exists() && *lenient => {
                eprintln!("no baseline `{name}` of {} yet; nothing to compare with", self.target);
                Ok(None)
            }
            Err(_) if !path.exists() => {
                let known = self.known_baselines();
                let known =
                    if known.is_empty() { "there is none".to_owned() } else { format!("there are: {known}") };
                Err(Stop::usage(format!(
                    "there is no baseline `{name}` of {}; {known}. `--save-baseline {name}` keeps a run, \
                     `--baseline-lenient {name}` does without",
                    self.target
                )))
            }
            Err(error) => Err(Stop::usage(format!("failed to {error}"))),
        }
    }

    fn known_baselines(&self) -> String {
        let folders = fs::read_dir(self.home.join("baselines")).into_iter().flatten().flatten();
        let mut names: Vec<String> = folders
            .map(|folder| folder.file_name().to_string_lossy().into_owned())
            .filter(|name| self.baseline(name).exists())
            .collect();
        names.sort();
        names.join(", ")
    }

    /// Writes everything; returns what is where, for the last lines of the report.
    #[allow(clippy::print_stderr)]
    fn write(
        &self,
        results: &TargetResults,
        record: &Record,
        replayable: Replayable,
        options: &Options,
    ) -> Result<Vec<(String, String)>, Stop> {
        let stop =
            |error: &dyn std::fmt::Display| Stop::usage(format!("failed to write the results: {error}"));
        let own = Sections::of(results);
        own.write(&self.run(&record.header.run_id)).map_err(|error| stop(&error))?;
        let now = date::now_unix();
        let updated = results::update(&self.results(), results, now).map_err(|error| stop(&error))?;
        for warning in &updated.warnings {
            eprintln!("warning: {warning}");
        }
        let mut sections = Sections::default();
        for run in &updated.runs {
            let folder = self.home.join(&run.record).with_file_name("");
            if let Err(error) = sections.read(&folder) {
                eprintln!(
                    "warning: the reports leave out {}: {}: {error}; run it again",
                    run.target,
                    folder.display()
                );
            }
        }
        let page = html::page(&sections.html, now);
        let report = markdown::page(&sections.markdown, now);
        for (name, content) in [("report.html", &page), ("report.md", &report)] {
            write_atomically(&self.home.join(name), content.as_bytes()).map_err(|error| stop(&error))?;
        }
        #[cfg(feature = "criterion-report")]
        let criterion =
            super::replay::run(&replayable, &sections, now, options, &self.run(&record.header.run_id));
        #[cfg(not(feature = "criterion-report"))]
        drop(replayable);
        if let Some(summary) = env::var_os("GITHUB_STEP_SUMMARY").filter(|summary| !summary.is_empty())
            && let Err(error) = markdown::append_step_summary(Path::new(&summary), &own.markdown.concat())
        {
            eprintln!("warning: failed to append to the step summary: {error}");
        }
        let mut written = vec![
            ("report".to_owned(), shown(&self.home.join("report.html"))),
            ("results".to_owned(), shown(&self.results())),
            ("record".to_owned(), shown(&self.home.join(&results.record))),
        ];
        #[cfg(feature = "criterion-report")]
        match criterion {
            Ok(index) => written.push(("criterion".to_owned(), shown(&index))),
            Err(reason) => eprintln!("warning: {reason}"),
        }
        if let Some(name) = &options.save_baseline {
            let kept = self.baseline(name);
            if record.is_complete() {
                let raw = fs::read(self.home.join(&results.record)).map_err(|error| stop(&error))?;
                fs::create_dir_all(kept.parent().unwrap_or(&self.home)).map_err(|error| stop(&error))?;
                write_atomically(&kept, &raw).map_err(|error| stop(&error))?;
                written.push(("baseline".to_owned(), shown(&kept)));
            } else {
                eprintln!("warning: the run was cut short, so baseline `{name}` was left as it was");
            }
        }
        Ok(written)
    }
}

/// A path as a person would type it: from the folder that holds cargo's target folder, since cargo starts a bench in
/// the package's folder and not where the person is.
fn shown(path: &Path) -> String {
    let target = home::target_of_bench();
    let workspace = target.parent().filter(|folder| !folder.as_os_str().is_empty());
    workspace.and_then(|workspace| path.strip_prefix(workspace).ok()).unwrap_or(path).display().to_string()
}
