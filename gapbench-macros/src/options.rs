//! The attribute's options: which words there are, and what each takes.

use std::path::{Component, Path};

use syn::ext::IdentExt;
use syn::{Expr, Ident, Lit, LitStr, Type};

use crate::arguments::{Argument, Value};
use crate::axis::{self, Axis};
use crate::cold_start::{self, ColdStart};
use crate::load::{self, Load, Objective};
use crate::message;
use crate::mistakes::Mistakes;
use crate::signature::{Function, ungrouped};

/// Every option there is. No axis can have one of these names.
pub(crate) const WORDS: [&str; 9] =
    ["name", "paper", "benchmark", "inputs", "cold_start", "memory", "load", "slo", "noise"];

/// What the attribute says.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) name: Option<LitStr>,
    pub(crate) papers: Vec<Paper>,
    pub(crate) benchmark: Option<LitStr>,
    pub(crate) inputs: Option<LitStr>,
    pub(crate) cold_start: ColdStart,
    pub(crate) memory: bool,
    pub(crate) load: Option<Load>,
    pub(crate) objectives: Vec<Objective>,
    /// Where `slo` stands.
    pub(crate) slo: Option<Ident>,
    /// Severities, and chains of operators, as they were written.
    pub(crate) noise: Vec<String>,
    /// Where `noise` stands.
    pub(crate) noise_word: Option<Ident>,
    /// In the order of the parameters.
    pub(crate) axes: Vec<Axis>,
}

/// A claims file, or one result of it.
pub(crate) struct Paper {
    pub(crate) path: String,
    pub(crate) id: Option<String>,
}

/// Reads the meaning of `arguments`. Without `manifest_dir` no file is looked for.
pub(crate) fn read(
    arguments: &[Argument],
    function: &Function,
    manifest_dir: Option<&Path>,
    mistakes: &mut Mistakes,
) -> Options {
    let mut options = Options::default();
    let mut seen: Vec<String> = Vec::new();
    for argument in arguments {
        let Argument { word, value } = argument;
        let text = argument.text();
        if seen.contains(&text) {
            mistakes.at(word, message::given_twice(word));
            continue;
        }
        if needs_serve(&text) && function.target.as_ref().is_some_and(is_bencher) {
            mistakes.at(word, message::needs_serve(word));
        }
        match text.as_str() {
            "name" => options.name = name(word, value, mistakes),
            "paper" => options.papers = papers(word, value, manifest_dir, mistakes),
            "benchmark" => options.benchmark = input_path(word, value, mistakes),
            "inputs" => options.inputs = input_path(word, value, mistakes),
            "cold_start" => options.cold_start = cold_start::read(word, value, function, mistakes),
            "memory" => options.memory = flag(word, value, function, mistakes),
            "load" => options.load = load::load(word, value, mistakes),
            "slo" => {
                options.objectives = load::objectives(word, value, mistakes);
                options.slo = Some(word.clone());
            }
            "noise" => {
                options.noise = noise(word, value, mistakes);
                options.noise_word = Some(word.clone());
            }
            _ => match function.parameters.iter().find(|parameter| parameter.text() == text) {
                Some(parameter) => options.axes.extend(axis::read(parameter, word, value, mistakes)),
                // What was meant is then not missed below.
                None => seen.extend(unknown(word, value, function, mistakes)),
            },
        }
        seen.push(text);
    }
    for parameter in &function.parameters {
        let text = parameter.text();
        if !seen.contains(&text) && !WORDS.contains(&text.as_str()) {
            mistakes.at(&parameter.ident, message::axis_missing(&parameter.ident));
        }
    }
    match (&options.load, &options.slo) {
        (Some(load), None) if load.searches() => mistakes.at(&load.word, message::search_without_objective()),
        (None, Some(slo)) if !seen.iter().any(|word| word == "load") => {
            mistakes.at(slo, message::objective_without_load());
        }
        _ => {}
    }
    let order = |axis: &Axis| function.parameters.iter().position(|parameter| parameter.ident == axis.ident);
    options.axes.sort_by_key(order);
    options
}

/// Options of a model that answers requests.
fn needs_serve(word: &str) -> bool {
    ["benchmark", "inputs", "cold_start", "memory", "load", "slo", "noise"].contains(&word)
}

/// Whether the type is written as `Bencher`. Behind another name only the compiler knows it.
fn is_bencher(target: &Type) -> bool {
    match ungrouped(target) {
        Type::Path(path) => path.path.segments.last().is_some_and(|segment| segment.ident == "Bencher"),
        _ => false,
    }
}

/// Answers a word that is neither an option nor a parameter; returns what was probably meant.
fn unknown(word: &Ident, value: &Value, function: &Function, mistakes: &mut Mistakes) -> Option<String> {
    let text = word.unraw().to_string();
    if function.driver.as_ref().is_some_and(|driver| driver.unraw() == text) {
        mistakes.at(word, message::driver_axis(word));
        return None;
    }
    let list = matches!(value, Value::Assigned(Expr::Array(_)));
    if list && function.nameless {
        // It may well be the axis of the parameter that is already answered.
        return None;
    }
    let parameters: Vec<String> = function.parameters.iter().map(|parameter| parameter.text()).collect();
    let allowed = WORDS.iter().copied().chain(parameters.iter().map(String::as_str));
    let meant = message::nearest(&text, allowed);
    let sentence = if list { message::parameter_missing } else { message::unknown_option };
    mistakes.at(word, sentence(word, &parameters, meant));
    meant.map(str::to_owned)
}

fn flag(word: &Ident, value: &Value, function: &Function, mistakes: &mut Mistakes) -> bool {
    match value {
        Value::Absent | Value::Mistaken => {}
        // Meant as an axis; the parameter's name is already answered.
        Value::Assigned(Expr::Array(_)) if function.parameters.iter().any(|one| one.ident == *word) => {}
        Value::Assigned(value) => mistakes.at(value, message::flag_value(word)),
        Value::Parenthesized(group) => mistakes.at(group, message::flag_value(word)),
    }
    true
}

/// The string of `word = "..."`.
fn string(word: &Ident, value: &Value, mistakes: &mut Mistakes) -> Option<LitStr> {
    match value {
        Value::Assigned(expression) => {
            let literal = literal(expression);
            if literal.is_none() {
                mistakes.at(expression, message::not_a_string(word));
            }
            literal
        }
        Value::Absent | Value::Parenthesized(_) => {
            mistakes.at(word, message::not_a_string(word));
            None
        }
        Value::Mistaken => None,
    }
}

fn literal(expression: &Expr) -> Option<LitStr> {
    match expression {
        Expr::Lit(expression) => match &expression.lit {
            Lit::Str(text) => Some(text.clone()),
            _ => None,
        },
        // The invisible delimiters of a macro's `$text:literal`.
        Expr::Group(group) => literal(&group.expr),
        _ => None,
    }
}

/// The severities that can be written as words.
pub(crate) const SEVERITIES: [&str; 3] = ["light", "medium", "heavy"];

/// `noise = [light, heavy, "typo.keyboard,format.html@medium"]`. Which operators there are is known to gapbench alone.
fn noise(word: &Ident, value: &Value, mistakes: &mut Mistakes) -> Vec<String> {
    let list = match value {
        Value::Assigned(Expr::Array(list)) => list,
        Value::Assigned(other) => {
            mistakes.at(other, message::noise_list());
            return Vec::new();
        }
        Value::Absent | Value::Parenthesized(_) => {
            mistakes.at(word, message::noise_list());
            return Vec::new();
        }
        Value::Mistaken => return Vec::new(),
    };
    if list.elems.is_empty() {
        mistakes.at(list, message::no_noise());
    }
    let mut found: Vec<String> = Vec::new();
    for element in &list.elems {
        let text = match (element, literal(element)) {
            (_, Some(text)) => text.value(),
            (Expr::Path(path), _) => match path.path.get_ident() {
                Some(severity) if SEVERITIES.contains(&severity.to_string().as_str()) => severity.to_string(),
                _ => {
                    mistakes.at(element, message::no_such_severity());
                    continue;
                }
            },
            _ => {
                mistakes.at(element, message::no_such_severity());
                continue;
            }
        };
        if text.trim().is_empty() {
            mistakes.at(element, message::no_noise());
        } else if found.contains(&text) {
            mistakes.at(element, message::load_twice(word));
        }
        found.push(text);
    }
    found
}

fn name(word: &Ident, value: &Value, mistakes: &mut Mistakes) -> Option<LitStr> {
    let literal = string(word, value, mistakes)?;
    let text = literal.value();
    let allowed = |character: char| character.is_ascii_alphanumeric() || "_-".contains(character);
    if text.is_empty() {
        mistakes.at(&literal, message::empty_name());
    } else if let Some(character) = text.chars().find(|character| !allowed(*character)) {
        mistakes.at(&literal, message::name_character(character));
    }
    Some(literal)
}

/// The path of an input set. The file may be made after the build, so it is not looked for here.
fn input_path(word: &Ident, value: &Value, mistakes: &mut Mistakes) -> Option<LitStr> {
    let literal = string(word, value, mistakes)?;
    let text = literal.value();
    if text.is_empty() {
        mistakes.at(&literal, message::empty_path(word));
    } else if Path::new(&text).has_root() {
        mistakes.at(&literal, message::absolute_path(&text));
    }
    Some(literal)
}

fn papers(word: &Ident, value: &Value, manifest_dir: Option<&Path>, mistakes: &mut Mistakes) -> Vec<Paper> {
    let Value::Assigned(Expr::Array(list)) = value else {
        let literal = string(word, value, mistakes);
        return literal.iter().filter_map(|literal| paper(literal, manifest_dir, mistakes)).collect();
    };
    if list.elems.is_empty() {
        mistakes.at(list, message::no_papers());
    }
    let mut seen: Vec<String> = Vec::new();
    let mut papers = Vec::new();
    for element in &list.elems {
        let Some(literal) = literal(element) else {
            mistakes.at(element, message::not_a_string(word));
            continue;
        };
        if seen.contains(&literal.value()) {
            mistakes.at(&literal, message::paper_twice(&literal.value()));
        }
        seen.push(literal.value());
        papers.extend(paper(&literal, manifest_dir, mistakes));
    }
    papers
}

/// One `file.toml` or `file.toml#id`.
fn paper(literal: &LitStr, manifest_dir: Option<&Path>, mistakes: &mut Mistakes) -> Option<Paper> {
    let text = literal.value();
    let (path, id) = match text.split_once('#') {
        Some((path, id)) => (path, Some(id)),
        None => (text.as_str(), None),
    };
    let relative = Path::new(path);
    let outside = relative.components().any(|part| part == Component::ParentDir);
    let sentence = if path.is_empty() {
        message::no_paper_file()
    } else if relative.has_root() {
        message::absolute_path(path)
    } else if outside {
        message::outside_path(path)
    } else if id == Some("") {
        message::empty_id(path)
    } else {
        match manifest_dir {
            Some(folder) if !folder.join(relative).is_file() => {
                let beside = files_beside(&folder.join(relative));
                let near = message::nearest(file_name(relative), beside.iter().map(String::as_str));
                message::paper_file_missing(path, near)
            }
            Some(folder) if too_large(&folder.join(relative)) => message::paper_file_too_large(path),
            _ => return Some(Paper { path: path.to_owned(), id: id.map(str::to_owned) }),
        }
    };
    mistakes.at(literal, sentence);
    None
}

/// The bound of gapbench's reader, which says the same of a file that grew since; here the compiler is spared embedding it.
const PAPER_BYTES: u64 = 4 << 20;

fn too_large(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| metadata.len() > PAPER_BYTES)
}

fn file_name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

/// The names of the files in the folder where `path` was looked for, sorted; none where there is no such folder.
fn files_beside(path: &Path) -> Vec<String> {
    let entries = path.parent().and_then(|folder| folder.read_dir().ok());
    let names = entries.into_iter().flatten().filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use proc_macro2::TokenStream;
    use quote::quote;

    use super::*;
    use crate::{arguments, signature};

    fn sentences(attribute: TokenStream, item: &str) -> Vec<String> {
        let mut mistakes = Mistakes::default();
        let function = signature::read(item.parse().unwrap(), &mut mistakes).unwrap();
        let arguments = arguments::read(attribute, &mut mistakes);
        read(&arguments, &function, Some(Path::new(env!("CARGO_MANIFEST_DIR"))), &mut mistakes);
        mistakes.sentences()
    }

    #[test]
    fn one_typing_mistake_is_told_once() {
        let found = sentences(quote!(row = [1]), "fn f(bench: &mut Bencher, rows: usize) {}");
        assert_eq!(found.len(), 1, "{found:#?}");
        assert!(found[0].contains("did you mean `rows`?"), "{found:#?}");
    }

    #[test]
    fn a_parameter_with_the_name_of_an_option_is_told_once() {
        let found = sentences(quote!(memory = [1]), "fn f(serve: &mut Serve, memory: usize) {}");
        assert_eq!(found.len(), 1, "{found:#?}");
    }

    #[test]
    fn a_missing_claims_file_names_the_one_beside_it() {
        let found = sentences(quote!(paper = "Cargo.tml"), "fn f(bench: &mut Bencher) {}");
        assert!(found[0].contains("did you mean `Cargo.toml`?"), "{found:#?}");
    }

    #[test]
    fn an_alias_of_the_bencher_is_not_recognized() {
        assert!(sentences(quote!(memory), "fn f(serve: &mut Alias) {}").is_empty());
        assert_eq!(sentences(quote!(memory), "fn f(b: &mut gapbench::Bencher) {}").len(), 1);
    }
}
