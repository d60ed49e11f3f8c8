//! Listing, explaining and testing: what runs nothing, or everything once. Speaks libtest's protocol, so that `cargo
//! test --benches` and nextest understand it.

use std::io::{self, Write};

use crate::plan::Plan;
use crate::record::{CaseId, CaseRow, Environment, Outcome, Target};
use crate::run::{self, Interrupt, Observer, Settings};

use super::options::Options;
use super::{Binary, Stop, exit};
use crate::measure;

/// `name: benchmark` per line, and nothing else. Nothing is ever ignored, so that list is empty.
pub(super) fn list(plan: &Plan, ignored: bool) {
    let mut out = io::stdout().lock();
    for case in plan.cases.iter().filter(|_| !ignored) {
        // A reader that has seen enough may close the pipe.
        if writeln!(out, "{}: benchmark", case.id).is_err() {
            return;
        }
    }
}

/// The plan.
pub(super) fn explain(plan: &Plan) {
    let _ = write!(io::stdout().lock(), "{plan}");
}

/// Runs each case once, in a folder that goes away.
pub(super) fn run(binary: Binary, plan: &Plan, options: &Options) -> Result<u8, Stop> {
    let folder =
        tempfile::tempdir().map_err(|error| Stop::usage(format!("create a temporary folder: {error}")))?;
    let interrupt =
        Interrupt::listen().map_err(|error| Stop::usage(format!("listen to signals: {error}")))?;
    let settings = Settings {
        target: Target { package: binary.package.to_owned(), bench: binary.bench.to_owned() },
        run_id: "test".to_owned(),
        started_unix: 0,
        environment: Environment::read(binary.debug, None),
        folder: folder.path().join("run"),
        required_devices: options.required_devices.clone(),
        verbose: options.verbose,
        variables: [measure::JOB_VARIABLE, measure::PARENT_VARIABLE, measure::SPAWNED_VARIABLE],
        now_ns: measure::now_ns,
    };
    let mut lines = Lines { quiet: options.quiet, failed: Vec::new(), passed: 0, skipped: 0 };
    lines.say(&format!("\nrunning {} benchmarks once each", plan.cases.len()));
    run::execute(plan, &settings, &mut lines, &interrupt).map_err(Stop::usage)?;
    lines.close(plan.left_out);
    Ok(if interrupt.asked() {
        exit::INCOMPLETE
    } else if lines.failed.is_empty() {
        exit::OK
    } else {
        exit::CASE_FAILED
    })
}

struct Lines {
    quiet: bool,
    failed: Vec<CaseRow>,
    passed: usize,
    skipped: usize,
}

impl Lines {
    fn say(&self, line: &str) {
        if !self.quiet {
            let _ = writeln!(io::stdout().lock(), "{line}");
        }
    }

    fn close(&self, left_out: usize) {
        let mut out = io::stdout().lock();
        for row in &self.failed {
            if let Outcome::Failed(failure) = &row.outcome {
                let _ = writeln!(out, "\n---- {} ----\n{}", row.case, failure.reason);
                for line in &failure.stderr_tail {
                    let _ = writeln!(out, "    {line}");
                }
            }
        }
        let result = if self.failed.is_empty() { "ok" } else { "FAILED" };
        let _ = writeln!(
            out,
            "\ntest result: {result}. {} passed; {} failed; {} ignored; 0 measured; {left_out} filtered out\n",
            self.passed,
            self.failed.len(),
            self.skipped
        );
    }
}

impl Observer for Lines {
    fn started(&mut self, _: &CaseId, _: f64) {}

    fn finished(&mut self, row: &CaseRow) {
        let result = match &row.outcome {
            Outcome::Measured => {
                self.passed += 1;
                "ok".to_owned()
            }
            Outcome::Skipped { reason, .. } => {
                self.skipped += 1;
                format!("ignored, {reason}")
            }
            Outcome::Failed(_) => {
                self.failed.push(row.clone());
                "FAILED".to_owned()
            }
        };
        self.say(&format!("test {} ... {result}", row.case));
    }
}
