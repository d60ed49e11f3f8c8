//! All annotated functions of a bench binary with their claims, checked before anything runs.

use std::fmt;

use super::paper_toml::{self, ClaimErrors, PaperFile};
use super::{Declaration, Kind, Options, PaperClaim, Price};

/// A declaration with the claims it is held against.
#[derive(Clone, Debug)]
pub struct Registered {
    /// The annotated function.
    pub declaration: &'static Declaration,
    /// Its claims, in the order of the attribute and of the file.
    pub claims: Vec<PaperClaim>,
    /// What its hardware costs, where a claims file says so.
    pub price: Option<Price>,
}

/// Every declaration of the binary, sorted by file and line.
#[derive(Clone, Debug, Default)]
pub struct Declarations {
    /// The declarations.
    pub items: Vec<Registered>,
}

impl Declarations {
    /// What the hardware of a function costs.
    pub fn price(&self, function: &str) -> Option<&Price> {
        self.items.iter().find(|item| item.declaration.path() == function)?.price.as_ref()
    }

    /// The same declarations at another price.
    #[must_use]
    pub fn at_price(mut self, price: &Price) -> Declarations {
        self.items.iter_mut().for_each(|item| item.price = Some(price.clone()));
        self
    }
}

/// A mistake in the declarations. It stops the run before the first child, since numbers could not be attributed.
#[derive(Debug)]
pub enum DeclareError {
    /// Two functions have one name.
    Duplicate(&'static Declaration, &'static Declaration),
    /// A function that takes no `&mut Serve` has an option that only a served model can use.
    ServeOnly(&'static Declaration, &'static str),
    /// A claims file is broken.
    Claims(ClaimErrors),
    /// Two claims files of one function say different prices.
    TwoPrices(&'static Declaration, Box<(Price, Price)>),
    /// A claims file has no such result.
    UnknownClaim {
        /// The file as written in the attribute.
        file: &'static str,
        /// The id as written.
        id: &'static str,
        /// The ids the file has.
        known: Vec<String>,
        /// Who asked.
        declaration: &'static Declaration,
    },
}

impl fmt::Display for DeclareError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DeclareError::Duplicate(first, second) => write!(
                formatter,
                "two benchmarks are called `{}`: {}:{} and {}:{}; give one of them another name with `name = \"...\"`",
                first.path(),
                first.file,
                first.line,
                second.file,
                second.line
            ),
            DeclareError::ServeOnly(declaration, option) => write!(
                formatter,
                "{}:{}: `{option}` is for functions that take `&mut Serve`; remove it from `{}`",
                declaration.file, declaration.line, declaration.name
            ),
            DeclareError::TwoPrices(declaration, prices) => write!(
                formatter,
                "{}:{}: the claims files of `{}` say two prices, `{}` and `{}`; keep one `[cost]`",
                declaration.file, declaration.line, declaration.name, prices.0, prices.1
            ),
            DeclareError::Claims(errors) => errors.fmt(formatter),
            DeclareError::UnknownClaim { file, id, known, declaration } => write!(
                formatter,
                "{}:{}: `{file}` has no result with id `{id}`; it has: {}",
                declaration.file,
                declaration.line,
                known.join(", ")
            ),
        }
    }
}

impl std::error::Error for DeclareError {}

/// Collects what the macro registered and reads the claims.
///
/// # Errors
/// All mistakes at once: duplicated names, broken claims files, claims that do not exist.
pub fn collect() -> Result<Declarations, Vec<DeclareError>> {
    check(registered().collect())
}

/// What the macro registered, unchecked.
pub fn registered() -> impl Iterator<Item = &'static Declaration> {
    inventory::iter::<Declaration>.into_iter()
}

/// The same for a given list.
fn check(mut found: Vec<&'static Declaration>) -> Result<Declarations, Vec<DeclareError>> {
    found.sort_by_key(|declaration| (declaration.file, declaration.line, declaration.name));
    let mut errors = Vec::new();
    for (index, second) in found.iter().enumerate() {
        if let Some(first) = found.iter().take(index).find(|first| first.path() == second.path()) {
            errors.push(DeclareError::Duplicate(first, second));
        }
    }
    // The macro sees the spelling of a type only, so an alias of `Bencher` comes through it.
    for declaration in found.iter().filter(|declaration| declaration.kind != Kind::Service) {
        let Options { benchmark, inputs, cold_start, memory, load, objectives, noise } = declaration.options;
        let kernel = declaration.kind == Kind::Kernel;
        let used = [
            ("benchmark", benchmark.is_some()),
            ("inputs", inputs.is_some()),
            ("cold_start", !cold_start.is_empty() && !kernel),
            ("memory", memory && !kernel),
            ("load", load.is_some()),
            ("slo", !objectives.is_empty()),
            ("noise", !noise.is_empty()),
        ];
        errors.extend(
            used.iter()
                .filter(|(_, used)| *used)
                .map(|(option, _)| DeclareError::ServeOnly(declaration, option)),
        );
    }
    let mut items = Vec::new();
    let mut broken: Vec<&'static str> = Vec::new();
    for declaration in found {
        let mut claims = Vec::new();
        let mut price: Option<Price> = None;
        for paper in declaration.papers {
            match paper_toml::parse(paper.path, paper.text) {
                Ok(PaperFile { claims: all, cost, .. }) => {
                    match (&price, cost) {
                        (Some(first), Some(second)) if *first != second => {
                            let prices = Box::new((first.clone(), second));
                            errors.push(DeclareError::TwoPrices(declaration, prices));
                        }
                        (_, cost) => price = price.take().or(cost),
                    }
                    match paper.id {
                        None => claims.extend(all),
                        Some(id) => match all.iter().find(|claim| claim.id == id) {
                            Some(claim) => claims.push(claim.clone()),
                            None => errors.push(DeclareError::UnknownClaim {
                                file: paper.path,
                                id,
                                known: all.iter().map(|claim| claim.id.clone()).collect(),
                                declaration,
                            }),
                        },
                    }
                }
                // One file is reported once, however many functions name it.
                Err(found) if !broken.contains(&paper.path) => {
                    broken.push(paper.path);
                    errors.push(DeclareError::Claims(found));
                }
                Err(_) => {}
            }
        }
        items.push(Registered { declaration, claims, price });
    }
    if errors.is_empty() { Ok(Declarations { items }) } else { Err(errors) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::declare::{Kind, Options, PaperRef};

    const GOOD: &[u8] = b"schema = 1\n[paper]\nid = 'p'\ntitle = 'P'\nurl = 'https://p.example'\n\
        [[result]]\nid = 'a'\nmetric = 'latency.e2e'\nvalue = 1.5\nunit = 'ms'\nstatistic = 'p99'\nsource.kind = 'paper'\n\
        [[result]]\nid = 'b'\nmetric = 'quality.f1'\nvalue = 90.1\nunit = '%'\nstatistic = 'mean'\nsource.kind = 'paper'\n";
    const BROKEN: &[u8] = b"schema = 1\n";

    fn paper(path: &'static str, id: Option<&'static str>, text: &'static [u8]) -> PaperRef {
        PaperRef { path, id, text }
    }

    fn function(name: &'static str, line: u32, papers: &[PaperRef]) -> &'static Declaration {
        Box::leak(Box::new(Declaration {
            module: "bench",
            name,
            file: "benches/bench.rs",
            line,
            manifest_dir: "/repository",
            kind: Kind::Function,
            axes: &[],
            papers: Vec::leak(papers.to_vec()),
            options: Options::NONE,
            run: |_, _| Ok(()),
        }))
    }

    fn said(found: Vec<&'static Declaration>) -> Vec<String> {
        check(found).unwrap_err().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn declarations_are_sorted_and_have_the_claims_they_name() {
        let first =
            function("first", 3, &[paper("p.toml", Some("b"), GOOD), paper("p.toml", Some("a"), GOOD)]);
        let second = function("second", 9, &[paper("p.toml", None, GOOD)]);
        let none = function("none", 20, &[]);
        let declared = check(vec![none, second, first]).unwrap();
        let found: Vec<(&str, Vec<&str>)> = declared
            .items
            .iter()
            .map(|item| (item.declaration.name, item.claims.iter().map(|claim| claim.id.as_str()).collect()))
            .collect();
        assert_eq!(found, [("first", vec!["b", "a"]), ("second", vec!["a", "b"]), ("none", vec![])]);
        assert_eq!(declared.items[0].claims[0].file, "p.toml");
    }

    #[test]
    fn two_functions_of_one_name_are_named_with_their_places() {
        let twice = [function("same", 7, &[]), function("other", 8, &[]), function("same", 2, &[])];
        assert_eq!(
            said(twice.to_vec()),
            ["two benchmarks are called `bench::same`: benches/bench.rs:2 and benches/bench.rs:7; \
              give one of them another name with `name = \"...\"`"]
        );
    }

    #[test]
    fn an_unknown_claim_names_the_known_ones() {
        let asks = function("asks", 4, &[paper("p.toml", Some("c"), GOOD)]);
        assert_eq!(
            said(vec![asks]),
            ["benches/bench.rs:4: `p.toml` has no result with id `c`; it has: a, b"]
        );
    }

    #[test]
    fn a_broken_file_is_reported_once_and_hides_nothing_else() {
        let users = vec![
            function("one", 1, &[paper("broken.toml", None, BROKEN)]),
            function("two", 2, &[paper("broken.toml", Some("x"), BROKEN), paper("p.toml", Some("x"), GOOD)]),
        ];
        assert_eq!(
            said(users),
            [
                "broken.toml:1:1: the file has no [paper]; add one with id, title and url\n\
                 broken.toml:1:1: the file has no results; \
                 add a [[result]] with id, metric, value, unit and statistic",
                "benches/bench.rs:2: `p.toml` has no result with id `x`; it has: a, b",
            ]
        );
    }
}
