//! From a record and its judgement to what people and programs read. Derives everything from [`results::Results`];
//! never measures, runs or judges.

mod columns;
#[cfg(feature = "criterion-report")]
pub mod criterion;
mod finite;
pub mod html;
pub mod markdown;
mod plain;
pub mod replayable;
pub mod results;
pub mod sections;
mod style;
pub mod text;
mod view;

pub use plain::verbatim;
pub(crate) use plain::{cut, one_line};
pub use view::declared;
