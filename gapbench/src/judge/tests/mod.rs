//! Whole judgements: every verdict with its sentence.

mod changes;
mod claims;
mod conditions;
mod device;
mod estimates;
mod fixtures;
mod ladder;
mod load;
mod many;
