//! The words of the command line and their mirrors in the environment.
//!
//! criterion's and libtest's words keep their meaning, so that `cargo bench`, `cargo test --benches`, nextest and
//! people's habits work.

use std::ffi::OsString;
use std::io::IsTerminal;
use std::time::Duration;

use clap::builder::BoolishValueParser;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};
use regex::Regex;

use super::loads;
use crate::declare::Price;
use crate::plan::{self, Mode, Part, Partition, Profile};

/// What the user wants.
#[derive(Clone, Debug)]
pub(super) struct Options {
    pub(super) action: Action,
    pub(super) plan: plan::Options,
    /// What the hardware costs, in place of what the claims files say.
    pub(super) price: Option<Price>,
    pub(super) save_baseline: Option<String>,
    /// The name, and whether a missing one is fine.
    pub(super) baseline: Option<(String, bool)>,
    pub(super) required_devices: Vec<String>,
    pub(super) gate: bool,
    pub(super) quiet: bool,
    pub(super) verbose: bool,
    pub(super) bencher_output: bool,
    pub(super) colour: bool,
    #[cfg_attr(not(feature = "criterion-report"), expect(dead_code, reason = "only criterion draws"))]
    pub(super) plots: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Run,
    List { ignored: bool },
    Explain,
}

/// Why there are no options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Help(String),
    Usage(String),
}

/// The seed of a run that does not name one: any fixed number keeps runs comparable.
const DEFAULT_SEED: &str = "42";

/// Devices that can be required. A closed list, since a device that is misspelt would never be found absent.
const DEVICES: &[&str] = &["cuda", "rocm", "metal", "vulkan"];

/// Words that libtest's callers pass and that mean nothing here, since every case is a process of its own.
const ACCEPTED_FLAGS: &[&str] = &["nocapture", "no-capture", "show-output", "include-ignored", "ignored"];

pub(super) fn flag(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).help(help).action(ArgAction::SetTrue).value_parser(BoolishValueParser::new())
}

pub(super) fn value(name: &'static str, placeholder: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(placeholder).help(help).num_args(1)
}

fn command() -> Command {
    let profiles: Vec<&str> = Profile::ALL.iter().map(|profile| profile.name()).collect();
    let parts: Vec<&str> = Part::ALL.iter().map(|part| part.name()).collect();
    let mut command = Command::new("bench")
        .bin_name("cargo bench --")
        .about("Measures the annotated functions and holds them against what their papers declare.")
        .after_help(
            "Every option has a mirror in the environment, GAPBENCH_ and its name in capitals (GAPBENCH_PROFILE=full); \
             the command line wins. GAPBENCH_HOME is the folder of the results.\n\nExit codes: 0 done, 1 a gated \
             verdict (--gate), 2 usage or broken input, 4 nothing was run (--gate), 5 interrupted, 101 a case failed.",
        )
        .disable_version_flag(true)
        .arg(
            Arg::new("filter")
                .value_name("FILTER")
                .help("Regular expressions on case names; a case runs if any matches")
                .num_args(0..),
        )
        .arg(flag("exact", "FILTERs are whole names"))
        .arg(value("skip", "TEXT", "Leave out cases whose name contains TEXT").action(ArgAction::Append))
        .arg(flag("list", "Print the names of the cases and run nothing"))
        .arg(value("format", "FORMAT", "Format of --list").value_parser(["terse", "pretty"]).default_value("pretty"))
        .arg(flag("explain", "Print the plan and run nothing"))
        .arg(flag("test", "Run each case once, measure nothing"))
        .arg(flag("bench", "Measure (cargo bench passes this)"))
        .arg(value("profile", "PROFILE", "How much time to spend").value_parser(profiles).default_value("quick"))
        .arg(flag("quick", "The same as --profile smoke"))
        .arg(
            value("only", "PARTS", "Measure only these, separated by commas")
                .value_parser(parts)
                .value_delimiter(',')
                .action(ArgAction::Append),
        )
        .arg(value("seed", "N", "Seed of everything random").value_parser(clap::value_parser!(u64)).default_value(DEFAULT_SEED))
        .arg(value("timeout", "TIME", "End a process after this long (`90s`, `5min`)").value_parser(duration))
        .arg(value("warm-up-time", "SECONDS", "Warm up for this long").value_parser(seconds))
        .arg(value("measurement-time", "SECONDS", "Observe for this long").value_parser(seconds))
        .arg(value("partition", "hash:K/N", "Run the K-th of N shares of the cases").value_parser(partition))
        .arg(
            value("require-device", "DEVICE", "Fail, instead of skipping, cases that need this absent device")
                .value_parser(DEVICES.to_vec())
                .value_delimiter(',')
                .action(ArgAction::Append),
        )
        .arg(flag("gate", "Exit with 1 on a verdict that the claims' policy gates"))
        .arg(value("save-baseline", "NAME", "Keep this run under NAME").short('s').value_parser(baseline_name))
        .arg(
            value("baseline", "NAME", "Compare with the run kept under NAME, which must exist")
                .short('b')
                .value_parser(baseline_name),
        )
        .arg(
            value("baseline-lenient", "NAME", "Compare with the run kept under NAME, if it exists")
                .value_parser(baseline_name),
        )
        .arg(
            value("output-format", "FORMAT", "`bencher` prints libtest's bench lines")
                .value_parser(["gapbench", "criterion", "bencher"])
                .default_value("gapbench"),
        )
        .arg(value("color", "WHEN", "Colours").value_parser(["auto", "always", "never"]).default_value("auto"))
        .arg(flag("noplot", "No plots in criterion's pages").short('n'))
        .arg(flag("quiet", "Print less").short('q'))
        .arg(flag("verbose", "Let the cases' own prints through").short('v'))
        .arg(value("test-threads", "N", "Accepted for libtest's callers; cases run one at a time").hide(true));
    for argument in loads::arguments() {
        command = command.arg(argument);
    }
    for name in ACCEPTED_FLAGS {
        command = command.arg(flag(name, "Accepted for libtest's callers").hide(true));
    }
    mirrored(command)
}

/// Gives every option its mirror in the environment.
fn mirrored(command: Command) -> Command {
    command.mut_args(|argument| match argument.get_long().map(variable) {
        Some(name) if argument.get_id() != "help" => argument.env(name).hide_env(true),
        _ => argument,
    })
}

fn variable(long: &str) -> String {
    format!("GAPBENCH_{}", long.to_uppercase().replace('-', "_"))
}

/// Variables of ours that are no mirrors of an option here: the folder of the results, the words of `cargo gapbench`,
/// and what tests use.
const OTHER_VARIABLES: &[&str] = &[
    "GAPBENCH_HOME",
    "GAPBENCH_RESULTS",
    "GAPBENCH_STRICT",
    "GAPBENCH_FAIL_ON",
    "GAPBENCH_BLESS",
    "GAPBENCH_CUDA_PATH",
    "GAPBENCH_NVRTC_CACHE",
];

/// A variable that looks like ours and is none was meant to change something.
fn refuse_unknown(variables: &[String]) -> Result<(), Answer> {
    let command = command();
    let mut known: Vec<String> =
        command.get_arguments().filter_map(|found| found.get_long()).map(variable).collect();
    known.extend(OTHER_VARIABLES.iter().map(|name| (*name).to_owned()));
    let unknown = variables.iter().find(|name| name.starts_with("GAPBENCH_") && !known.contains(name));
    let Some(unknown) = unknown else { return Ok(()) };
    let near = known
        .iter()
        .map(|name| (strsim::jaro_winkler(name, unknown), name))
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name.as_str())
        .unwrap_or_default();
    Err(Answer::Usage(format!(
        "error: the environment has {unknown}, which is no option of gapbench; did you mean {near}? `--help` lists the \
         options, each with its mirror"
    )))
}

/// Understands the words, in an environment with variables of these names.
pub(super) fn parse(words: Vec<OsString>, variables: &[String]) -> Result<Options, Answer> {
    refuse_unknown(variables)?;
    let found = command().try_get_matches_from(words).map_err(|error| {
        let text = error.render().to_string().trim_end().to_owned();
        if error.use_stderr() { Answer::Usage(text) } else { Answer::Help(text) }
    })?;
    let on = |name: &str| found.get_flag(name);
    let word = |name: &str| found.get_one::<String>(name).cloned();
    // Without `--bench` it was `cargo test` that started us.
    let mode = if on("bench") && !on("test") { Mode::Bench } else { Mode::Test };
    let [quick, _] = alternatives(&found, ["quick", "profile"], &|name| name == "profile" || on(name))?;
    let profile = if quick {
        Profile::Smoke
    } else {
        chosen(&found, "profile", Profile::ALL, Profile::name).unwrap_or(Profile::Quick)
    };
    let (filters, exact) = filters(&found)?;
    let given = |name: &str| word(name).is_some();
    let [strict, lenient, save] =
        alternatives(&found, ["baseline", "baseline-lenient", "save-baseline"], &given)?;
    let baseline = match (strict, lenient) {
        (true, _) => word("baseline").map(|name| (name, false)),
        (false, true) => word("baseline-lenient").map(|name| (name, true)),
        (false, false) => None,
    };
    let colour = match word("color").as_deref() {
        Some("always") => true,
        Some("never") => false,
        _ => std::io::stdout().is_terminal() && !variables.iter().any(|name| name == "NO_COLOR"),
    };
    Ok(Options {
        action: if on("list") {
            Action::List { ignored: on("ignored") }
        } else if on("explain") {
            Action::Explain
        } else {
            Action::Run
        },
        plan: plan::Options {
            mode,
            filters,
            exact,
            skip: all(&found, "skip"),
            profile,
            only: Part::ALL
                .iter()
                .copied()
                .filter(|part| all(&found, "only").iter().any(|word| word == part.name()))
                .collect(),
            seed: found.get_one("seed").copied().unwrap_or_default(),
            timeout: found.get_one("timeout").copied(),
            warm_up: found.get_one("warm-up-time").copied(),
            measure: found.get_one("measurement-time").copied(),
            loads: loads::read(&found)?,
            partition: found.get_one("partition").copied(),
        },
        price: loads::price_of(&found),
        save_baseline: word("save-baseline").filter(|_| save),
        baseline,
        required_devices: all(&found, "require-device"),
        gate: on("gate"),
        quiet: on("quiet"),
        verbose: on("verbose") || on("nocapture") || on("no-capture"),
        bencher_output: word("output-format").as_deref() == Some("bencher"),
        colour,
        plots: !on("noplot"),
    })
}

/// Which of some options that exclude each other counts: the one on the command line, else the first that the
/// environment gives. Two on the command line are a mistake.
fn alternatives<const N: usize>(
    found: &ArgMatches,
    names: [&str; N],
    given: &dyn Fn(&str) -> bool,
) -> Result<[bool; N], Answer> {
    let typed = |name: &&&str| found.value_source(name) == Some(ValueSource::CommandLine);
    let on_line: Vec<&&str> = names.iter().filter(typed).collect();
    if let [first, second, ..] = on_line[..] {
        return Err(Answer::Usage(format!(
            "error: --{first} and --{second} exclude each other; give one of them"
        )));
    }
    let counts = on_line.first().or(names.iter().find(|name| given(name)).as_ref()).map(|name| **name);
    Ok(names.map(|name| Some(name) == counts))
}

fn all(found: &ArgMatches, name: &str) -> Vec<String> {
    found.get_many::<String>(name).unwrap_or_default().cloned().collect()
}

fn chosen<T: Copy>(found: &ArgMatches, name: &str, values: &[T], word: fn(T) -> &'static str) -> Option<T> {
    let chosen = found.get_one::<String>(name)?;
    values.iter().copied().find(|value| word(*value) == chosen)
}

fn filters(found: &ArgMatches) -> Result<(Vec<Regex>, Vec<String>), Answer> {
    let words = all(found, "filter");
    if found.get_flag("exact") {
        return Ok((Vec::new(), words));
    }
    let mut filters = Vec::new();
    for word in &words {
        match Regex::new(word) {
            Ok(filter) => filters.push(filter),
            Err(error) => {
                return Err(Answer::Usage(format!(
                    "error: the filter `{word}` is no regular expression: {error}\n\nfor a name as it is, use --exact"
                )));
            }
        }
    }
    Ok((filters, Vec::new()))
}

fn duration(text: &str) -> Result<Duration, String> {
    let duration =
        humantime::parse_duration(text).map_err(|error| format!("{error}; write `90s` or `5min`"))?;
    if duration.is_zero() { Err("a deadline of nothing ends every case".to_owned()) } else { Ok(duration) }
}

/// criterion takes a bare number of seconds here.
fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "expected a number of seconds".to_owned())?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        _ => Err("expected a number of seconds greater than 0".to_owned()),
    }
}

fn partition(text: &str) -> Result<Partition, String> {
    let wrong = || "expected hash:K/N with K from 1 to N, such as hash:1/4".to_owned();
    let (index, count) =
        text.strip_prefix("hash:").and_then(|share| share.split_once('/')).ok_or_else(wrong)?;
    let partition =
        Partition { index: index.parse().map_err(|_| wrong())?, count: count.parse().map_err(|_| wrong())? };
    if (1..=partition.count).contains(&partition.index) { Ok(partition) } else { Err(wrong()) }
}

/// A baseline is a folder's name.
fn baseline_name(text: &str) -> Result<String, String> {
    let fine = |letter: char| letter.is_alphanumeric() || "-_.+".contains(letter);
    if !text.is_empty() && text.chars().all(fine) && !text.starts_with('.') {
        Ok(text.to_owned())
    } else {
        Err("a baseline's name has letters, digits and - _ . +, and does not begin with a dot".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<Options, Answer> {
        let words = std::iter::once("bench").chain(words.iter().copied()).map(OsString::from).collect();
        super::parse(words, &[])
    }

    fn usage(words: &[&str]) -> String {
        match parse(words) {
            Err(Answer::Usage(text)) => text,
            other => panic!("{words:?}: {other:?}"),
        }
    }

    #[test]
    fn the_command_is_well_formed() {
        command().debug_assert();
    }

    #[test]
    fn cargo_and_nextest_are_understood() {
        assert_eq!(parse(&["--bench"]).unwrap().plan.mode, Mode::Bench);
        assert_eq!(parse(&[]).unwrap().plan.mode, Mode::Test);
        assert_eq!(parse(&["--bench", "--test"]).unwrap().plan.mode, Mode::Test);
        let nextest = parse(&["paper::a", "--nocapture", "--exact"]).unwrap();
        assert_eq!(nextest.plan.exact, ["paper::a"]);
        assert!(nextest.verbose);
        let list = parse(&["--list", "--format", "terse", "--ignored"]).unwrap();
        assert_eq!(list.action, Action::List { ignored: true });
    }

    #[test]
    fn values_are_typed() {
        let options =
            parse(&["--bench", "--only", "latency,quality", "--seed", "7", "--timeout", "2min"]).unwrap();
        assert_eq!(options.plan.only, [Part::Latency, Part::Quality]);
        assert_eq!(options.plan.seed, 7);
        assert_eq!(options.plan.timeout, Some(Duration::from_secs(120)));
        assert_eq!(
            parse(&["--partition", "hash:2/4"]).unwrap().plan.partition,
            Some(Partition { index: 2, count: 4 })
        );
        assert_eq!(parse(&["--baseline-lenient", "v1"]).unwrap().baseline, Some(("v1".to_owned(), true)));
    }

    #[test]
    fn a_typo_in_the_environment_is_answered() {
        let parse = |name: &str| super::parse(vec![OsString::from("bench")], &[name.to_owned()]);
        assert!(
            parse("GAPBENCH_PROFILE").is_ok() && parse("GAPBENCH_HOME").is_ok() && parse("OTHER").is_ok()
        );
        let Err(Answer::Usage(text)) = parse("GAPBENCH_PROFIL") else { panic!() };
        assert!(text.contains("did you mean GAPBENCH_PROFILE?"), "{text}");
    }

    #[test]
    fn a_typo_is_answered() {
        assert!(usage(&["--profil", "full"]).contains("--profile"));
        assert!(usage(&["--profile", "slow"]).contains("smoke, quick, full"));
        assert!(usage(&["--only", "latencies"]).contains("latency, cold-start, memory, quality, load"));
        assert!(usage(&["--partition", "hash:5/4"]).contains("K from 1 to N"));
        assert!(usage(&["--timeout", "0s"]).contains("ends every case"));
        assert!(usage(&["--measurement-time", "NaN"]).contains("greater than 0"));
        assert!(usage(&["--save-baseline", "../x"]).contains("does not begin with a dot"));
        assert!(usage(&["("]).contains("no regular expression"));
        assert!(usage(&["--require-device", "cdua"]).contains("a similar value exists: 'cuda'"));
        assert!(usage(&["--seed", "x"]).contains("--seed"));
        assert!(
            usage(&["--quick", "--profile", "full"]).contains("--quick and --profile exclude each other")
        );
        assert!(usage(&["-s", "a", "-b", "b"]).contains("--baseline and --save-baseline exclude each other"));
    }
}
