//! Every sentence a user can read: what was found, what is allowed, what to do.

use std::fmt::Display;

use syn::{Expr, Ident, Type};

use crate::load::{ARRIVALS, TIMES};
use crate::options::{SEVERITIES, WORDS};

// --- the shape of the attribute ---

pub(crate) fn not_a_word(found: &impl Display) -> String {
    format!("expected an option or an axis, found `{found}`; the options are {}", options())
}

pub(crate) fn value_missing(word: &Ident) -> String {
    format!("nothing follows `{word} =`; {}", form(word))
}

pub(crate) fn value_unreadable(word: &Ident, error: &syn::Error) -> String {
    format!("the value of `{word}` is not a Rust expression: {error}; {}", form(word))
}

pub(crate) fn comma_missing(found: &impl Display) -> String {
    format!("a comma is missing before `{found}`; separate options and axes with `,`")
}

pub(crate) fn unexpected(found: &impl Display) -> String {
    format!("expected `,` or the end of the attribute, found `{found}`")
}

// --- options ---

pub(crate) fn given_twice(word: &Ident) -> String {
    format!("`{word}` is given twice; keep one")
}

pub(crate) fn unknown_option(word: &Ident, parameters: &[String], meant: Option<&str>) -> String {
    let meant = did_you_mean(meant);
    format!("unknown option `{word}`; the options are {}{}{meant}", options(), axes(parameters))
}

pub(crate) fn needs_serve(word: &Ident) -> String {
    format!(
        "`{word}` needs a model that answers requests, and this function takes `&mut Bencher`; \
         take `&mut Serve`, or remove `{word}`"
    )
}

pub(crate) fn flag_value(word: &Ident) -> String {
    format!("`{word}` takes no value; write `{word}`, or remove it where it is not wanted")
}

pub(crate) fn cold_start_value() -> String {
    "`cold_start` takes levels in parentheses or nothing; write `cold_start` or `cold_start(process, jit, disk)`"
        .to_owned()
}

pub(crate) fn no_level() -> String {
    "`cold_start()` names no level; write `cold_start` or `cold_start(process, jit, disk)`".to_owned()
}

pub(crate) fn not_a_string(word: &Ident) -> String {
    format!("`{word}` takes a string literal; {}", form(word))
}

pub(crate) fn empty_name() -> String {
    "the name is empty; write a name, or remove `name` to use the function's".to_owned()
}

pub(crate) fn name_character(found: char) -> String {
    format!("the name has {found:?}; a name is ASCII letters, digits, `_` and `-`")
}

pub(crate) fn empty_path(word: &Ident) -> String {
    format!("the path is empty; {}", form(word))
}

pub(crate) fn absolute_path(path: &str) -> String {
    format!("`{path}` is an absolute path; write it relative to the folder of the crate's `Cargo.toml`")
}

// --- papers ---

pub(crate) fn no_papers() -> String {
    "`paper = []` names no claims file; name one, or remove `paper`".to_owned()
}

pub(crate) fn paper_twice(paper: &str) -> String {
    format!("`{paper}` is listed twice; keep one")
}

pub(crate) fn no_paper_file() -> String {
    "no claims file is named; write `paper = \"file.toml\"` or `paper = \"file.toml#id\"`".to_owned()
}

pub(crate) fn outside_path(path: &str) -> String {
    format!(
        "`{path}` leaves the crate's folder; a claims file lies below the folder of the crate's `Cargo.toml`"
    )
}

pub(crate) fn empty_id(path: &str) -> String {
    format!("no id follows `#`; write `{path}#id`, or `{path}` for every result of the file")
}

pub(crate) fn paper_file_missing(path: &str, meant: Option<&str>) -> String {
    let meant = did_you_mean(meant);
    format!(
        "no file `{path}` below the folder of the crate's `Cargo.toml`{meant}; create it or correct the path"
    )
}

pub(crate) fn paper_file_too_large(path: &str) -> String {
    format!("`{path}` has more than 4 MiB, so it is no claims file; name a file of `[[result]]` tables")
}

// --- axes ---

pub(crate) fn parameter_missing(word: &Ident, parameters: &[String], meant: Option<&str>) -> String {
    let meant = did_you_mean(meant);
    let has = match parameters {
        [] => String::new(),
        names => format!("; the parameters for axes are {}", list(names.iter())),
    };
    format!("axis `{word}` has no parameter{has}; add the parameter `{word}`, or remove the axis{meant}")
}

pub(crate) fn driver_axis(word: &Ident) -> String {
    format!("`{word}` is the first parameter, which drives the benchmark and has no values; remove this axis")
}

pub(crate) fn axis_missing(parameter: &Ident) -> String {
    format!(
        "parameter `{parameter}` has no axis; add `{parameter} = [...]` to the attribute, or remove the parameter"
    )
}

pub(crate) fn reserved_parameter(parameter: &Ident) -> String {
    format!(
        "`{parameter}` is an option of `#[gap_bench]`, so no axis can have this name; rename the parameter"
    )
}

pub(crate) fn list_missing(word: &Ident) -> String {
    format!("axis `{word}` has no values; write `{word} = [...]` with at least one value")
}

pub(crate) fn not_a_list(word: &Ident, found: &Expr) -> String {
    match found {
        Expr::Lit(_) | Expr::Unary(_) => {
            format!("axis `{word}` takes a list; put the value in brackets: `{word} = [...]`")
        }
        _ => format!(
            "axis `{word}` takes a list that is written out, since its values name the cases; \
             write `{word} = [..., ...]`"
        ),
    }
}

pub(crate) fn empty_list(word: &Ident) -> String {
    format!("axis `{word}` is empty, so there would be no case; list at least one value")
}

pub(crate) fn empty_label(word: &Ident) -> String {
    format!("a value of axis `{word}` is empty text, which cannot name a case; write at least one character")
}

pub(crate) fn label_separator(word: &Ident, label: &str, separator: &str) -> String {
    format!(
        "`{label}` on axis `{word}` has {separator}, which cannot stand inside a case's name; \
         write it without, or bind it to a `const` and list the constant"
    )
}

pub(crate) fn duplicate_value(word: &Ident, label: &str) -> String {
    format!(
        "`{label}` appears twice on axis `{word}`, so two cases would have one name; remove one or rename it"
    )
}

// --- load ---

pub(crate) fn needs_parentheses(word: &Ident) -> String {
    format!("`{word}` takes words in parentheses; {}", form(word))
}

pub(crate) fn unknown_inside(option: &str, word: &Ident, words: &[&str]) -> String {
    let meant = did_you_mean(nearest(&word.to_string(), words.iter().copied()));
    format!("`{option}` has no `{word}`; its words are {}{meant}", list(words.iter()))
}

pub(crate) fn no_load() -> String {
    "`load()` sends nothing; write `load(clients = [1, 8, 50])`, `load(rates = [10, 50])`, `offline` or `search`".to_owned()
}

pub(crate) fn load_list(word: &Ident) -> String {
    let example = if word == "clients" { "[1, 8, 50]" } else { "[10, 50]" };
    format!("`{word}` takes a list; write `{word} = {example}`")
}

pub(crate) fn empty_load_list(word: &Ident) -> String {
    format!("`{word}` is empty, so nothing would be sent; list at least one number")
}

pub(crate) fn load_number(word: &Ident, why: &str) -> String {
    format!("this is no value of `{word}`: {why}")
}

pub(crate) fn load_twice(word: &Ident) -> String {
    format!("`{word}` has this value twice; remove one")
}

pub(crate) fn arrivals(word: &Ident) -> String {
    let words = ARRIVALS.iter().map(|name| if *name == "gamma" { "gamma(0.5)" } else { name });
    format!("`{word}` is one of {}; write `{word} = poisson`", list(words))
}

pub(crate) fn gamma_shape() -> String {
    "the shape of gamma gaps is a number above 0: 1 is Poisson, smaller is burstier; write `gamma(0.5)`"
        .to_owned()
}

pub(crate) fn arrivals_of_nothing() -> String {
    "`arrivals` says how an open loop's requests come, and there is none; add `rates = [...]` or `search`, or remove it"
        .to_owned()
}

pub(crate) fn nobody_thinks() -> String {
    "`think` is what a closed loop's clients do, and there is none; add `clients = [...]`, or remove it"
        .to_owned()
}

pub(crate) fn duration(word: &Ident) -> String {
    format!(
        "`{word}` takes a time above 0 as a string with its unit (ns, us, ms, s or min); write `{word} = \"800ms\"`"
    )
}

pub(crate) fn no_objective() -> String {
    "`slo()` asks for nothing; write `slo(p99 = \"800ms\")`".to_owned()
}

pub(crate) fn no_such_objective(word: &Ident) -> String {
    let mut times: Vec<String> = TIMES.iter().map(|(name, _)| format!("{name}_p95")).collect();
    times.insert(0, "p99".to_owned());
    format!(
        "`{word}` is no objective; write a percentile from above p0 to p100, with the time in front where it is not the \
         whole answer: {} (p99_9 is 99.9)",
        list(times.iter())
    )
}

pub(crate) fn objective_without_load() -> String {
    "`slo` bounds latencies under load, and nothing is sent; add `load(clients = [1, 8, 50])`, or remove `slo`".to_owned()
}

pub(crate) fn search_without_objective() -> String {
    "`search` looks for the largest rate that meets the objectives, and there is none; add `slo(p99 = \"800ms\")`"
        .to_owned()
}

// --- noise ---

pub(crate) fn noise_list() -> String {
    "`noise` takes a list; write `noise = [light, medium, heavy]`, or names of operators such as `\"typo.keyboard\"`"
        .to_owned()
}

pub(crate) fn no_noise() -> String {
    "this names no noise; write `light`, `medium`, `heavy`, or operators such as `\"typo.keyboard,format.html@heavy\"`"
        .to_owned()
}

pub(crate) fn no_such_severity() -> String {
    format!(
        "this is no severity; the severities are {}, and operators are written as text: `\"typo.keyboard\"`",
        list(SEVERITIES.iter())
    )
}

// --- the function ---

pub(crate) fn not_a_function(found: &impl Display) -> String {
    format!("`#[gap_bench]` goes on a function, found `{found}`; move it to an `fn`")
}

pub(crate) fn no_body() -> String {
    "a benchmark function has a body; write `{ ... }`".to_owned()
}

pub(crate) fn second_attribute() -> String {
    "a function has one `#[gap_bench]`; merge the two, or call the function from a second one".to_owned()
}

pub(crate) fn const_function() -> String {
    "a benchmark runs when the program runs; remove `const`".to_owned()
}

pub(crate) fn async_function() -> String {
    "a benchmark function is not `async`; remove `async` and run the future inside, on the runtime it needs"
        .to_owned()
}

pub(crate) fn unsafe_function() -> String {
    "a benchmark function is called from safe code; remove `unsafe` and put the unsafe block inside"
        .to_owned()
}

pub(crate) fn extern_function() -> String {
    "a benchmark function is called from Rust; remove the `extern` ABI".to_owned()
}

pub(crate) fn generic_function() -> String {
    "a benchmark function has no type, lifetime or const parameters; write a function per type that calls the generic one"
        .to_owned()
}

pub(crate) fn variadic_function() -> String {
    "a benchmark function has no variadic arguments; remove `...`".to_owned()
}

pub(crate) fn no_parameters() -> String {
    "the function has no parameters; its first is what drives it: `bench: &mut Bencher` or `serve: &mut Serve`"
        .to_owned()
}

pub(crate) fn receiver() -> String {
    "`self` cannot drive a benchmark; write a free function whose first parameter is `&mut Bencher` or `&mut Serve`"
        .to_owned()
}

pub(crate) fn not_a_driver(found: &Type) -> String {
    let reference = match found {
        Type::Reference(_) => "a shared reference",
        _ => "no reference",
    };
    format!(
        "the first parameter drives the benchmark, and this is {reference}; write `&mut Bencher` or `&mut Serve`"
    )
}

pub(crate) fn impl_driver() -> String {
    "the first parameter's type decides how the function is measured; write `&mut Bencher` or `&mut Serve` for `impl`"
        .to_owned()
}

pub(crate) fn impl_parameter(parameter: &Ident) -> String {
    format!("the values of axis `{parameter}` have one type; write it instead of `impl`")
}

pub(crate) fn parameter_condition() -> String {
    "a parameter cannot be conditional, since its axis is not; put `#[cfg]` on the function".to_owned()
}

pub(crate) fn parameter_pattern() -> String {
    "the name of this parameter is its axis; write a plain name and take it apart in the body".to_owned()
}

pub(crate) fn impl_output() -> String {
    "the return type has to be written out; return nothing or `Result<()>`".to_owned()
}

pub(crate) fn never_output() -> String {
    "a benchmark function returns; let it return nothing or `Result<()>`".to_owned()
}

// --- words ---

/// What to write for `word`.
fn form(word: &Ident) -> String {
    match word.to_string().as_str() {
        "memory" => "write `memory`".to_owned(),
        "cold_start" => "write `cold_start` or `cold_start(process, jit, disk)`".to_owned(),
        "name" => "write `name = \"other-name\"`".to_owned(),
        "paper" => "write `paper = \"file.toml\"`, `\"file.toml#id\"` or a list of these".to_owned(),
        "load" => "write `load(clients = [1, 8, 50])`, `load(rates = [10, 50], arrivals = poisson)` or both"
            .to_owned(),
        "noise" => "write `noise = [light, medium, heavy]`".to_owned(),
        "slo" => "write `slo(p99 = \"800ms\")`".to_owned(),
        "benchmark" | "inputs" => format!("write `{word} = \"file.jsonl\"`"),
        _ => format!("write `{word} = [...]` with the axis's values"),
    }
}

fn options() -> String {
    list(WORDS.iter())
}

fn axes(parameters: &[String]) -> String {
    match parameters {
        [] => String::new(),
        names => format!(" and the axes {}", list(names.iter())),
    }
}

fn list(words: impl Iterator<Item = impl Display>) -> String {
    words.map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

fn did_you_mean(meant: Option<&str>) -> String {
    meant.map(|word| format!("; did you mean `{word}`?")).unwrap_or_default()
}

/// The allowed word that `word` probably stands for: at most a third of its letters differ, or it begins alike.
pub(crate) fn nearest<'a>(word: &str, allowed: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let near = |candidate: &str| {
        let distance = distance(word, candidate);
        let prefix = word.len() >= 3 && (candidate.starts_with(word) || word.starts_with(candidate));
        (prefix || distance * 3 <= candidate.chars().count().max(3)).then_some(distance)
    };
    allowed.filter_map(|candidate| Some((near(candidate)?, candidate))).min().map(|(_, candidate)| candidate)
}

/// The Levenshtein distance: how many characters are to be inserted, removed or replaced.
fn distance(from: &str, to: &str) -> usize {
    let mut above: Vec<usize> = (0..=to.chars().count()).collect();
    for (row, left) in from.chars().enumerate() {
        let mut diagonal = row;
        let mut last = row + 1;
        let mut current = vec![last];
        for (right, &up) in to.chars().zip(above.iter().skip(1)) {
            last = (last + 1).min(up + 1).min(diagonal + usize::from(left != right));
            diagonal = up;
            current.push(last);
        }
        above = current;
    }
    above.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_edits() {
        for (from, to, edits) in
            [("", "", 0), ("", "ab", 2), ("paper", "papers", 1), ("kitten", "sitting", 3), ("ab", "ba", 2)]
        {
            assert_eq!(distance(from, to), edits, "{from} {to}");
        }
    }

    #[test]
    fn near_misses_are_found_and_far_ones_are_not() {
        let nearest = |word| nearest(word, WORDS.into_iter());
        assert_eq!(nearest("papers"), Some("paper"));
        assert_eq!(nearest("coldstart"), Some("cold_start"));
        assert_eq!(nearest("mem"), Some("memory"));
        assert_eq!(nearest("imputs"), Some("inputs"));
        assert_eq!(nearest("lod"), Some("load"));
        assert_eq!(nearest("price"), None);
        assert_eq!(nearest("x"), None);
    }
}
