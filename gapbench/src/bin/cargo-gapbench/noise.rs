//! `cargo gapbench noise`: what an input set looks like with noise, as a preview, as figures, or as a new set. Changes
//! no text by itself and keeps no set in memory.

mod output;
mod preview;

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use gapbench::cli::exit;
use gapbench::input::perturb::{Chain, Dose, Family, Registry, Severity, Statistics, stream};
use gapbench::units::show_percent;
use output::Output;
use preview::Preview;

/// The verb.
pub(crate) const NAME: &str = "noise";

/// So many items are shown where nobody says how many.
const SHOWN: u64 = 10;

/// The seed of a run where nobody says which.
const SEED: &str = "42";

/// The verb's command line.
pub(crate) fn command() -> Command {
    let of_operator = |name: &'static str| Arg::new(name).long(name).requires("operator");
    Command::new(NAME)
        .about("Show or write an input set with noise; without --operator list the operators")
        .arg(
            Arg::new("operator")
                .long("operator")
                .value_name("NAME[,NAME...]")
                .help("The operators, applied in this order")
                .requires("file"),
        )
        .arg(
            of_operator("severity")
                .value_name("WORD")
                .help("How much of each text is changed")
                .default_value(Severity::default().name())
                .value_parser(PossibleValuesParser::new(
                    Severity::ALL.iter().map(|severity| severity.name()),
                )),
        )
        .arg(
            of_operator("seed")
                .value_name("N")
                .help("What all chance is drawn from, with an item's id and an operator's name")
                .default_value(SEED)
                .value_parser(value_parser!(u64)),
        )
        .arg(
            of_operator("file")
                .value_name("FILE.jsonl")
                .help("The input set")
                .value_parser(value_parser!(PathBuf)),
        )
        .arg(
            of_operator("limit")
                .value_name("N")
                .help("At most so many items [default: 10 of a preview, else all]")
                .value_parser(value_parser!(u64).range(1..)),
        )
        .arg(
            of_operator("statistics")
                .help("Figures of the set instead of a preview: what stayed, what changed")
                .action(ArgAction::SetTrue),
        )
        .arg(
            of_operator("output")
                .value_name("FILE.jsonl")
                .help("Writes the noisy set instead of a preview: same ids, same answers")
                .value_parser(value_parser!(PathBuf)),
        )
        .after_help("Exit codes: 0 done, 2 usage or broken input.")
}

/// Runs the verb; returns a code of [`exit`].
pub(crate) fn run(matches: &ArgMatches, out: &mut dyn Write, complaints: &mut dyn Write) -> u8 {
    let registry = Registry::standard();
    let said = match (matches.get_one::<String>("operator"), matches.get_one::<PathBuf>("file")) {
        (Some(names), Some(file)) => match registry.chain(names) {
            Ok(chain) => work(&Wish::of(matches, &registry, chain), file, out),
            Err(error) => Err(format!("failed to {error}")),
        },
        _ => list(&registry, out).map_err(|error| closed(&error)),
    };
    match said {
        Ok(()) => exit::OK,
        Err(complaint) => {
            // A closed pipe leaves nobody to tell: the code still says it.
            let _ = writeln!(complaints, "gapbench noise: {complaint}");
            exit::USAGE
        }
    }
}

/// What was asked for.
struct Wish<'m> {
    chain: Chain,
    severity: Severity,
    seed: u64,
    limit: Option<u64>,
    output: Option<&'m Path>,
    /// Where figures are wanted, what they are of: each operator by itself, and the chain where it has several.
    figures: Vec<(String, Chain, Statistics)>,
}

impl<'m> Wish<'m> {
    fn of(matches: &'m ArgMatches, registry: &Registry, chain: Chain) -> Wish<'m> {
        // The parser has let only known words through.
        let named = |word: &String| Severity::ALL.iter().find(|severity| severity.name() == word);
        let severity = matches.get_one::<String>("severity").and_then(named).copied().unwrap_or_default();
        let mut figures = Vec::new();
        if matches.get_flag("statistics") {
            let alone = chain.operators().iter().map(|operator| operator.name());
            figures.extend(alone.filter_map(|name| {
                Some((name.to_owned(), registry.chain(name).ok()?, Statistics::default()))
            }));
            if chain.operators().len() > 1 {
                figures.push(("all of them, in this order".to_owned(), chain.clone(), Statistics::default()));
            }
        }
        Wish {
            chain,
            severity,
            seed: matches.get_one("seed").copied().unwrap_or_default(),
            limit: matches.get_one("limit").copied(),
            output: matches.get_one::<PathBuf>("output").map(PathBuf::as_path),
            figures,
        }
    }

    fn heading(&self) -> String {
        let dose = Dose::from(self.severity).share();
        format!(
            "{}: {} (dose {dose}), seed {}, labels {}",
            self.chain.name(),
            self.severity,
            self.seed,
            self.chain.label_safety()
        )
    }
}

/// Reads the set once, item by item, and does with each what was asked for.
fn work(wish: &Wish<'_>, file: &Path, out: &mut dyn Write) -> Result<(), String> {
    let mut figures: Vec<Statistics> = wish.figures.iter().map(|(_, _, begun)| *begun).collect();
    let mut output = wish.output.map(Output::create).transpose()?;
    let preview = (output.is_none() && figures.is_empty()).then(|| Preview::new(colour()));
    let most = wish.limit.or(preview.map(|_| SHOWN)).unwrap_or(u64::MAX);
    writeln!(out, "{}", wish.heading()).map_err(|error| closed(&error))?;
    let mut items = stream(file).map_err(|error| error.to_string())?;
    let (mut done, mut unchanged) = (0, 0);
    while done < most
        && let Some(item) = items.next().transpose().map_err(|error| error.to_string())?
    {
        if output.is_some() || preview.is_some() {
            let noisy = wish.chain.perturb(&item, wish.severity, wish.seed);
            unchanged += u64::from(noisy.text == item.text);
            if let Some(output) = &mut output {
                output.add(&noisy)?;
            }
            if let Some(preview) = preview {
                preview.show(&item.id, &item.text, &noisy.text, out).map_err(|error| closed(&error))?;
            }
        }
        for ((_, chain, _), found) in wish.figures.iter().zip(&mut figures) {
            found.add(&item.text, &chain.apply(&item.text, wish.severity, wish.seed, &item.id));
        }
        done += 1;
    }
    let of_items = format!("{done} {}, {unchanged} unchanged", if done == 1 { "item" } else { "items" });
    let said = if let Some(output) = output {
        let path = output.finish()?;
        writeln!(out, "{of_items}, written to {}", path.display())
    } else if preview.is_some() {
        let more = done == most && wish.limit.is_none() && items.next().is_some();
        let hint =
            if more { "; there are more: --limit N shows them, --output FILE writes them" } else { "" };
        writeln!(out, "\n{of_items}{hint}")
    } else {
        Ok(())
    };
    said.and_then(|()| table(wish, &figures, out)).map_err(|error| closed(&error))
}

fn table(wish: &Wish<'_>, figures: &[Statistics], out: &mut dyn Write) -> io::Result<()> {
    if figures.is_empty() {
        return Ok(());
    }
    let width = wish.figures.iter().map(|(name, _, _)| name.len()).max().unwrap_or_default();
    writeln!(out, "\n{:width$}  {:>9}  {:>9}  {:>9}", "", "items", "unchanged", "CER")?;
    let mut not_compared = 0;
    for ((name, _, _), found) in wish.figures.iter().zip(figures) {
        let share = |share: Option<f64>| share.map_or_else(|| "-".to_owned(), show_percent);
        let error_rate =
            found.character_error_rate().map_or_else(|| "-".to_owned(), |rate| format!("{rate:.4}"));
        writeln!(
            out,
            "{name:width$}  {:>9}  {:>9}  {error_rate:>9}",
            found.items,
            share(found.unchanged_share())
        )?;
        not_compared = not_compared.max(found.not_compared);
    }
    writeln!(
        out,
        "\nCER: inserted, deleted and replaced characters over characters before\ntokens: not counted, the tokenizer is \
         the model's; `gapbench::input::perturb::measure` takes one"
    )?;
    if not_compared > 0 {
        writeln!(
            out,
            "not in the CER: up to {not_compared} items, whose texts differ over more than 4,000 characters"
        )?;
    }
    Ok(())
}

fn list(registry: &Registry, out: &mut dyn Write) -> io::Result<()> {
    for family in Family::ALL {
        writeln!(out, "{family}")?;
        for operator in registry.operators().iter().filter(|operator| operator.family() == *family) {
            writeln!(
                out,
                "  {:22} labels {:11}  {}",
                operator.name(),
                operator.label_safety(),
                operator.summary()
            )?;
        }
    }
    let severities: Vec<String> =
        Severity::ALL.iter().map(|severity| format!("{severity} {}", severity.dose().share())).collect();
    writeln!(out, "\nseverities: {} (share of the eligible words of a text)", severities.join(", "))
}

/// Whether the differences may be coloured: on a terminal whose owner did not say no.
fn colour() -> bool {
    io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

fn closed(error: &io::Error) -> String {
    format!("failed to print: {error}; expected an open output; run it again")
}
