//! Operators by name: ours, and those a user adds. Applies none.

use std::fmt;
use std::sync::Arc;

use super::{Chain, Operator, operators};

/// Operators by name, in the order of lists.
#[derive(Clone)]
pub struct Registry {
    operators: Vec<Arc<dyn Operator>>,
}

impl fmt::Debug for Registry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.operators.iter().map(|operator| operator.name())).finish()
    }
}

/// What can be wrong with names of operators.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoiseError {
    /// No operator has this name.
    Unknown {
        /// The name that was given.
        name: String,
        /// The nearest that exists, if one is near.
        nearest: Option<String>,
        /// All that exist.
        allowed: Vec<String>,
    },
    /// A chain names an operator twice.
    Twice {
        /// Its name.
        name: String,
    },
    /// A chain without operators.
    Empty,
    /// An operator's name is taken already.
    Taken {
        /// The name.
        name: String,
    },
    /// An operator's name could not be written in a list of names.
    BadName {
        /// The name.
        name: String,
    },
}

impl fmt::Display for NoiseError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoiseError::Unknown { name, nearest, allowed } => {
                write!(formatter, "find the noise operator `{}`; ", name.escape_debug())?;
                if let Some(nearest) = nearest {
                    write!(formatter, "did you mean `{nearest}`? ")?;
                }
                write!(formatter, "expected one of: {}", allowed.join(", "))
            }
            NoiseError::Twice { name } => write!(
                formatter,
                "apply the noise operator `{name}` twice; expected each operator once; leave one out, or raise the dose"
            ),
            NoiseError::Empty => {
                formatter.write_str("make noise without an operator; expected at least one name; name one")
            }
            NoiseError::Taken { name } => write!(
                formatter,
                "add the noise operator `{name}`; its name is taken; expected one that is not; rename it"
            ),
            NoiseError::BadName { name } => write!(
                formatter,
                "add the noise operator `{}`; expected a name of lower-case letters, digits, `_` and `.`; rename it",
                name.escape_debug()
            ),
        }
    }
}

impl std::error::Error for NoiseError {}

/// Below this similarity a suggestion is more often wrong than right.
const NEAR: f64 = 0.8;

impl Registry {
    /// The thirteen operators of gapbench.
    pub fn standard() -> Registry {
        Registry { operators: operators::all() }
    }

    /// Adds an operator of one's own.
    ///
    /// # Errors
    /// [`NoiseError::Taken`] and [`NoiseError::BadName`].
    pub fn add(&mut self, operator: impl Operator + 'static) -> Result<(), NoiseError> {
        let name = operator.name().to_owned();
        let fits = |letter: char| {
            letter.is_ascii_lowercase() || letter.is_ascii_digit() || matches!(letter, '_' | '.')
        };
        if name.is_empty() || !name.chars().all(fits) {
            return Err(NoiseError::BadName { name });
        }
        if self.operators.iter().any(|known| known.name() == name) {
            return Err(NoiseError::Taken { name });
        }
        self.operators.push(Arc::new(operator));
        Ok(())
    }

    /// All operators, family by family for ours, then those that were added.
    pub fn operators(&self) -> &[Arc<dyn Operator>] {
        &self.operators
    }

    /// The operator of this exact name.
    ///
    /// # Errors
    /// [`NoiseError::Unknown`] with the nearest name and all of them.
    pub fn find(&self, name: &str) -> Result<Arc<dyn Operator>, NoiseError> {
        self.operators
            .iter()
            .find(|operator| operator.name() == name)
            .cloned()
            .ok_or_else(|| self.unknown(name))
    }

    /// The operators that `names` lists, with commas between them, in that order.
    ///
    /// # Errors
    /// [`NoiseError::Unknown`], [`NoiseError::Twice`]; an empty name is unknown.
    pub fn chain(&self, names: &str) -> Result<Chain, NoiseError> {
        let operators: Result<Vec<_>, _> = names.split(',').map(|name| self.find(name.trim())).collect();
        Chain::new(operators?)
    }

    fn unknown(&self, name: &str) -> NoiseError {
        let lower = name.to_lowercase();
        let near = |known: &str| {
            let last = known.split('.').next_back().unwrap_or(known);
            strsim::jaro_winkler(known, &lower).max(strsim::jaro_winkler(last, &lower))
        };
        let nearest = self
            .operators
            .iter()
            .map(|operator| (near(operator.name()), operator.name()))
            .filter(|(score, _)| *score > NEAR)
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, known)| known.to_owned());
        NoiseError::Unknown {
            name: name.to_owned(),
            nearest,
            allowed: self.operators.iter().map(|operator| operator.name().to_owned()).collect(),
        }
    }
}
