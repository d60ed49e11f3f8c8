//! What the example `launches` prints is what the benchmarks launch: the same cases, and the arguments that the PTX takes.

#[path = "../benches/kernels/cuda.rs"]
mod cuda;
#[allow(dead_code, reason = "what only the example prints")]
#[path = "../examples/launches/table.rs"]
mod table;

/// The bench binary's own `main`.
mod bench {
    gapbench::main!();

    pub(super) fn run() -> std::process::ExitCode {
        main()
    }
}

use std::path::Path;
use std::process::{Command, ExitCode};

use table::{Argument, Kernel, Work};

/// Set where this program is to be the bench binary.
const LIST: &str = "LIST_THE_BENCHMARKS";

type Test = fn() -> Checked;
type Checked = Result<(), Box<dyn std::error::Error>>;

#[allow(clippy::print_stdout, clippy::print_stderr, reason = "a test without libtest speaks for itself")]
fn main() -> ExitCode {
    if std::env::var_os(LIST).is_some() {
        return bench::run();
    }
    let tests: [(&str, Test); 2] = [
        ("the_cases_are_the_benchmarks", the_cases_are_the_benchmarks),
        ("the_arguments_are_the_parameters", the_arguments_are_the_parameters),
    ];
    let words: Vec<String> = std::env::args().skip(1).collect();
    let has = |word: &str| words.iter().any(|found| found == word);
    let chosen = |name: &str| {
        // What is no filter belongs to an option: `--format terse`, `--test-threads 1`.
        let is_filter =
            |word: &&String| !word.starts_with('-') && *word != "terse" && word.parse::<u32>().is_err();
        let mut names = words.iter().filter(is_filter).peekable();
        !has("--ignored") && (names.peek().is_none() || names.any(|word| name.contains(word.as_str())))
    };
    let mut failed = false;
    for (name, test) in tests.into_iter().filter(|(name, _)| chosen(name)) {
        if has("--list") {
            println!("{name}: test");
            continue;
        }
        match test() {
            Ok(()) => println!("test {name} ... ok"),
            Err(error) => {
                eprintln!("test {name} ... FAILED: {error}");
                failed = true;
            }
        }
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn the_cases_are_the_benchmarks() -> Checked {
    let mut command = Command::new(std::env::current_exe()?);
    let output = command.args(["--list", "--format", "terse"]).env(LIST, "1").output()?;
    let text = String::from_utf8(output.stdout)?;
    // A name begins with the program's, which is `launches` here and `kernels` in the bench binary.
    let within = |name: &str| name.split_once("::").map_or_else(String::new, |(_, rest)| rest.to_owned());
    let mut listed: Vec<String> =
        text.lines().filter_map(|line| line.strip_suffix(": benchmark")).map(within).collect();
    let mut named: Vec<String> = table::cases().iter().map(|case| within(&case.name)).collect();
    listed.sort_unstable();
    named.sort_unstable();
    if listed == named {
        Ok(())
    } else {
        Err(format!("the benchmarks are {listed:#?}, the table has {named:#?}").into())
    }
}

fn the_arguments_are_the_parameters() -> Checked {
    for case in table::cases() {
        let Work::Kernel(kernel) = case.work else { continue };
        let declared = parameters(&kernel)?;
        let given: Vec<&str> = kernel.arguments.iter().map(kind).collect();
        if declared != given {
            return Err(
                format!("{}: the PTX takes {declared:?}, the table gives {given:?}", case.name).into()
            );
        }
    }
    Ok(())
}

fn kind(argument: &Argument) -> &'static str {
    match argument {
        Argument::Buffer { .. } | Argument::U64(..) => "u64",
        Argument::U32(..) => "u32",
        Argument::F32(..) => "f32",
    }
}

/// The types of the entry point's parameters.
fn parameters(kernel: &Kernel) -> Result<Vec<String>, Box<dyn std::error::Error>> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("kernels").join(kernel.ptx);
    let ptx = std::fs::read_to_string(file)?;
    let head = format!(".visible .entry {}(\n", kernel.entry);
    let (_, entry) = ptx.split_once(&head).ok_or(head)?;
    let (list, _) = entry.split_once("\n)").ok_or("the parameters do not end")?;
    let kinds = list.lines().map(|line| line.split(['.', ' ']).nth(3).unwrap_or(line).to_owned());
    Ok(kinds.collect())
}
