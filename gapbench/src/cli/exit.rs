//! Exit codes of bench binaries and of `cargo gapbench`, in one place. A script may rely on them.
//!
//! Where several apply, `cargo gapbench check` gives the first of [`USAGE`], [`STOPPED`], [`INCOMPLETE`], [`NOTHING`],
//! [`UNCLEAR`]: what is known to be wrong stays wrong, however little else is known. A bench binary gives the first of
//! [`USAGE`], [`INCOMPLETE`], [`CASE_FAILED`], [`STOPPED`], [`NOTHING`]: the verdicts of a run that was cut short are not
//! its last word.

/// Everything that the gate looks at holds.
pub const OK: u8 = 0;
/// A verdict that the gate stops, or a case that failed.
pub const STOPPED: u8 = 1;
/// A word that is not understood, or an input that cannot be read.
pub const USAGE: u8 = 2;
/// With `--strict`: a claim that the observations do not decide.
pub const UNCLEAR: u8 = 3;
/// No case was measured: nothing was run, or every case was skipped.
pub const NOTHING: u8 = 4;
/// A run was interrupted or cut short, so that cases are missing.
pub const INCOMPLETE: u8 = 5;
/// A case failed, in a bench binary: the number of libtest and criterion.
pub const CASE_FAILED: u8 = 101;
