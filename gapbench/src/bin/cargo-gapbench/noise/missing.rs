//! `cargo gapbench noise` in a build that has no noise: says what to do. Reads nothing.

use std::io::Write;

use clap::{Arg, ArgMatches, Command};
use gapbench::cli::exit;

/// The verb.
pub(crate) const NAME: &str = "noise";

/// The verb's command line: any words, so that none of them is called wrong.
pub(crate) fn command() -> Command {
    Command::new(NAME)
        .about("Show or write an input set with noise (not in this build, see `cargo gapbench noise`)")
        .disable_help_flag(true)
        .arg(Arg::new("words").num_args(0..).trailing_var_arg(true).allow_hyphen_values(true).hide(true))
}

/// Runs the verb; returns a code of [`exit`].
pub(crate) fn run(_: &ArgMatches, _: &mut dyn Write, complaints: &mut dyn Write) -> u8 {
    // A closed pipe leaves nobody to tell: the code still says it.
    let _ = writeln!(
        complaints,
        "gapbench noise: this build has no noise; expected one with the feature `service`; install it with `cargo install \
         --path gapbench --features service`"
    );
    exit::USAGE
}
