//! Whole judgements: every verdict with its sentence.

mod changes;
mod claims;
mod conditions;
mod estimates;
mod fixtures;
mod ladder;
mod many;
