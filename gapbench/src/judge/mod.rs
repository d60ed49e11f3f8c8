//! From observations and claims to verdicts with reasons. Pure: no clock, no disk, no printing.

mod verdict;

pub use verdict::{
    Change, ChangeVerdict, ClaimVerdict, Estimate, Interval, Judgement, Ladder, Step, StepKind, Summary,
    Verdict,
};
