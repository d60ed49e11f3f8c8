//! Which cases of a function with axes a claim is about.

use std::collections::BTreeMap;

use crate::declare::PaperClaim;
use crate::record::{CaseRow, Condition, ConditionValue, Role};

use super::comparability::same;

type Known = BTreeMap<Condition, ConditionValue>;

/// Whether `claim` is judged on `row`, one of the `siblings` that come from the same function.
///
/// Where the cases differ in identity conditions that the claim states, only those that have the claim's values count;
/// where none has them, all count, and each will say what differs.
pub(super) fn is_meant(claim: &PaperClaim, row: &CaseRow, siblings: &[&CaseRow]) -> bool {
    let known: Vec<Known> = siblings.iter().map(|sibling| identity(claim, sibling)).collect();
    let varying: Vec<Condition> = Condition::ALL
        .iter()
        .copied()
        .filter(|condition| claim.conditions.get(*condition).is_some() && varies(&known, *condition))
        .collect();
    let exact = |known: &Known| {
        varying.iter().all(|condition| match (claim.conditions.get(*condition), known.get(condition)) {
            (Some(paper), Some(here)) => same(paper, here),
            _ => false,
        })
    };
    exact(&identity(claim, row)) || !known.iter().any(exact)
}

fn varies(known: &[Known], condition: Condition) -> bool {
    let mut values = known.iter().filter_map(|known| known.get(&condition));
    values.next().is_some_and(|first| values.any(|other| !same(first, other)))
}

/// The identity conditions of a case: those its series agree on, and those its name carries, which a case without a
/// number has too.
fn identity(claim: &PaperClaim, row: &CaseRow) -> Known {
    let mut known = named(row);
    let of_metric = row.series.iter().filter(|series| series.metric == claim.metric);
    for series in of_metric {
        for (condition, value) in &series.conditions.known {
            known.entry(*condition).or_insert_with(|| value.clone());
        }
    }
    known.retain(|condition, _| condition.role() == Role::Identity && !condition.describes_machine());
    known
}

/// The axis values in a case's name: `kernels::norm::rows=2048,hidden=4096`.
fn named(row: &CaseRow) -> Known {
    let axes =
        row.case.0.strip_prefix(&row.function).and_then(|rest| rest.strip_prefix("::")).unwrap_or_default();
    axes.split(',')
        .filter_map(|axis| axis.split_once('='))
        .filter_map(|(name, value)| Some((Condition::parse(name)?, ConditionValue::from(value))))
        .collect()
}
