//! The subcommand `cargo gapbench`: which verb was typed. What only it needs is here and not in the library, so that
//! no bench binary is built with it.

mod check;
mod claims;
#[cfg(feature = "import")]
mod import;
#[cfg(not(feature = "import"))]
#[path = "import/missing.rs"]
mod import;
#[cfg(feature = "service")]
mod memory;
#[cfg(not(feature = "service"))]
#[path = "memory_absent.rs"]
mod memory;
#[cfg(feature = "service")]
mod noise;
#[cfg(not(feature = "service"))]
#[path = "noise/missing.rs"]
mod noise;

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use clap::Command;
use clap::error::ErrorKind;
use gapbench::cli::exit;

fn main() -> ExitCode {
    ExitCode::from(run(std::env::args_os(), &mut std::io::stdout().lock(), &mut std::io::stderr().lock()))
}

/// Runs the subcommand with these arguments, the program's name first. Answers to `cargo gapbench X`, which cargo
/// turns into `cargo-gapbench gapbench X`, and to `cargo-gapbench X`. Returns a code of [`exit`].
///
/// What was asked for goes to `out`, complaints to `complaints`.
fn run(arguments: impl IntoIterator<Item = OsString>, out: &mut dyn Write, complaints: &mut dyn Write) -> u8 {
    let mut arguments: Vec<OsString> = arguments.into_iter().collect();
    if arguments.get(1).is_some_and(|word| word == "gapbench") {
        arguments.remove(1);
    }
    let matches = match command().try_get_matches_from(arguments) {
        Ok(matches) => matches,
        Err(error) => {
            let asked = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            // A closed pipe leaves nobody to tell.
            return if asked {
                let _ = write!(out, "{}", error.render());
                exit::OK
            } else {
                let _ = write!(complaints, "{}", error.render());
                exit::USAGE
            };
        }
    };
    match matches.subcommand() {
        Some((check::NAME, matches)) => check::run(matches, out, complaints),
        Some((claims::NAME, matches)) => claims::run(matches, out, complaints),
        Some((import::NAME, matches)) => import::run(matches, out, complaints),
        Some((memory::NAME, matches)) => memory::run(matches, out, complaints),
        Some((noise::NAME, matches)) => noise::run(matches, out, complaints),
        _ => exit::USAGE,
    }
}

/// The whole command line.
fn command() -> Command {
    Command::new("cargo-gapbench")
        .bin_name("cargo gapbench")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Numbers a paper declared against numbers measured here")
        .subcommand_required(true)
        .arg_required_else_help(false)
        .subcommand(check::command())
        .subcommand(claims::command())
        .subcommand(import::command())
        .subcommand(memory::command())
        .subcommand(noise::command())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_is_consistent() {
        super::command().debug_assert();
    }
}
