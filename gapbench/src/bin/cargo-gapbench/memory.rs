//! `cargo gapbench memory`: counts what a model takes from its files, and says how many clients fit.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use serde_json::{Map, Value, json};

use gapbench::cli::exit;
use gapbench::footprint::{
    CONFIG_FILE, Checks, Demand, FootprintError, Kind, Largest, ModelShape, NumberFormat, Plan, Sizes,
    Weights, budget, check, parse_bytes,
};
use gapbench::units::{Family, show, show_integer, show_percent};

/// The verb.
pub(crate) const NAME: &str = "memory";

/// The format of `--json`.
const SCHEMA: &str = "gapbench.memory";
/// Its version.
const VERSION: u64 = 1;

/// The verb's command line.
pub(crate) fn command() -> Command {
    let number = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name("N").help(help).value_parser(value_parser!(u64))
    };
    let size =
        |name: &'static str, help: &'static str| Arg::new(name).long(name).value_name("SIZE").help(help);
    let path = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name("PATH").help(help).value_parser(value_parser!(PathBuf))
    };
    Command::new(NAME)
        .about("Count from its files what a model takes in memory, and how many clients fit")
        .arg(path("model", "Folder of the model, its safetensors index, or one safetensors file").required(true))
        .arg(path("config", "The model's config.json, where it does not stand beside the weights"))
        .arg(number("clients", "Clients that are served at once").default_value("1"))
        .arg(number("length", "Tokens of a text with its answer [default: the model's positions]"))
        .arg(size("memory", "Memory that is there: 80GiB"))
        .arg(
            Arg::new("utilisation")
                .long("utilisation")
                .value_name("SHARE")
                .help("Share of the memory that may be used")
                .default_value("1")
                .value_parser(value_parser!(f64)),
        )
        .arg(
            Arg::new("kv-dtype")
                .long("kv-dtype")
                .value_name("FORMAT")
                .help("Number format of the cache [default: the model's]")
                .value_parser(PossibleValuesParser::new(NumberFormat::NAMES)),
        )
        .arg(number("step-tokens", "Most tokens that one step computes [default: whole prompts]"))
        .arg(number("page-tokens", "Tokens of a page of the cache").default_value("1"))
        .arg(size("overhead", "What driver, context and libraries take"))
        .arg(size("stated", "The size that the model's page states: 80MB"))
        .arg(size("measured-peak", "The highest memory that was measured"))
        .arg(size("idle", "Memory that was measured before the first request"))
        .arg(size("under-load", "The highest memory that was measured under load"))
        .arg(Arg::new("json").long("json").help("Print JSON").action(ArgAction::SetTrue))
        .arg(Arg::new("gate").long("gate").help("End with 1 if anything is flagged").action(ArgAction::SetTrue))
        .after_help(
            "Sizes have a unit: MB is 10^6 bytes, MiB is 2^20.\n\
             Exit codes: 0 the plan was made, 1 with --gate: something is flagged, 2 a file or a number cannot be.",
        )
}

/// Runs the verb; returns a code of [`exit`].
pub(crate) fn run(matches: &ArgMatches, out: &mut dyn Write, complaints: &mut dyn Write) -> u8 {
    let answer = match Answer::of(matches) {
        Ok(answer) => answer,
        Err(error) => {
            // A closed pipe leaves nobody to tell: the code still says it.
            let _ = writeln!(complaints, "error: failed to {error}");
            return exit::USAGE;
        }
    };
    let text = if matches.get_flag("json") { format!("{:#}", answer.json()) } else { answer.text() };
    let _ = writeln!(out, "{text}");
    let flagged = answer.warning.is_some() || answer.checks.flags().next().is_some();
    if matches.get_flag("gate") && flagged { exit::STOPPED } else { exit::OK }
}

/// Everything that is printed.
struct Answer {
    plan: Plan,
    warning: Option<String>,
    room: Option<Room>,
    checks: Checks,
}

/// What a memory has room for.
struct Room {
    memory_bytes: u64,
    utilisation: f64,
    budget_bytes: u64,
    clients: Largest,
    length: Largest,
}

impl Answer {
    fn of(matches: &ArgMatches) -> Result<Answer, FootprintError> {
        let size = |name: &'static str| {
            matches.get_one::<String>(name).map(|text| parse_bytes(name, text)).transpose()
        };
        let number = |name: &str| matches.get_one::<u64>(name).copied();
        let model = matches.get_one::<PathBuf>("model").map(PathBuf::as_path).unwrap_or(Path::new("."));
        let weights = Weights::open(model)?;
        let shape = ModelShape::open(&config(matches.get_one::<PathBuf>("config"), model))?;
        let Some(tokens) = number("length").or(shape.positions) else {
            return Err(FootprintError::Demand {
                name: "length",
                found: "not given, and config.json states no most positions".to_owned(),
                expected: "the tokens of a text: add --length".to_owned(),
            });
        };
        let demand = Demand {
            cache_format: matches.get_one::<String>("kv-dtype").and_then(|word| NumberFormat::parse(word)),
            step_tokens: number("step-tokens"),
            page_tokens: number("page-tokens").unwrap_or(1),
            overhead_bytes: size("overhead")?.unwrap_or(0),
            ..Demand::new(number("clients").unwrap_or(1), tokens)
        };
        let plan = Plan::new(&weights, &shape, &demand)?;
        let room = match size("memory")? {
            None => None,
            Some(memory_bytes) => {
                let utilisation = matches.get_one::<f64>("utilisation").copied().unwrap_or(1.0);
                let budget_bytes = budget(memory_bytes, utilisation)?;
                let (clients, length) =
                    (plan.largest_clients(budget_bytes), plan.largest_length(budget_bytes));
                Some(Room { memory_bytes, utilisation, budget_bytes, clients, length })
            }
        };
        let checks = check(&Sizes {
            stated: size("stated")?,
            header: Some(weights.bytes),
            measured_peak: size("measured-peak")?,
            idle: size("idle")?,
            under_load: size("under-load")?,
            clients: Some(demand.clients),
            fitting: room.as_ref().map(|room| room.clients),
        })?;
        let warning = plan.length_warning();
        Ok(Answer { plan, warning, room, checks })
    }

    fn text(&self) -> String {
        let plan = &self.plan;
        let (shape, demand) = (&plan.shape, &plan.demand);
        let kind = match shape.kind {
            Kind::Encoder => "encoder",
            Kind::Decoder => "decoder",
        };
        let mut lines = vec![
            format!(
                "{kind}{}, {}, {} x {} tokens",
                shape.model_type.as_ref().map_or(String::new(), |family| format!(" ({})", plain(family))),
                counted(plan.weights.files.len() as u64, "file"),
                counted(demand.clients, "client"),
                whole(demand.tokens)
            ),
            String::new(),
            plan.to_string(),
        ];
        let mut remarks: Vec<String> = Vec::new();
        if let Some(room) = &self.room {
            remarks.extend(room.sentences(plan));
        }
        remarks.extend(plan.weights.remarks.iter().map(|remark| format!("remark: {remark}")));
        remarks.extend(self.warning.iter().map(|warning| format!("flag: {warning}")));
        for made in &self.checks.made {
            remarks.push(format!("{}: {}", if made.flagged { "flag" } else { "ok" }, made.text));
        }
        remarks.extend(self.checks.not_made.iter().map(|(_, reason)| format!("not checked: {reason}")));
        if !remarks.is_empty() {
            lines.push(String::new());
            lines.extend(remarks);
        }
        lines.join("\n")
    }

    fn json(&self) -> Value {
        let lines: Vec<Value> = self
            .plan
            .lines()
            .into_iter()
            .map(|line| {
                let mut entry = Map::new();
                entry.insert("term".to_owned(), json!(line.term));
                if let Some(bytes) = line.bytes {
                    entry.insert("bytes".to_owned(), json!(bytes));
                }
                entry.insert("factors".to_owned(), json!(line.factors));
                Value::Object(entry)
            })
            .collect();
        let not_made: Vec<Value> = self
            .checks
            .not_made
            .iter()
            .map(|(kind, reason)| json!({ "kind": kind, "reason": reason }))
            .collect();
        let mut answer = Map::new();
        answer.insert("schema".to_owned(), json!(SCHEMA));
        answer.insert("version".to_owned(), json!(VERSION));
        answer.insert("plan".to_owned(), json!(self.plan));
        answer.insert("lines".to_owned(), json!(lines));
        if let Some(room) = &self.room {
            let room = json!({
                "memory_bytes": room.memory_bytes,
                "utilisation": room.utilisation,
                "budget_bytes": room.budget_bytes,
                "largest_clients": room.clients,
                "largest_length": room.length,
            });
            answer.insert("room".to_owned(), room);
        }
        if let Some(warning) = &self.warning {
            answer.insert("length_warning".to_owned(), json!(warning));
        }
        answer.insert("checks".to_owned(), json!(self.checks.made));
        answer.insert("not_checked".to_owned(), json!(not_made));
        Value::Object(answer)
    }
}

impl Room {
    fn sentences(&self, plan: &Plan) -> Vec<String> {
        let (clients, tokens) = (whole(plan.demand.clients), whole(plan.demand.tokens));
        let of = if self.utilisation == 1.0 {
            bytes(self.memory_bytes)
        } else {
            format!("{} of {}", show_percent(self.utilisation), bytes(self.memory_bytes))
        };
        let most = |largest: Largest, what: &str, whose: &str| match largest {
            Largest::Memory(most) => format!("{of} hold at most {} {what} {whose}", whole(most)),
            Largest::Positions(most) => {
                format!("{of} hold all {} {what} that the model has positions for, {whose}", whole(most))
            }
            Largest::Unbounded => format!("{of} hold any number of {what} {whose}: nothing grows with it"),
            Largest::Nothing { missing_bytes: Some(missing) } => {
                format!("{of} hold none of the {what} {whose}: {} are missing for one", bytes(missing))
            }
            Largest::Nothing { missing_bytes: None } => format!("{of} hold none of the {what} {whose}"),
        };
        vec![
            most(self.clients, "clients", &format!("with {tokens} tokens")),
            most(self.length, "tokens", &format!("for each of {clients} clients")),
        ]
    }
}

/// The configuration: the one that was named, or the one beside the weights.
fn config(named: Option<&PathBuf>, model: &Path) -> PathBuf {
    match named {
        Some(path) => path.clone(),
        None if model.is_dir() => model.join(CONFIG_FILE),
        None => model.with_file_name(CONFIG_FILE),
    }
}

fn bytes(bytes: u64) -> String {
    show(bytes as f64, Family::Bytes)
}

fn whole(number: u64) -> String {
    show_integer(number as f64)
}

/// `1 file`, `1,000 files`.
fn counted(number: u64, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {what}{plural}", whole(number))
}

/// Text of a file for a terminal.
fn plain(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(60).collect()
}
