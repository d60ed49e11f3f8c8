//! What generated code may name.
