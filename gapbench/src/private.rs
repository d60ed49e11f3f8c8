//! Everything that generated code and `gapbench::main!` may name. Not for people: it may change in any version.

pub use inventory;

pub use crate::cli::{Binary, main};
pub use crate::declare::{Axis, Declaration, Kind, Options, PaperRef, Result};
pub use crate::measure::{Target, enter};

use crate::declare::Error;

/// What a benchmark function may return.
#[diagnostic::on_unimplemented(
    message = "a benchmark function returns nothing or `gapbench::Result<()>`",
    label = "not `()` and not a `Result<(), _>`"
)]
pub trait Finish {
    /// The same as a result.
    ///
    /// # Errors
    /// The function's own.
    fn finish(self) -> Result<()>;
}

impl Finish for () {
    fn finish(self) -> Result<()> {
        Ok(())
    }
}

impl<E: Into<Error>> Finish for std::result::Result<(), E> {
    fn finish(self) -> Result<()> {
        self.map_err(Into::into)
    }
}
