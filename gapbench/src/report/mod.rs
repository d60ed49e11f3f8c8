//! From a record and its judgement to what people and programs read. Derives everything from [`results::Results`];
//! never measures, runs or judges.

#[cfg(feature = "criterion-report")]
pub mod criterion;
mod finite;
pub mod html;
pub mod markdown;
mod plain;
pub mod replayable;
pub mod results;
mod style;
pub mod text;
mod view;

pub(crate) use plain::{one_line, verbatim};
pub(crate) use view::declared;
