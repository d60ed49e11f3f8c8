//! The front door: words in, exit code out. The only stage that may know all others.

mod bench;
pub mod check;
mod exit;
mod home;
mod options;
mod progress;
mod test;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use crate::{declare, measure, plan};

pub use exit::Code;
pub use home::results_folder;

/// What a bench binary knows of itself; filled in by `gapbench::main!()`.
#[derive(Clone, Copy, Debug)]
pub struct Binary {
    /// `CARGO_PKG_NAME`.
    pub package: &'static str,
    /// `CARGO_CRATE_NAME`: the bench target.
    pub bench: &'static str,
    /// `CARGO_MANIFEST_DIR`.
    pub manifest_dir: &'static str,
    /// Whether it was built without optimisation (`debug_assertions`).
    pub debug: bool,
}

/// The `main` of a bench binary.
#[allow(clippy::print_stderr)]
pub fn main(binary: Binary) -> ExitCode {
    if let Some(job) = measure::child_job() {
        return measure::serve(Path::new(&job), declare::registered());
    }
    #[cfg(feature = "criterion-report")]
    if let Some(job) = bench::replay_job() {
        return bench::replay(&job);
    }
    match parent(binary, std::env::args_os().collect()) {
        Ok(code) => code.into(),
        Err(stop) => {
            eprintln!("{}", stop.text);
            stop.code.into()
        }
    }
}

/// A run that ends before it has results: what to say, and the exit code.
#[derive(Debug)]
struct Stop {
    code: Code,
    text: String,
}

impl Stop {
    fn usage(text: impl std::fmt::Display) -> Stop {
        Stop { code: Code::Usage, text: format!("error: {text}") }
    }
}

fn parent(binary: Binary, words: Vec<OsString>) -> Result<Code, Stop> {
    let options = match options::parse(words, &|name| std::env::var_os(name)) {
        Ok(options) => options,
        Err(options::Answer::Help(text)) => return Err(Stop { code: Code::Ok, text }),
        Err(options::Answer::Usage(text)) => return Err(Stop { code: Code::Usage, text }),
    };
    let declared = declare::collect().map_err(|errors| {
        let lines: Vec<String> = errors.iter().map(|error| format!("error: {error}")).collect();
        Stop { code: Code::Usage, text: lines.join("\n") }
    })?;
    let plan = plan::build(&declared, &options.plan).map_err(Stop::usage)?;
    match options.action {
        options::Action::List { ignored } => {
            test::list(&plan, ignored);
            Ok(Code::Ok)
        }
        options::Action::Explain => {
            test::explain(&plan);
            Ok(Code::Ok)
        }
        options::Action::Run if options.plan.mode == plan::Mode::Test => test::run(binary, &plan, &options),
        options::Action::Run => bench::run(binary, &declared, &plan, &options),
    }
}
