//! Input sets: the texts a model is asked, from files that the author names.
//!
//! Knows nothing of who uses them: a set is the same for load, quality and noise.

mod file;
#[cfg(feature = "service")]
pub mod perturb;

pub use file::{Input, InputError, InputFile, LONGEST_LINE, Problem, read};
