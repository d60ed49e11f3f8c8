//! The front door: words in, exit code out. The only stage that may know all others.

mod bench;
pub mod exit;
pub mod home;
mod loads;
mod options;
pub mod progress;
#[cfg(feature = "criterion-report")]
mod replay;
mod test;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use crate::{declare, measure, plan};

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
    if let Some(job) = replay::job() {
        return replay::serve(Path::new(&job));
    }
    match parent(binary, std::env::args_os().collect()) {
        Ok(code) => ExitCode::from(code),
        Err(stop) => {
            eprintln!("{}", stop.text);
            ExitCode::from(stop.code)
        }
    }
}

/// A run that ends before it has results: what to say, and the exit code.
#[derive(Debug)]
struct Stop {
    code: u8,
    text: String,
}

impl Stop {
    fn usage(text: impl std::fmt::Display) -> Stop {
        Stop { code: exit::USAGE, text: format!("error: {text}") }
    }
}

fn parent(binary: Binary, words: Vec<OsString>) -> Result<u8, Stop> {
    let variables: Vec<String> =
        std::env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned()).collect();
    let options = match options::parse(words, &variables) {
        Ok(options) => options,
        Err(options::Answer::Help(text)) => return Err(Stop { code: exit::OK, text }),
        Err(options::Answer::Usage(text)) => return Err(Stop { code: exit::USAGE, text }),
    };
    let declared = declare::collect().map_err(|errors| {
        let lines: Vec<String> = errors.iter().map(|error| format!("error: {error}")).collect();
        Stop { code: exit::USAGE, text: lines.join("\n") }
    })?;
    let declared = match &options.price {
        Some(price) => declared.at_price(price),
        None => declared,
    };
    let plan = plan::build(&declared, &options.plan).map_err(Stop::usage)?;
    match options.action {
        options::Action::List { ignored } => {
            test::list(&plan, ignored);
            Ok(exit::OK)
        }
        options::Action::Explain => {
            test::explain(&plan);
            Ok(exit::OK)
        }
        options::Action::Run if options.plan.mode == plan::Mode::Test => test::run(binary, &plan, &options),
        options::Action::Run => bench::run(binary, &declared, &plan, &options),
    }
}
