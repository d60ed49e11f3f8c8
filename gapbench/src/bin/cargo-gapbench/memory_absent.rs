//! `cargo gapbench memory` of a program that was built without it: says what to do and does nothing else.

use std::io::Write;

use clap::{Arg, ArgMatches, Command};

use gapbench::cli::exit;

/// The verb.
pub(crate) const NAME: &str = "memory";

/// The verb's command line: any words, so that the answer is about what is missing and not about them.
pub(crate) fn command() -> Command {
    Command::new(NAME).about("Count a model's memory from its files (not in this build: see --help)").arg(
        Arg::new("words")
            .value_name("WORDS")
            .help("This build lacks the feature `service`, which has this verb")
            .num_args(0..)
            .trailing_var_arg(true)
            .allow_hyphen_values(true),
    )
}

/// Says what is missing; returns a code of [`exit`].
pub(crate) fn run(_: &ArgMatches, _: &mut dyn Write, complaints: &mut dyn Write) -> u8 {
    // A closed pipe leaves nobody to tell: the code still says it.
    let _ = writeln!(
        complaints,
        "error: this build lacks the verb `memory`; install it with `cargo install --path gapbench --features service`"
    );
    exit::USAGE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_words_are_answered_with_what_to_do() {
        let matches = command().try_get_matches_from([NAME, "--model", "x", "--json"]).unwrap();
        let (mut out, mut complaints) = (Vec::new(), Vec::new());
        assert_eq!(run(&matches, &mut out, &mut complaints), exit::USAGE);
        assert!(out.is_empty());
        assert!(String::from_utf8(complaints).unwrap().contains("--features service"));
    }
}
