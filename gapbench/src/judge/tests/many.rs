//! Many claims at once, and what a whole judgement comes to.

use super::fixtures::{claim, counts, declared, record, row, series, values};
use crate::declare::{Gate, PaperClaim};
use crate::judge::{Judgement, Verdict, judge};
use crate::record::{Condition, Failure, FailureKind, InputSet, Metric, Outcome, Statistic};

const ACCURACY: Metric = Metric::QualityAccuracy;

/// One claim per pair of declared share and successes of 1000, all in one case.
fn accuracies(of: &[(f64, u64)], gate: &[Gate]) -> Judgement {
    let claims: Vec<PaperClaim> = of
        .iter()
        .enumerate()
        .map(|(index, (value, _))| {
            let mut claim = claim(ACCURACY, Statistic::Mean, *value)
                .under(Condition::Dataset, format!("{index}").as_str());
            claim.policy.gate = gate.to_vec();
            claim
        })
        .collect();
    let series = of.iter().enumerate().map(|(index, (_, successes))| {
        series(ACCURACY, counts(*successes, 1000)).under(Condition::Dataset, format!("{index}").as_str())
    });
    judge(&record(vec![row(series.collect())]), &declared(claims), None)
}

#[test]
fn a_failure_must_survive_the_correction() {
    // 658 of 1000 against 92 %: the floor is 690, and so few are seen with p = 0.029.
    let alone = accuracies(&[(0.92, 658)], &[Gate::Fail]);
    assert_eq!(alone.claims[0].verdict, Verdict::Fail);
    assert_eq!(alone.claims[0].p_fail, alone.claims[0].p_fail_holm);
    assert_eq!(alone.gated(), 1);

    let many = accuracies(&[(0.92, 658), (0.92, 900), (0.92, 500)], &[Gate::Fail]);
    let verdicts: Vec<_> = many.claims.iter().map(|one| (one.verdict, one.gated)).collect();
    assert_eq!(verdicts, [(Verdict::Unclear, false), (Verdict::OnPar, false), (Verdict::Fail, true)]);
    assert_eq!(
        many.claims[0].reason,
        "would fail alone (p 0.029), but not after Holm's correction over 3 claims (p 0.057): not reproduced: 65.8 % is \
         71.5 % of the declared 92.0 % (68.3..74.6 %), wholly below the floor of 75 %"
    );
    assert_eq!(many.claims[0].ladder.steps[1].verdict, Some(Verdict::Unclear));
    let failed = many.claims.iter().filter(|one| one.verdict == Verdict::Fail).count();
    assert_eq!((many.gated(), failed), (1, 1));
}

#[test]
fn only_claims_that_could_fail_the_gate_are_in_the_family() {
    let free = accuracies(&[(0.92, 658), (0.92, 900)], &[Gate::Gap]);
    assert_eq!(free.claims[0].verdict, Verdict::Fail, "no gate, no correction");
    assert_eq!((free.claims[0].p_fail_holm, free.gated()), (None, 0));
    assert!(free.claims[0].p_fail.is_some());
}

#[test]
fn the_gate_stops_the_verdicts_that_it_names() {
    let table = [(Gate::Unclear, (0.92, 735), Verdict::Unclear), (Gate::Fail, (0.92, 400), Verdict::Fail)];
    for (gate, pair, expected) in table {
        let found = accuracies(&[pair], &[gate]);
        assert_eq!(found.claims[0].verdict, expected, "{gate:?}");
        assert_eq!(found.gated(), 1, "{gate:?}");
        assert_eq!(accuracies(&[pair], &[]).gated(), 0, "{gate:?}");
    }
    let mut gap = claim(Metric::LatencyE2e, Statistic::Median, 0.1);
    gap.policy.gate = vec![Gate::Gap, Gate::NotComparable];
    let here = || series(Metric::LatencyE2e, values(vec![0.13; 20]));
    let judged = |claim: PaperClaim| {
        judge(&record(vec![row(vec![here().under(Condition::Batch, 1.0)])]), &declared(vec![claim]), None)
    };
    let found = judged(gap.clone());
    assert_eq!((found.claims[0].verdict, found.gated()), (Verdict::Gap, 1));
    let found = judged(gap.under(Condition::Batch, 8.0));
    assert_eq!((found.claims[0].verdict, found.gated()), (Verdict::NotComparable, 1));
}

#[test]
fn every_measured_number_is_listed_claimed_or_not() {
    let mut failed = row(vec![series(ACCURACY, counts(1, 2))]);
    failed.outcome = Outcome::Failed(Failure {
        kind: FailureKind::WrongAnswer,
        reason: "wrong".into(),
        stderr_tail: vec![],
    });
    let good = row(vec![
        series(Metric::LatencyE2e, values(vec![0.1; 9])),
        series(ACCURACY, counts(3, 4)).on(InputSet::Own),
        series(ACCURACY, counts(0, 0)),
    ]);
    let found = judge(&record(vec![failed, good]), &declared(vec![]), None);
    let listed: Vec<_> = found
        .measured
        .iter()
        .map(|one| (one.metric, one.inputs, one.estimate.statistic, one.estimate.interval.value))
        .collect();
    assert_eq!(
        listed,
        [
            (Metric::LatencyE2e, None, Statistic::Median, 0.1),
            (ACCURACY, Some(InputSet::Own), Statistic::Mean, 0.75)
        ]
    );
    assert!(found.claims.is_empty() && found.changes.is_empty());
}

#[test]
fn judging_is_a_function() {
    let once = accuracies(&[(0.92, 658), (0.92, 900)], &[Gate::Fail]);
    let again = accuracies(&[(0.92, 658), (0.92, 900)], &[Gate::Fail]);
    assert_eq!(once, again);
    // An infinity or a NaN would be written as null and not read back.
    let text = serde_json::to_string(&once).unwrap();
    assert_eq!(serde_json::from_str::<Judgement>(&text).unwrap(), once);
}
