//! `cargo gapbench check`: the gate. Reads what was judged and owns the exit code; judges nothing by itself.

use std::io::Write;
use std::path::PathBuf;

use clap::builder::{BoolishValueParser, PossibleValuesParser};
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use gapbench::judge::{Change, ChangeVerdict, ClaimVerdict, Interval, Verdict};
use gapbench::record::Outcome;
use gapbench::report::results::{self, ResultsError, Status, TargetResults};
use gapbench::units::{show, show_percent};

use gapbench::cli::{exit, home};

/// The verb.
pub(crate) const NAME: &str = "check";

/// What the gate can be told to stop. Without such words it stops the verdicts that each claim's own policy names,
/// and failed cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    /// A claim below its floor.
    Fail,
    /// A claim outside its discount.
    Gap,
    /// A claim that the observations do not decide.
    Unclear,
    /// A claim whose conditions differ.
    NotComparable,
    /// A number that is worse than in the earlier run.
    Slower,
    /// A case without a number because it failed.
    Failed,
}

impl Word {
    /// Every word with its spelling.
    pub(crate) const ALL: &'static [(&'static str, Word)] = &[
        ("fail", Word::Fail),
        ("gap", Word::Gap),
        ("unclear", Word::Unclear),
        ("not-comparable", Word::NotComparable),
        ("slower", Word::Slower),
        ("failed", Word::Failed),
    ];
}

/// What decides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Gate {
    /// Exactly these stop it; each claim's own policy and failed cases do when absent.
    pub(crate) words: Option<Vec<Word>>,
    /// Whether a claim that the observations do not decide is a failure of its own kind.
    pub(crate) strict: bool,
}

impl Gate {
    fn stops_claim(&self, claim: &ClaimVerdict) -> bool {
        let Some(words) = &self.words else { return claim.gated };
        let wanted = match claim.verdict {
            // Among many claims one falls below its floor by chance: Holm's correction has to leave it standing.
            Verdict::Fail => {
                return words.contains(&Word::Fail)
                    && claim.p_fail_holm.is_none_or(|p| p <= claim.claim.policy.alpha);
            }
            Verdict::Gap => Word::Gap,
            Verdict::Unclear => Word::Unclear,
            Verdict::NotComparable => Word::NotComparable,
            Verdict::Within | Verdict::OnPar | Verdict::Ahead | Verdict::NotMeasured => return false,
        };
        words.contains(&wanted)
    }

    fn stops(&self, word: Word, by_default: bool) -> bool {
        self.words.as_ref().map_or(by_default, |words| words.contains(&word))
    }
}

/// What the gate says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Decision {
    /// A code of [`exit`].
    pub(crate) code: u8,
    /// Why, a sentence.
    pub(crate) reason: String,
    /// What stops it and what is worth knowing, per target, each a line.
    pub(crate) lines: Vec<String>,
}

/// Holds the results against the gate. Pure.
pub(crate) fn decide(targets: &[TargetResults], gate: &Gate) -> Decision {
    let mut lines = Vec::new();
    let (mut stopped, mut unclear, mut incomplete, mut measured) = (0_usize, 0_usize, 0_usize, 0_usize);
    for target in targets {
        lines.push(heading(target));
        let mut tell = |stops: bool, text: String| {
            stopped += usize::from(stops);
            lines.push(format!("  {}  {text}", if stops { "stops" } else { "noted" }));
        };
        for claim in &target.judgement.claims {
            unclear += usize::from(claim.verdict == Verdict::Unclear);
            let stops = gate.stops_claim(claim);
            if stops || !matches!(claim.verdict, Verdict::Within | Verdict::OnPar | Verdict::Ahead) {
                tell(stops, claim_line(claim));
            }
        }
        for change in target.judgement.changes.iter().filter(|change| change.change == Change::Slower) {
            tell(gate.stops(Word::Slower, false), change_line(change));
        }
        for row in &target.cases {
            match &row.outcome {
                Outcome::Measured => measured += 1,
                Outcome::Failed(failure) => {
                    let stops = gate.stops(Word::Failed, true);
                    tell(stops, format!("failed  {}: {}", row.case, failure.reason));
                }
                Outcome::Skipped { reason, .. } => tell(false, format!("skipped  {}: {reason}", row.case)),
            }
        }
        if target.status != Status::Complete {
            incomplete += 1;
            let missing = target.header.planned.saturating_sub(target.cases.len());
            lines.push(format!(
                "  {}: {missing} of {} cases missing",
                target.status.words(),
                target.header.planned
            ));
        }
    }
    let (code, reason) = if stopped > 0 {
        (exit::STOPPED, format!("{stopped} {}", if stopped == 1 { "thing stops" } else { "things stop" }))
    } else if incomplete > 0 {
        (exit::INCOMPLETE, format!("{incomplete} of {} runs did not end by themselves", targets.len()))
    } else if measured == 0 {
        (exit::NOTHING, "no case was measured".to_owned())
    } else if gate.strict && unclear > 0 {
        (exit::UNCLEAR, format!("{unclear} unclear, and --strict was given"))
    } else {
        (exit::OK, "nothing stops".to_owned())
    };
    Decision { code, reason, lines }
}

fn heading(target: &TargetResults) -> String {
    format!(
        "{}, {} run of {}, record {}",
        target.header.target,
        target.status.words(),
        gapbench::record::date::show_utc(target.header.started_unix),
        target.record
    )
}

fn claim_line(claim: &ClaimVerdict) -> String {
    let policy = &claim.claim.policy;
    let mut text = format!("{}  {} ({})", claim.verdict.words(), claim.claim.id, claim.case);
    if let Some(ours) = claim.ours {
        let ours = show(ours.interval.value, claim.claim.metric.family());
        text = format!("{text}: {ours} against {}", gapbench::report::declared(&claim.claim));
    }
    if let Some(found) = claim.ratio {
        let line = match claim.verdict {
            Verdict::Fail => format!(", the floor is {}", show_percent(policy.fail_below)),
            _ => format!(", the line is {}", show_percent(1.0 - policy.discount)),
        };
        text = format!("{text}, ratio {}{line}", ratio(found));
    }
    format!("{text}: {}", claim.reason)
}

fn change_line(change: &ChangeVerdict) -> String {
    let found = change.ratio.map_or_else(String::new, |found| format!(" to {} of the earlier", ratio(found)));
    format!(
        "{}  {} {}{found}, against run {}: {}",
        change.change.words(change.metric),
        change.case,
        change.metric,
        change.baseline,
        change.reason
    )
}

fn ratio(found: Interval) -> String {
    let end = |end: Option<f64>| end.map_or_else(|| "?".to_owned(), |end| format!("{:.1}", end * 100.0));
    format!("{} [{}..{}]", show_percent(found.value), end(found.lower), end(found.upper))
}

/// The verb's command line. Every flag has a mirror in the environment.
pub(crate) fn command() -> Command {
    Command::new(NAME)
        .about("Turn verdicts into an exit code")
        .arg(
            Arg::new("results")
                .long("results")
                .value_name("PATH|DIR")
                .help("The results.json, or the folder it is in [default: target/gapbench, searched upwards]")
                .env("GAPBENCH_RESULTS")
                .value_parser(value_parser!(PathBuf)),
        )
        .arg(
            Arg::new("strict")
                .long("strict")
                .help("A claim that the observations do not decide is exit code 3")
                .env("GAPBENCH_STRICT")
                .action(ArgAction::SetTrue)
                .value_parser(BoolishValueParser::new()),
        )
        .arg(
            Arg::new("fail-on")
                .long("fail-on")
                .value_name("WORDS")
                .help(
                    "Exactly what stops the gate [default: what each claim's policy names, and failed cases]",
                )
                .env("GAPBENCH_FAIL_ON")
                .value_delimiter(',')
                .action(ArgAction::Append)
                .value_parser(PossibleValuesParser::new(Word::ALL.iter().map(|(name, _)| *name))),
        )
        .after_help(
            "Exit codes: 0 nothing stops; 1 a gated verdict or a failed case; 2 usage or broken input; \
             3 unclear, with --strict; 4 nothing was measured; 5 an incomplete run. Of several, the first of \
             2, 1, 5, 4, 3.",
        )
}

/// Runs the verb; returns a code of [`exit`].
pub(crate) fn run(matches: &ArgMatches, out: &mut dyn Write, complaints: &mut dyn Write) -> u8 {
    let words = matches.get_many::<String>("fail-on").map(|words| {
        // The parser has let only known words through.
        words
            .filter_map(|word| Word::ALL.iter().find(|(name, _)| name == word))
            .map(|(_, word)| *word)
            .collect()
    });
    let gate = Gate { words, strict: matches.get_flag("strict") };
    let (path, named) = match matches.get_one::<PathBuf>("results") {
        Some(path) if path.is_dir() => (path.join(FILE), true),
        Some(path) => (path.clone(), true),
        None => (home::of_working_folder(FILE).join(FILE), false),
    };
    let found = match results::read(&path) {
        Ok(found) => found,
        Err(error) => {
            let _ = writeln!(complaints, "gapbench check: {error}");
            // A path that somebody wrote down and that is not there is a mistake; otherwise nothing was run yet.
            let nothing = matches!(error, ResultsError::Missing(_)) && !named;
            return if nothing { exit::NOTHING } else { exit::USAGE };
        }
    };
    let decision = decide(&found.targets, &gate);
    // A closed pipe leaves nobody to tell: the code still says it.
    let _ = writeln!(
        out,
        "{}, written {}",
        path.display(),
        gapbench::record::date::show_utc(found.generated_unix)
    );
    for line in &decision.lines {
        let _ = writeln!(out, "{}", gapbench::report::verbatim(line));
    }
    let _ = writeln!(out, "exit {}: {}", decision.code, decision.reason);
    decision.code
}

const FILE: &str = "results.json";
