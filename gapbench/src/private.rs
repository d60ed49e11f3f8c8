//! Everything that generated code and `gapbench::main!` may name. Not for people: it may change in any version.

pub use inventory;

pub use crate::cli::{Binary, main};
pub use crate::declare::{Axis, Declaration, Kind, Load, Options, PaperRef, Result};
pub use crate::measure::{Target, enter};
pub use crate::record::{Arrival, ColdLevel, LoadPoint, Objective, ObjectiveMetric};

use crate::declare::Error;

/// Stands where the attribute asks for what only the feature `service` has.
#[cfg(feature = "service")]
#[macro_export]
#[doc(hidden)]
macro_rules! __needs_service {
    ($option:literal) => {};
}

/// Stands where the attribute asks for what only the feature `service` has.
#[cfg(not(feature = "service"))]
#[macro_export]
#[doc(hidden)]
macro_rules! __needs_service {
    ($option:literal) => {
        ::core::compile_error!(::core::concat!(
            "`",
            $option,
            "` needs gapbench's feature `service`; write `gapbench = { version = \"0.1\", features = [\"service\"] }` in `Cargo.toml`"
        ));
    };
}

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
