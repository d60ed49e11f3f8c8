//! `cargo gapbench import` in a build that has no import: says what to do. Reads nothing.

use std::io::Write;

use clap::{Arg, ArgMatches, Command};
use gapbench::cli::exit;

/// The verb.
pub(crate) const NAME: &str = "import";

/// The verb's command line: any words, so that none of them is called wrong.
pub(crate) fn command() -> Command {
    Command::new(NAME)
        .about("Write a claims file from numbers that others published (not in this build, see `cargo gapbench import`)")
        .disable_help_flag(true)
        .arg(Arg::new("words").num_args(0..).trailing_var_arg(true).allow_hyphen_values(true).hide(true))
}

/// Runs the verb; returns a code of [`exit`].
pub(crate) fn run(_: &ArgMatches, _: &mut dyn Write, complaints: &mut dyn Write) -> u8 {
    // A closed pipe leaves nobody to tell: the code still says it.
    let _ = writeln!(
        complaints,
        "gapbench import: this build has no import; expected one with the feature `import`; install it with `cargo install \
         --path gapbench --features import`"
    );
    exit::USAGE
}
