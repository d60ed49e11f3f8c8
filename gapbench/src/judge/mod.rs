//! From observations and claims to verdicts with reasons. Pure: no clock, no disk, no printing.

mod axes;
mod changes;
mod claims;
mod comparability;
mod contention;
pub mod cost;
mod decide;
mod derived;
mod device;
mod estimate;
mod gate;
mod goodness;
mod ladder;
mod load;
mod matching;
mod multiplicity;
mod numbers;
mod reason;
mod software;
mod sweep;
#[cfg(test)]
mod tests;
mod verdict;

pub use estimate::{estimate, usual_statistic};
pub use sweep::{Sweep, sweep};
pub use verdict::{
    Change, ChangeVerdict, ClaimVerdict, CostLine, Estimate, Interval, Judgement, Ladder, Step, StepKind,
    Summary, Verdict,
};

use crate::declare::Declarations;
use crate::record::{CaseRow, Header, Record};

/// Judges a run row by row, so that the observations of one case at a time are in memory.
#[derive(Debug)]
pub struct Judge<'a> {
    header: &'a Header,
    rows: &'a [CaseRow],
    declared: &'a Declarations,
    before: Option<&'a Header>,
    judgement: Judgement,
}

impl<'a> Judge<'a> {
    /// A judge of the run with this `header`, whose `rows` may be without their observations, against what its benchmarks
    /// declare and, where there is one, against the earlier run with the header `before`.
    pub fn new(
        header: &'a Header,
        rows: &'a [CaseRow],
        declared: &'a Declarations,
        before: Option<&'a Header>,
    ) -> Judge<'a> {
        Judge { header, rows, declared, before, judgement: Judgement::default() }
    }

    /// Judges a case from its observations, and from those of the same case in the earlier run.
    ///
    /// Every claim of its function gets one verdict if it is about this case; every measured number appears in
    /// [`Judgement::measured`].
    pub fn row(&mut self, row: &CaseRow, before: Option<&CaseRow>) {
        let environment = &self.header.environment;
        let price = self.declared.price(&row.function);
        let row = &derived::with_costs(row, price);
        let before = before.map(|before| derived::with_costs(before, price));
        let before = before.as_deref();
        self.judgement.claims.extend(claims::verdicts(row, self.rows, environment, self.declared));
        if let Some(header) = self.before {
            let before = changes::Before { header, row: before };
            self.judgement.changes.extend(changes::changes(row, environment, before));
        }
        let measured = numbers::summaries(row);
        let unix = self.header.started_unix;
        self.judgement.costs.extend(derived::cost_lines(row, &measured, price, unix));
        self.judgement.measured.extend(measured);
    }

    /// The judgement, once all cases were seen: only now is it known how many claims could fail by chance.
    pub fn finish(mut self) -> Judgement {
        multiplicity::correct(&mut self.judgement.claims);
        self.judgement
    }
}

/// Judges a record that is wholly in memory, as [`Judge`] does. The same inputs always give the same judgement.
pub fn judge(record: &Record, declared: &Declarations, baseline: Option<&Record>) -> Judgement {
    let before = baseline.map(|baseline| &baseline.header);
    let mut judge = Judge::new(&record.header, &record.rows, declared, before);
    for row in &record.rows {
        let same = |other: &&CaseRow| other.case == row.case;
        judge.row(row, baseline.and_then(|baseline| baseline.rows.iter().find(same)));
    }
    judge.finish()
}
