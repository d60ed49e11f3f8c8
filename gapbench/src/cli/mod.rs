//! What a person types and what a shell gets back.

pub mod cargo;
pub mod check;
pub mod claims;
pub mod exit;
pub mod progress;
