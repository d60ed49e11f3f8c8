//! `cargo gapbench check-claims`: reads claims files as a bench binary would, and says what was understood.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use clap::{Arg, ArgMatches, Command, value_parser};

use gapbench::declare::{self, PaperClaim};
use gapbench::record::Condition;

use gapbench::cli::exit;

/// The verb.
pub(crate) const NAME: &str = "check-claims";

/// The verb's command line.
pub(crate) fn command() -> Command {
    Command::new(NAME)
        .about("Read claims files and print what they declare, or every mistake")
        .arg(
            Arg::new("files")
                .value_name("FILE")
                .help("Claims files, such as papers/minilm.toml")
                .num_args(1..)
                .required(true)
                .env("GAPBENCH_CLAIMS")
                .value_delimiter(',')
                .value_parser(value_parser!(PathBuf)),
        )
        .after_help("Exit codes: 0 all files are sound, 2 one is not.")
}

/// Runs the verb; returns a code of [`exit`].
pub(crate) fn run(matches: &ArgMatches, out: &mut dyn Write, complaints: &mut dyn Write) -> u8 {
    let mut code = exit::OK;
    for path in matches.get_many::<PathBuf>("files").into_iter().flatten() {
        let name = path.display().to_string();
        // A closed pipe leaves nobody to tell: the code still says it.
        let parsed = match fs::read(path) {
            Ok(bytes) => declare::parse(&name, &bytes),
            Err(error) => {
                let _ = writeln!(complaints, "{name}: {error}");
                code = exit::USAGE;
                continue;
            }
        };
        match parsed {
            Ok(file) => {
                for claim in &file.claims {
                    let _ = writeln!(out, "{}", line(claim));
                }
                if let Some(price) = &file.cost {
                    let _ = writeln!(out, "{name}: cost: {price}");
                }
                for warning in &file.warnings {
                    let _ = writeln!(complaints, "warning: {}", place(warning));
                }
            }
            Err(errors) => {
                for error in &errors.0 {
                    let _ = writeln!(complaints, "error: {}", place(error));
                }
                code = exit::USAGE;
            }
        }
    }
    code
}

fn place(error: &declare::ClaimError) -> String {
    format!("{}:{}:{}: {}", error.file, error.line, error.column, error.message)
}

/// A claim with its canonical value, the conditions it states and those it does not.
fn line(claim: &PaperClaim) -> String {
    let conditions = &claim.conditions;
    let mut known: Vec<String> =
        conditions.known.iter().map(|(condition, value)| format!("{condition}={value}")).collect();
    known.extend(conditions.software.iter().map(|(name, version)| format!("software.{name}={version}")));
    if known.is_empty() {
        known.push("none".to_owned());
    }
    let unknown: Vec<&str> = Condition::ALL
        .iter()
        .filter(|condition| conditions.get(**condition).is_none())
        .map(|condition| condition.name())
        .collect();
    format!(
        "{}:{}: {}: {} {} = {} {} (written {} {}); known: {}; unknown: {}",
        claim.file,
        claim.line,
        claim.id,
        claim.metric,
        claim.statistic,
        claim.declared.value,
        claim.metric.family().canonical(),
        claim.declared.written,
        claim.declared.unit,
        known.join(", "),
        unknown.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use gapbench::declare::{Declared, Paper, Policy, Precision, Source, Wording};
    use gapbench::record::{Conditions, Metric, Statistic};

    #[test]
    fn a_claim_in_one_line() {
        let text = "x".to_owned();
        let claim = PaperClaim {
            id: "tail".to_owned(),
            file: "papers/a.toml".to_owned(),
            line: 12,
            paper: Paper {
                id: text.clone(),
                title: text.clone(),
                url: text.clone(),
                version: None,
                date: None,
                doi: None,
                code: None,
                known_issues: vec![],
            },
            metric: Metric::LatencyE2e,
            statistic: Statistic::P99,
            direction: Metric::LatencyE2e.direction(),
            declared: Declared { value: 0.0004, written: "400".to_owned(), unit: "us".to_owned() },
            precision: Precision { half_width: 5e-7, declared: false },
            spread: None,
            n: None,
            wording: Wording::Exact,
            conditions: Conditions::default().with(Condition::Hardware, "A100").with(Condition::Batch, 8.0),
            source: Source {
                kind: text,
                url: None,
                locator: None,
                page: None,
                table: None,
                quote: None,
                retrieved: None,
                verified: None,
            },
            policy: Policy::default(),
        };
        let line = line(&claim);
        assert!(
            line.starts_with(
                "papers/a.toml:12: tail: latency.e2e p99 = 0.0004 s (written 400 us); \
                 known: hardware=A100, batch=8; unknown: model, count, dtype, seq_len, "
            ),
            "{line}"
        );
    }
}
