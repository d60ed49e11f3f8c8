//! The memory plan against published sizes and a published log, and every mistake's sentence.
//!
//! Fixtures are headers: a file of 16 GB has a header of 40 KB, and its numbers are a hole that takes no room.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

#[path = "footprint/fixture.rs"]
mod fixture;
#[path = "footprint/golden.rs"]
mod golden;
#[path = "footprint/mistakes.rs"]
mod mistakes;
#[path = "footprint/verb.rs"]
mod verb;
