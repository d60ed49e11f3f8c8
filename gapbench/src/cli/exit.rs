//! Exit codes: a program that calls a bench binary or `cargo gapbench check` reads them, so they do not change.

use std::process::ExitCode;

/// The exit codes of a bench binary and of `cargo gapbench check`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// Everything that was asked for was done, and no gate stopped it.
    Ok = 0,
    /// A gated verdict.
    Gated = 1,
    /// Words that were not understood, or broken input.
    Usage = 2,
    /// Unclear, with `--strict`.
    Unclear = 3,
    /// Nothing was run.
    NothingRun = 4,
    /// The run was cut short.
    Incomplete = 5,
    /// A case failed (the number of libtest and criterion).
    CaseFailed = 101,
}

impl From<Code> for ExitCode {
    fn from(code: Code) -> ExitCode {
        ExitCode::from(code as u8)
    }
}
