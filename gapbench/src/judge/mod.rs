//! From observations and claims to verdicts with reasons. Pure: no clock, no disk, no printing.

mod axes;
mod changes;
mod claims;
mod comparability;
mod contention;
mod decide;
mod estimate;
mod gate;
mod goodness;
mod ladder;
mod matching;
mod multiplicity;
mod numbers;
mod reason;
mod software;
#[cfg(test)]
mod tests;
mod verdict;

pub use estimate::{estimate, usual_statistic};
pub use verdict::{
    Change, ChangeVerdict, ClaimVerdict, Estimate, Interval, Judgement, Ladder, Step, StepKind, Summary,
    Verdict,
};

use crate::declare::Declarations;
use crate::record::Record;

/// Holds a run against what its benchmarks declare and, where there is one, against an earlier run.
///
/// Every claim of a function gets one verdict per case of that function that the claim is about; every measured number
/// appears in [`Judgement::measured`]. The same inputs always give the same judgement.
pub fn judge(record: &Record, declared: &Declarations, baseline: Option<&Record>) -> Judgement {
    let mut claims = claims::verdicts(record, declared);
    multiplicity::correct(&mut claims);
    Judgement {
        claims,
        changes: baseline.map(|baseline| changes::changes(record, baseline)).unwrap_or_default(),
        measured: numbers::summaries(record),
    }
}
