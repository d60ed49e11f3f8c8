//! `cargo gapbench import`: numbers that others published, as a claims file to review. Judges nothing, and guesses nothing
//! without saying so.

mod claim;
mod claims_file;
mod document;
mod formats;
mod input;
mod json;
mod number;
mod quality;
mod review;
mod share;
mod yaml;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgMatches, Command, value_parser};
use gapbench::cli::exit;
use gapbench::declare;
use gapbench::record::Metric;

use claim::Share;
use document::{Refusal, shown};
use formats::{Format, Known, Source};
use review::{PlusMinus, Reviewed, Wish};

/// The verb.
pub(crate) const NAME: &str = "import";

/// The verb's command line.
pub(crate) fn command() -> Command {
    let option = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help)
    };
    let words = |words: &[&'static str]| PossibleValuesParser::new(words.to_vec());
    let formats: Vec<&'static str> = Format::ALL.iter().map(|format| format.name()).collect();
    let metrics: Vec<&'static str> = Metric::ALL.iter().map(|metric| metric.name()).collect();
    Command::new(NAME)
        .about("Write a claims file from numbers that others published, for review")
        .arg(
            Arg::new("files")
                .value_name("FILE")
                .help("Model cards, results and logs, such as README.md")
                .num_args(1..)
                .required(true)
                .value_parser(value_parser!(PathBuf)),
        )
        .arg(
            option("format", "NAME", "The format of all files [default: told by the content]")
                .value_parser(words(&formats)),
        )
        .arg(
            option("output", "FILE.toml", "A new file for the claims [default: standard output]")
                .value_parser(value_parser!(PathBuf)),
        )
        .arg(option("id", "ID", "The paper's id; all files become one paper"))
        .arg(option("title", "TEXT", "The paper's title"))
        .arg(option("url", "ADDRESS", "Where it was published"))
        .arg(
            option("shares", "WORD", "What scores without a unit are, where the file does not settle it")
                .value_parser(words(&["percent", "fraction"])),
        )
        .arg(
            option("plus-minus", "WORD", "What stands behind ±: standard deviation or standard error")
                .value_parser(words(&["sd", "se"])),
        )
        .arg(
            option("metric", "NAME", "The metric of numbers whose file names none")
                .value_parser(words(&metrics)),
        )
        .arg(option("unit", "UNIT", "The unit of numbers whose file names none").requires("metric"))
        .arg(option("only", "TEXT", "Only claims whose id holds this"))
        .after_help(
            "Assumptions and what was left out stand on standard error and as comments in the file.\n\
             Exit codes: 0 written, 2 usage, broken input, or nothing to import.",
        )
}

/// Runs the verb; returns a code of [`exit`].
pub(crate) fn run(matches: &ArgMatches, out: &mut dyn Write, complaints: &mut dyn Write) -> u8 {
    // A closed pipe leaves nobody to tell: the code still says it.
    match work(matches, out, complaints) {
        Ok(()) => exit::OK,
        Err(messages) => {
            for message in messages {
                let _ = writeln!(complaints, "gapbench import: {message}");
            }
            exit::USAGE
        }
    }
}

fn work(matches: &ArgMatches, out: &mut dyn Write, complaints: &mut dyn Write) -> Result<(), Vec<String>> {
    let text = |name: &str| matches.get_one::<String>(name).cloned();
    let known = Known { metric: text("metric").and_then(|name| Metric::parse(&name)), unit: text("unit") };
    if let (Some(metric), Some(unit)) = (known.metric, &known.unit)
        && !claims_file::unit_fits(metric, unit)
    {
        let units = metric.family().names().join(", ");
        return Err(vec![format!("--unit {} does not fit {metric}; expected one of: {units}", shown(unit))]);
    }
    let wish = Wish {
        id: text("id"),
        title: text("title"),
        url: text("url"),
        shares: text("shares").map(|word| if word == "percent" { Share::Percent } else { Share::Fraction }),
        plus_minus: text("plus-minus").map(|word| if word == "sd" { PlusMinus::Sd } else { PlusMinus::Se }),
        only: text("only"),
    };
    if let Some(url) = wish.url.as_ref().filter(|url| !review::is_address(url)) {
        return Err(vec![format!(
            "--url {} is no address; expected one that begins with https://",
            shown(url)
        )]);
    }
    if let Some(id) = wish.id.as_ref().filter(|id| !review::is_id(id)) {
        return Err(vec![format!(
            "--id {} is not a name; expected a letter or digit, then letters, digits, `-`, `_` and `.`, at most 100",
            shown(id)
        )]);
    }
    let format = text("format").and_then(|name| Format::parse(&name));
    let mut reviewed = Reviewed::default();
    let mut refusals = Vec::new();
    for path in matches.get_many::<PathBuf>("files").into_iter().flatten() {
        let name = path.display().to_string();
        match import(path, &name, format, &known) {
            Ok(import) => reviewed.add(&name, import, &wish),
            Err(refusal) => refusals.push(refusal.of(&name)),
        }
    }
    // Half of what was asked for would look like all of it.
    if !refusals.is_empty() {
        return Err(refusals);
    }
    reviewed.finish();
    say(&reviewed, complaints);
    // An answer that nobody asked for is often meant for something else.
    for option in ["metric", "shares", "plus-minus"].into_iter().filter(|option| matches.contains_id(option))
    {
        let word = format!("with --{option}");
        if !reviewed.claims.iter().any(|claim| claim.found.notes.iter().any(|note| note.contains(&word))) {
            let _ =
                writeln!(complaints, "note: --{option} decided nothing: no number of these files needs it");
        }
    }
    if reviewed.claims.is_empty() {
        let why = if reviewed.rest.is_empty() {
            "these files hold no numbers, or none that --only asks for"
        } else {
            "no number of these files is a claim, for the reasons above"
        };
        return Err(vec![format!("nothing was imported: {why}")]);
    }
    let file = claims_file::write(&reviewed.papers, &reviewed.claims, &reviewed.rest);
    check(&file, reviewed.claims.len()).map_err(|message| vec![message])?;
    write(matches.get_one::<PathBuf>("output").map(PathBuf::as_path), &file, out)
        .map_err(|message| vec![message])?;
    let _ = writeln!(
        complaints,
        "{} claims, {} numbers not imported; review the file before anything is held against it",
        reviewed.claims.len(),
        reviewed.rest.len()
    );
    Ok(())
}

fn import(path: &Path, name: &str, format: Option<Format>, known: &Known) -> Result<claim::Import, Refusal> {
    let text = input::read(path)?;
    let source = Source { name, text: &text };
    let format = match format {
        Some(format) => format,
        None => formats::detect(source)?,
    };
    format.read(source, known)
}

/// What was assumed and left out, each kind once with the first place.
fn say(reviewed: &Reviewed, complaints: &mut dyn Write) {
    let mut lines: Vec<(String, String, usize)> = Vec::new();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut add = |key: String, place: String| match seen.get(&key) {
        Some(index) => {
            if let Some(line) = lines.get_mut(*index) {
                line.2 += 1;
            }
        }
        None => {
            seen.insert(key.clone(), lines.len());
            lines.push((key, place, 0));
        }
    };
    for paper in &reviewed.papers {
        for note in &paper.notes {
            add(format!("note: {}", shown_whole(note)), format!("paper {}", paper.id));
        }
    }
    for claim in &reviewed.claims {
        for note in &claim.found.notes {
            let place = format!("{}:{}: {}", shown(&claim.file), claim.found.at, claim.found.shown());
            add(format!("note: {}", shown_whole(note)), place);
        }
    }
    for rest in &reviewed.rest {
        let place = format!("{}:{}: {}", shown(&rest.file), rest.left.at, rest.left.what);
        add(format!("not imported: {}", shown_whole(&rest.left.why)), place);
    }
    for (key, place, more) in lines {
        let more = if more == 0 { String::new() } else { format!(" (and {more} more)") };
        let _ = writeln!(complaints, "{place}: {key}{more}");
    }
}

/// Our own sentence with foreign parts that are escaped already, on one line.
fn shown_whole(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

/// Nothing is written that could not be read.
fn check(file: &str, claims: usize) -> Result<(), String> {
    if file.len() > declare::MAX_BYTES {
        return Err(format!(
            "{claims} claims take {} bytes and a claims file has at most {}; `--only TEXT` keeps a part",
            file.len(),
            declare::MAX_BYTES
        ));
    }
    match declare::parse("the imported file", file.as_bytes()) {
        Ok(parsed) if parsed.claims.len() == claims => Ok(()),
        Ok(parsed) => Err(format!(
            "{} of {claims} claims can be read; this is a mistake of gapbench",
            parsed.claims.len()
        )),
        Err(errors) => Err(errors.to_string()),
    }
}

/// To standard output, or to a file that does not exist yet: a reviewed one must not be lost.
fn write(path: Option<&Path>, file: &str, out: &mut dyn Write) -> Result<(), String> {
    let Some(path) = path else {
        return out
            .write_all(file.as_bytes())
            .map_err(|error| format!("failed to write the claims: {error}"));
    };
    let failed = |error: &std::io::Error| {
        let advice = if error.kind() == std::io::ErrorKind::AlreadyExists {
            "; a reviewed file is not overwritten: choose another name or remove it"
        } else {
            ""
        };
        format!("failed to write {}: {error}{advice}", shown(&path.display().to_string()))
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut begun = tempfile::Builder::new();
    // The permissions of a file that anybody would create, less what the user's mask takes.
    #[cfg(unix)]
    begun.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut begun = begun.tempfile_in(folder).map_err(|error| failed(&error))?;
    begun.write_all(file.as_bytes()).map_err(|error| failed(&error))?;
    begun.persist_noclobber(path).map_err(|error| failed(&error.error))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a text becomes where every step accepts it, checked as before writing.
    fn whole(format: Format, text: &str) -> bool {
        let source = Source { name: "file", text };
        let Ok(import) = format.read(source, &Known::default()) else { return false };
        let mut reviewed = Reviewed::default();
        reviewed.add("file", import, &Wish::default());
        reviewed.finish();
        if reviewed.claims.is_empty() {
            return false;
        }
        let file = claims_file::write(&reviewed.papers, &reviewed.claims, &reviewed.rest);
        assert_eq!(check(&file, reviewed.claims.len()), Ok(()), "{file}");
        true
    }

    /// The files of the tests, cut and with one byte changed at many places, and read as every format.
    #[test]
    fn damaged_files_are_refused_or_sound() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/import");
        let (mut files, mut sound) = (0, 0);
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if !path
                .extension()
                .is_some_and(|kind| ["md", "yaml", "json", "txt", "csv"].iter().any(|one| kind == *one))
            {
                continue;
            }
            files += 1;
            let text = std::fs::read_to_string(&path).unwrap();
            let of = formats::detect(Source { name: "file", text: &text }).unwrap();
            for format in Format::ALL {
                sound += u32::from(whole(*format, &text));
            }
            for (count, at) in (0..text.len()).filter(|at| text.is_char_boundary(*at)).step_by(61).enumerate()
            {
                let (before, after) = text.split_at(at);
                whole(of, before);
                let letters = ['"', '\n', '}', '-', '9', '\u{1b}', '%', '[', ':', ',', 'é'];
                let rest: String = after.chars().skip(1).collect();
                whole(of, &format!("{before}{}{rest}", letters[count % letters.len()]));
            }
        }
        assert!(files >= 20 && sound >= 15, "{files} files, {sound} sound");
    }
}
