//! All annotated functions of a bench binary with their claims, checked before anything runs.

use std::fmt;

use super::paper_toml::{self, ClaimErrors, PaperFile};
use super::{Declaration, PaperClaim};

/// A declaration with the claims it is held against.
#[derive(Clone, Debug)]
pub struct Registered {
    /// The annotated function.
    pub declaration: &'static Declaration,
    /// Its claims, in the order of the attribute and of the file.
    pub claims: Vec<PaperClaim>,
}

/// Every declaration of the binary, sorted by file and line.
#[derive(Clone, Debug, Default)]
pub struct Declarations {
    /// The declarations.
    pub items: Vec<Registered>,
}

/// A mistake in the declarations. It stops the run before the first child, since numbers could not be attributed.
#[derive(Debug)]
pub enum DeclareError {
    /// Two functions have one name.
    Duplicate(&'static Declaration, &'static Declaration),
    /// A claims file is broken.
    Claims(ClaimErrors),
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
    let mut items = Vec::new();
    let mut broken: Vec<&'static str> = Vec::new();
    for declaration in found {
        let mut claims = Vec::new();
        for paper in declaration.papers {
            match paper_toml::parse(paper.path, paper.text) {
                Ok(PaperFile { claims: all, .. }) => match paper.id {
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
                },
                // One file is reported once, however many functions name it.
                Err(found) if !broken.contains(&paper.path) => {
                    broken.push(paper.path);
                    errors.push(DeclareError::Claims(found));
                }
                Err(_) => {}
            }
        }
        items.push(Registered { declaration, claims });
    }
    if errors.is_empty() { Ok(Declarations { items }) } else { Err(errors) }
}
