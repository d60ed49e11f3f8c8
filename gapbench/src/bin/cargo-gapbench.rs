//! The subcommand `cargo gapbench`.

fn main() {}
