//! What makes numbers incomparable, and what stays unknown.

use super::fixtures::{claim, counts, declared, named_row, record, row, series, values, verdict};
use crate::declare::PaperClaim;
use crate::judge::{ClaimVerdict, Verdict, judge};
use crate::record::{
    CaseRow, Condition, Data, Failure, FailureKind, InputSet, Metric, Outcome, Series, Statistic,
};

const LATENCY: Metric = Metric::LatencyE2e;

fn on_par() -> Series {
    series(LATENCY, values(vec![0.1; 20]))
}

fn held(claim: PaperClaim, series: Series) -> ClaimVerdict {
    verdict(claim, row(vec![series]))
}

fn median() -> PaperClaim {
    claim(LATENCY, Statistic::Median, 0.1)
}

#[test]
fn each_difference_is_named_and_the_number_kept() {
    let found = held(
        median()
            .under(Condition::Hardware, "AMD EPYC 7B13")
            .under(Condition::Dtype, "fp16")
            .under(Condition::Batch, 8.0),
        on_par()
            .under(Condition::Hardware, "Intel Xeon")
            .under(Condition::Dtype, "FP16")
            .under(Condition::Batch, 1.0),
    );
    assert_eq!(found.verdict, Verdict::NotComparable);
    assert_eq!(
        found.reason,
        "hardware: paper AMD EPYC 7B13, here Intel Xeon; batch: paper 8, here 1; for information: median 100 ms \
         against the declared 100 ms is 100.0 % as good (100.0..100.0 %)"
    );
    assert_eq!(found.differing, ["hardware: paper AMD EPYC 7B13, here Intel Xeon", "batch: paper 8, here 1"]);
    assert_eq!(found.ratio.unwrap().value, 1.0);
    assert_eq!(found.ladder.gap, Some(0.0));
    assert_eq!((found.p_fail, found.gated), (None, false));
}

#[test]
fn what_one_side_leaves_out_is_unknown_and_no_obstacle() {
    let found = held(
        median().under(Condition::Dtype, "fp16").under(Condition::Load, "closed"),
        on_par().under(Condition::Hardware, "Intel Xeon").under(Condition::Warm, true),
    );
    assert_eq!(found.verdict, Verdict::OnPar);
    assert_eq!(found.unknown, ["hardware", "dtype", "load", "warm"]);
    let found = held(claim(LATENCY, Statistic::Unspecified, 0.1), on_par());
    assert_eq!(found.unknown, ["statistic"]);
}

#[test]
fn own_inputs_replace_the_papers_and_leave_nothing_unknown() {
    let paper = || {
        median()
            .under(Condition::Dataset, "sts")
            .under(Condition::Split, "test")
            .under(Condition::Load, "closed")
    };
    assert_eq!(held(paper(), on_par().on(InputSet::Own)).unknown, ["load"]);
    assert_eq!(held(paper(), on_par().on(InputSet::Paper)).unknown, ["dataset", "split", "load"]);
}

#[test]
fn a_score_does_not_depend_on_the_machine() {
    let accuracy = Metric::QualityAccuracy;
    let mut paper = claim(accuracy, Statistic::Mean, 0.9)
        .under(Condition::Hardware, "A100")
        .under(Condition::Count, 8.0)
        .under(Condition::NShot, 5.0);
    paper.conditions.software.insert("torch".into(), "2.6".into());
    let here = || {
        series(accuracy, counts(900, 1000))
            .under(Condition::Hardware, "Intel Xeon")
            .under(Condition::Count, 2.0)
            .under(Condition::NShot, 5.0)
    };
    let found = held(paper.clone(), here());
    assert_eq!((found.verdict, found.unknown.len()), (Verdict::OnPar, 0));
    let found = held(paper, here().under(Condition::NShot, 0.0));
    assert_eq!(found.differing, ["n_shot: paper 5, here 0"]);
}

#[test]
fn software_is_a_requirement() {
    let mut paper = median();
    paper.conditions.software.insert("cuda".into(), ">=12.3".into());
    paper.conditions.software.insert("torch".into(), "2.6".into());
    let mut here = on_par();
    assert_eq!(held(paper.clone(), here.clone()).unknown, ["software.cuda", "software.torch"]);
    here.conditions.software.insert("CUDA".into(), "12.4".into());
    assert_eq!(held(paper.clone(), here.clone()).verdict, Verdict::OnPar);
    here.conditions.software.insert("torch".into(), "2.7.1".into());
    assert_eq!(held(paper, here).differing, ["software.torch: paper 2.6, here 2.7.1"]);
}

#[test]
fn an_unoptimised_build_times_nothing() {
    let of = |metric, data| {
        let mut record = record(vec![row(vec![series(metric, data)])]);
        record.header.environment.debug_build = true;
        let claim = claim(metric, Statistic::Unspecified, 0.9);
        judge(&record, &declared(vec![claim]), None).claims.remove(0)
    };
    let timed = of(LATENCY, values(vec![0.9; 20]));
    assert_eq!(timed.verdict, Verdict::NotComparable);
    assert_eq!(timed.differing, ["build: paper optimised, here built without optimisation"]);
    assert_eq!(of(Metric::QualityAccuracy, counts(900, 1000)).verdict, Verdict::OnPar);
}

#[test]
fn production_conditions_that_were_not_measured() {
    let paper = median().under(Condition::Concurrency, 50.0).under(Condition::Load, "closed");
    let at = |clients: f64| on_par().under(Condition::Concurrency, clients);
    let found = verdict(paper.clone(), row(vec![at(1.0), at(8.0)]));
    assert_eq!(found.verdict, Verdict::NotComparable);
    assert_eq!(found.reason, "not reproduced: the paper's concurrency is 50, measured here: 1, 8");
    assert_eq!(
        found.ladder.steps[1].absent.as_deref(),
        Some("the paper's concurrency is 50, measured here: 1, 8")
    );
    assert_eq!(verdict(paper, row(vec![at(1.0), at(50.0)])).verdict, Verdict::OnPar);
}

#[test]
fn the_series_that_agrees_most_is_taken() {
    let slow = || series(LATENCY, values(vec![0.2; 20]));
    let found = verdict(
        median().under(Condition::Concurrency, 8.0),
        row(vec![slow(), on_par().under(Condition::Concurrency, 8.0)]),
    );
    assert_eq!(found.verdict, Verdict::OnPar, "a stated match beats silence");
    let found = verdict(median(), row(vec![slow().under(Condition::Noise, "typos"), on_par()]));
    assert_eq!(found.verdict, Verdict::OnPar, "papers measure clean inputs");
    let found = verdict(
        median().under(Condition::Dataset, "STS-14"),
        row(vec![
            slow().on(InputSet::Paper).under(Condition::Dataset, "imdb"),
            on_par().on(InputSet::Paper).under(Condition::Dataset, "sts-14"),
        ]),
    );
    assert_eq!(found.verdict, Verdict::OnPar, "the set's name, without regard to case");
}

fn sizes(rows: Vec<CaseRow>, claim: PaperClaim) -> Vec<(String, Verdict)> {
    let found = judge(&record(rows), &declared(vec![claim]), None).claims;
    found.into_iter().map(|one| (one.case.0, one.verdict)).collect()
}

fn of_hidden(hidden: f64) -> CaseRow {
    named_row(&format!("bench::model::hidden={hidden}"), vec![on_par().under(Condition::Hidden, hidden)])
}

#[test]
fn a_claim_is_about_the_case_with_its_conditions() {
    let rows = || vec![of_hidden(1024.0), of_hidden(4096.0), of_hidden(16384.0)];
    assert_eq!(
        sizes(rows(), median().under(Condition::Hidden, 4096.0)),
        [("bench::model::hidden=4096".to_owned(), Verdict::OnPar)]
    );
    let none = sizes(rows(), median().under(Condition::Hidden, 2048.0));
    assert_eq!(none.len(), 3);
    assert!(none.iter().all(|(_, verdict)| *verdict == Verdict::NotComparable));
    assert_eq!(sizes(rows(), median()).len(), 3, "a claim that names no size is held against every case");
}

#[test]
fn a_case_without_a_number_is_still_the_one_that_was_meant() {
    let mut failed = named_row("bench::model::hidden=4096", vec![]);
    failed.outcome = Outcome::Failed(Failure {
        kind: FailureKind::Panic,
        reason: "out of memory".into(),
        stderr_tail: vec![],
    });
    let found = sizes(vec![of_hidden(1024.0), failed], median().under(Condition::Hidden, 4096.0));
    assert_eq!(found, [("bench::model::hidden=4096".to_owned(), Verdict::NotMeasured)]);
}

#[test]
fn conditions_of_the_whole_function_do_not_choose_a_case() {
    let typed = |hidden: f64| {
        let mut row = of_hidden(hidden);
        for series in &mut row.series {
            *series = series.clone().under(Condition::Dtype, "f32");
        }
        row
    };
    let paper = median().under(Condition::Hidden, 4096.0).under(Condition::Dtype, "bf16");
    let found = sizes(vec![typed(1024.0), typed(4096.0)], paper);
    assert_eq!(found, [("bench::model::hidden=4096".to_owned(), Verdict::NotComparable)]);
}

#[test]
fn a_size_in_bytes_compares_across_machines() {
    let bytes = Metric::MemoryModelBytes;
    let found = held(
        claim(bytes, Statistic::Unspecified, 80e6).under(Condition::Hardware, "V100"),
        series(bytes, Data::Exact { value: 80e6 }).under(Condition::Hardware, "Intel Xeon"),
    );
    assert_eq!(found.verdict, Verdict::OnPar);
}
