//! `llama generate`, `llama answer`, `llama plan` and `llama write`: the library from a terminal.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program's answer is printed")]

mod choice;

use std::{
    error::Error,
    io::{BufRead, Write, stdin, stdout},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Arg, ArgMatches, Command, value_parser};
use llama::{
    Config, CpuEngine, Dtype, End, Plan, Request, Sampler, Tokenizer, Weights, answer_all, generate, plan,
    presets,
};

fn main() -> ExitCode {
    let arguments = command().get_matches();
    let done = match arguments.subcommand() {
        Some(("generate", arguments)) => answer(arguments),
        Some(("answer", arguments)) => answer_lines(arguments),
        Some(("plan", arguments)) => print_plan(arguments),
        Some(("write", arguments)) => write(arguments),
        _ => Ok(()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("llama: {error}");
            ExitCode::FAILURE
        }
    }
}

fn command() -> Command {
    let number = |name: &'static str, default: &'static str, help: &'static str| {
        Arg::new(name).long(name).default_value(default).help(help)
    };
    let model = Arg::new("model")
        .long("model")
        .value_name("DIR")
        .required(true)
        .value_parser(value_parser!(PathBuf))
        .help("Folder with config.json, tokenizer.json and model.safetensors");
    let engine = Arg::new("engine").long("engine").default_value("auto").value_parser(choice::NAMES).help(
        "cuda: a device, or fail; auto: a device where one is there and large enough, and says why not",
    );
    let temperature =
        || number("temperature", "0", "0 always takes the likeliest token").value_parser(value_parser!(f32));
    let top_p = || {
        number("top-p", "0.9", "Draw from the likeliest tokens of this probability in all")
            .value_parser(value_parser!(f32))
    };
    let seed = |help| number("seed", "1", help).value_parser(value_parser!(u64));
    Command::new("llama")
        .about("A Llama-architecture decoder")
        .subcommand_required(true)
        .subcommand(
            Command::new("generate")
                .about("Answers a prompt")
                .arg(&model)
                .arg(&engine)
                .arg(
                    Arg::new("prompt").long("prompt").required(true).help("Text to go on from; may be empty"),
                )
                .arg(number("tokens", "256", "Most tokens of the answer").value_parser(value_parser!(usize)))
                .arg(temperature())
                .arg(top_p())
                .arg(seed("The same seed draws the same answer")),
        )
        .subcommand(
            Command::new("answer")
                .about("Answers each line of standard input, several at once, in a line each")
                .arg(&model)
                .arg(&engine)
                .arg(number("tokens", "64", "Most tokens of each answer").value_parser(value_parser!(usize)))
                .arg(number("clients", "8", "Most lines at once").value_parser(value_parser!(usize)))
                .arg(temperature())
                .arg(top_p())
                .arg(seed("The same seed draws the same answers")),
        )
        .subcommand(
            Command::new("plan")
                .about("Counts the memory for a number of clients, from headers alone")
                .arg(&model)
                .arg(number("clients", "1", "Sequences at once").value_parser(value_parser!(usize)))
                .arg(
                    Arg::new("length")
                        .long("length")
                        .required(true)
                        .value_parser(value_parser!(usize))
                        .help("Tokens of each, prompt and answer together"),
                ),
        )
        .subcommand(
            Command::new("write")
                .about("Writes a model of a well-known shape with random weights")
                .arg(
                    Arg::new("preset")
                        .long("preset")
                        .required(true)
                        .value_parser(presets::NAMES)
                        .help("tiny: 1 M parameters; 1b and 8b in bf16; 70b in int8 (70 GB)"),
                )
                .arg(
                    Arg::new("to")
                        .long("to")
                        .value_name("DIR")
                        .required(true)
                        .value_parser(value_parser!(PathBuf))
                        .help("Folder to write to"),
                )
                .arg(seed("The same seed writes the same weights")),
        )
}

/// The value of an argument that is required or has a default.
fn value<T: Clone + Send + Sync + 'static>(arguments: &ArgMatches, name: &str) -> Result<T, String> {
    arguments.get_one(name).cloned().ok_or_else(|| format!("--{name} is missing"))
}

fn answer(arguments: &ArgMatches) -> Result<(), Box<dyn Error>> {
    let folder: PathBuf = value(arguments, "model")?;
    let limit: usize = value(arguments, "tokens")?;
    let mut sampler = sampler(arguments)?;
    let config = Config::load(&folder)?;
    let tokenizer = Tokenizer::load(&folder, &config)?;
    let prompt = tokenizer.encode(&value::<String>(arguments, "prompt")?)?;
    let room = prompt.len().saturating_add(limit).min(config.max_position_embeddings);
    let mut engine = choice::load(&value::<String>(arguments, "engine")?, config, &folder, room, 1)?;
    let mut printer = Printer { tokenizer: &tokenizer, ids: prompt.clone(), printed: 0 };
    printer.print(false)?;
    let mut printing = Ok(());
    let answer = generate(&mut *engine, &prompt, limit, &mut sampler, |token| {
        printer.ids.push(token);
        if printing.is_ok() {
            printing = printer.print(false);
        }
    })?;
    printing?;
    printer.print(true)?;
    println!();
    if answer.end == End::Context {
        eprintln!("llama: the model's context is full");
    }
    Ok(())
}

fn sampler(arguments: &ArgMatches) -> Result<Sampler, Box<dyn Error>> {
    let (temperature, top_p) = (value(arguments, "temperature")?, value(arguments, "top-p")?);
    Ok(Sampler::new(temperature, top_p, value(arguments, "seed")?)?)
}

fn answer_lines(arguments: &ArgMatches) -> Result<(), Box<dyn Error>> {
    let folder: PathBuf = value(arguments, "model")?;
    let (limit, clients): (usize, usize) = (value(arguments, "tokens")?, value(arguments, "clients")?);
    let sampler = sampler(arguments)?;
    let config = Config::load(&folder)?;
    let tokenizer = Tokenizer::load(&folder, &config)?;
    let mut requests = Vec::new();
    for line in stdin().lock().lines() {
        requests.push(Request { prompt: tokenizer.encode(&line?)?, limit });
    }
    // Room for the longest of so many at once: whoever finds none waits for others.
    let longest = requests.iter().map(|request| request.prompt.len()).max().unwrap_or(0);
    let room = longest.saturating_add(limit).min(config.max_position_embeddings).next_multiple_of(16);
    let clients = clients.clamp(1, requests.len().max(1));
    let tokens = clients.checked_mul(room).ok_or("clients x length is too large a number")?;
    let mut engine = choice::load(&value::<String>(arguments, "engine")?, config, &folder, tokens, clients)?;
    for answer in answer_all(&mut *engine, &requests, clients, &sampler, |_, _| ())? {
        println!("{}", tokenizer.decode(&answer.tokens)?.escape_debug());
    }
    Ok(())
}

/// Prints a text as it grows. All of it is decoded each time, since a character may be several tokens.
struct Printer<'a> {
    tokenizer: &'a Tokenizer,
    ids: Vec<u32>,
    printed: usize,
}

impl Printer<'_> {
    /// Prints what is new. A last character that may still be incomplete waits, unless the text is `whole`.
    fn print(&mut self, whole: bool) -> Result<(), Box<dyn Error>> {
        let text = self.tokenizer.decode(&self.ids)?;
        let end = if whole { text.len() } else { text.trim_end_matches('\u{FFFD}').len() };
        if let Some(new) = text.get(self.printed..end) {
            print!("{new}");
            stdout().flush()?;
            self.printed = end;
        }
        Ok(())
    }
}

fn print_plan(arguments: &ArgMatches) -> Result<(), Box<dyn Error>> {
    let folder: PathBuf = value(arguments, "model")?;
    let (clients, length): (usize, usize) = (value(arguments, "clients")?, value(arguments, "length")?);
    let config = Config::load(&folder)?;
    let weights = Weights::open(&folder)?;
    weights.check(&config)?;
    llama::check::open(&config, length)?;
    let tokens = clients.checked_mul(length).ok_or("clients x length is too large a number")?;
    println!("{clients} clients x {length} tokens\n");
    let stored = Plan::new(&config, weights.total_bytes(), Dtype::Bf16, tokens, 0);
    println!("as stored, keys and values in bf16\n{stored}\n");
    let cpu = CpuEngine::plan(&config, tokens);
    println!("on the CPU, all in f32\n{cpu}");
    if let Some(available) = plan::host_available() {
        let fits = if cpu.fits(available) { "fits into" } else { "does not fit into" };
        println!("{fits} the {available} B of host memory that are available");
    }
    Ok(())
}

fn write(arguments: &ArgMatches) -> Result<(), Box<dyn Error>> {
    let (name, folder): (String, PathBuf) = (value(arguments, "preset")?, value(arguments, "to")?);
    let preset = presets::preset(&name).ok_or_else(|| format!("there is no preset {name}"))?;
    presets::write(&folder, &preset, value(arguments, "seed")?)?;
    describe(&folder)
}

fn describe(folder: &Path) -> Result<(), Box<dyn Error>> {
    let (config, weights) = (Config::load(folder)?, Weights::open(folder)?);
    weights.check(&config)?;
    let (parameters, files) = (llama::layout::parameters(&config), weights.files().count());
    println!("{}: {parameters} parameters, {} B in {files} files", folder.display(), weights.total_bytes());
    Ok(())
}
