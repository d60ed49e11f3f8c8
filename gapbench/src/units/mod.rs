//! Units of measurement: what a written unit means, and how a number is shown to a person.
//!
//! Knows nothing of metrics, claims or benchmarks.

mod quantity;
mod unit;

pub use quantity::{show, show_integer, show_interval, show_percent, show_significant};
pub use unit::{Family, Unit, UnitError};
