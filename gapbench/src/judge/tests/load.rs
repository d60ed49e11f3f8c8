//! The step under load, what stands for production, sweeps and costs.

use super::fixtures::{claim, counts, declared, record, row, series, spread, verdict};
use crate::declare::{PaperClaim, Price};
use crate::judge::{StepKind, Summary, Verdict, judge, sweep};
use crate::record::{
    Arrival, Batch, CaseRow, Condition, Data, InputSet, LoadCounts, LoadPoint, LoadRow, Metric, Objective,
    ObjectiveMetric, ObjectiveRow, SearchRow, Series, Statistic,
};

const LATENCY: Metric = Metric::LatencyE2e;

fn clients(clients: u32) -> LoadPoint {
    LoadPoint { clients: Some(clients), ..LoadPoint::new(Arrival::Closed) }
}

fn rate(rate: f64) -> LoadPoint {
    LoadPoint { rate: Some(rate), ..LoadPoint::new(Arrival::Poisson) }
}

/// A load of so many answered requests per second.
fn load(point: LoadPoint, per_second: f64) -> LoadRow {
    LoadRow {
        point,
        inputs: InputSet::Own,
        searching: false,
        invalid: None,
        counts: LoadCounts { issued: 1_000, completed: 1_000, ..LoadCounts::default() },
        offered_per_second: None,
        achieved_share: None,
        window_seconds: 1_000.0 / per_second,
        throughput_per_second: per_second,
        goodput_per_second: None,
        tokens_per_second: None,
        objectives: vec![],
        times: vec![],
        growth: None,
        in_system_mean: None,
        in_system_most: None,
        steady: None,
        host_growth_bytes: None,
        workers: 1,
        utilisation: 0.5,
        replaced_workers: 0,
        batches: None,
        pairs: None,
        checks: vec![],
        scheduling: "ordinary".into(),
        others_share: None,
    }
}

impl LoadRow {
    fn objective(mut self, met: bool) -> LoadRow {
        let objective = Objective { metric: ObjectiveMetric::E2e, quantile: 0.95, at_most_ns: 50_000_000 };
        let inside = if met { 990 } else { 10 };
        self.objectives = vec![ObjectiveRow { objective, inside, all: 1_000, met, enough: true }];
        self.goodput_per_second = Some(self.throughput_per_second * inside as f64 / 1_000.0);
        self
    }

    fn searching(mut self) -> LoadRow {
        self.searching = true;
        self
    }

    fn invalid(mut self) -> LoadRow {
        self.invalid = Some("the generator was late".into());
        self
    }
}

fn at(metric: Metric, data: Data, point: LoadPoint) -> Series {
    let plain = series(metric, data).on(InputSet::Own);
    Series { conditions: point.conditions(plain.conditions.clone()), ..plain }
}

fn alone(metric: Metric, data: Data, inputs: InputSet) -> Series {
    series(metric, data).on(inputs).under(Condition::Load, "single-stream").under(Condition::Concurrency, 1.0)
}

fn latency(centre: f64) -> Data {
    spread(centre, centre * 0.01, 100)
}

/// Alone 10 ms, with 8 clients 12 ms, with 50 clients 30 ms; the paper says 10 ms.
fn three(loads: Vec<LoadRow>) -> CaseRow {
    let mut found = row(vec![
        alone(LATENCY, latency(0.010), InputSet::Paper),
        alone(LATENCY, latency(0.011), InputSet::Own),
        at(LATENCY, latency(0.012), clients(8)),
        at(LATENCY, latency(0.030), clients(50)),
    ]);
    found.loads = loads;
    found
}

fn paper() -> PaperClaim {
    claim(LATENCY, Statistic::Median, 0.010)
}

fn last_step(claim: PaperClaim, row: CaseRow) -> (Verdict, StepKind, Option<String>, Option<f64>) {
    let found = verdict(claim, row);
    let step = found.ladder.steps.last().unwrap().clone();
    (found.verdict, step.kind, step.label, step.estimate.map(|estimate| estimate.interval.value))
}

fn close(found: Option<f64>, expected: f64) -> bool {
    found.is_some_and(|found| (found - expected).abs() < 1e-3 * expected)
}

#[test]
fn the_load_is_a_step_of_its_own() {
    let found = verdict(paper(), three(vec![load(clients(8), 80.0), load(clients(50), 90.0)]));
    let kinds: Vec<StepKind> = found.ladder.steps.iter().map(|step| step.kind).collect();
    assert_eq!(kinds, [StepKind::Paper, StepKind::Reproduced, StepKind::OwnInputs, StepKind::Load]);
    assert_eq!(found.verdict, Verdict::Fail);
    let losses: Vec<f64> = found.ladder.steps.iter().filter_map(|step| Some(step.loss?.value)).collect();
    assert!((losses.iter().sum::<f64>() - found.ladder.gap.unwrap()).abs() < 1e-12, "{losses:?}");
    // Goodness 10/11 on own inputs, 10/30 at 50 clients.
    assert!((losses[2] - (10.0 / 11.0 - 1.0 / 3.0)).abs() < 1e-3, "{losses:?}");
    assert!(
        found.reason.ends_with("(reproduced), so the inputs cost 9.1 % and the load cost 57.6 %"),
        "{}",
        found.reason
    );
}

#[test]
fn production_is_the_largest_load_that_meets_the_objectives() {
    let (eight, fifty) = (load(clients(8), 80.0), load(clients(50), 90.0));
    let table = [
        (vec![eight.clone(), fifty.clone()], "at 50 clients", 0.030),
        (vec![eight.clone().objective(true), fifty.clone().objective(false)], "at 8 clients", 0.012),
        (vec![eight.clone().objective(true), fifty.clone().objective(true)], "at 50 clients", 0.030),
        (vec![eight.clone(), fifty.clone().invalid()], "at 8 clients", 0.012),
        (
            vec![eight.clone().objective(false), fifty.clone().objective(false)],
            "at 8 clients, objectives missed",
            0.012,
        ),
    ];
    for (loads, label, expected) in table {
        let (_, kind, found, value) = last_step(paper(), three(loads));
        assert_eq!((kind, found.as_deref()), (StepKind::Load, Some(label)));
        assert!(close(value, expected), "{label}: {value:?}");
    }
    let nothing = three(vec![eight.invalid(), fifty.invalid()]);
    let found = verdict(paper(), nothing);
    assert_eq!(found.verdict, Verdict::Within, "the last step that has a number is that of the own inputs");
    assert_eq!(
        found.ladder.steps[3].absent.as_deref(),
        Some("no load was valid; 8 clients: the generator was late")
    );
}

#[test]
fn a_service_that_falls_behind_is_no_production() {
    let growing = |growth| LoadRow { growth: Some(growth), ..load(rate(100.0), 80.0) };
    assert!(growing(0.25).falls_behind());
    // By chance, latencies of a thousand requests grow by up to about 6 % of the time.
    assert!(!growing(0.05).falls_behind());
    let mut found = row(vec![
        alone(LATENCY, latency(0.010), InputSet::Paper),
        at(LATENCY, latency(0.012), rate(50.0)),
        at(LATENCY, latency(2.0), rate(100.0)),
    ]);
    found.loads = vec![load(rate(50.0), 50.0), growing(0.25)];
    assert_eq!(last_step(paper(), found).2.as_deref(), Some("at 50 /s poisson"));
}

#[test]
fn a_claim_about_a_load_has_no_other_step_for_it() {
    let asked = paper().under(Condition::Load, "closed").under(Condition::Concurrency, 8.0);
    let found = verdict(asked, three(vec![load(clients(8), 80.0), load(clients(50), 90.0)]));
    assert!(found.ladder.steps.iter().all(|step| step.kind != StepKind::Load), "{:?}", found.ladder);
    assert!(close(found.ours.map(|ours| ours.interval.value), 0.012));
    // One that says it was alone is about requests one after the other.
    let alone = paper().under(Condition::Load, "single-stream").under(Condition::Concurrency, 1.0);
    let (_, kind, label, _) = last_step(alone, three(vec![load(clients(8), 80.0)]));
    assert_eq!((kind, label.as_deref()), (StepKind::Load, Some("at 8 clients")));
}

#[test]
fn what_a_search_found_stands_for_throughput() {
    let throughput = Metric::ThroughputRequests;
    let rates = |per_second: f64| Data::Rates {
        batches: (0..20).map(|_| Batch { work: per_second, seconds: 1.0 }).collect(),
    };
    let mut found = row(vec![
        alone(throughput, rates(100.0), InputSet::Paper),
        at(throughput, rates(95.0), clients(8)),
        at(throughput, rates(90.0), rate(90.0)),
    ]);
    found.loads = vec![
        load(clients(8), 95.0).objective(true),
        load(rate(80.0), 80.0).objective(true).searching(),
        load(rate(90.0), 90.0).objective(true).searching(),
        load(rate(100.0), 97.0).objective(false).searching(),
    ];
    found.search = Some(SearchRow {
        last_passing: Some(90.0),
        first_failing: Some(100.0),
        not_monotone_at: None,
        cut_short: None,
        repeats: 1,
    });
    let paper = claim(throughput, Statistic::Mean, 100.0);
    let (_, _, label, value) = last_step(paper, found);
    assert_eq!(label.as_deref(), Some("at 90 /s poisson"));
    assert!(close(value, 90.0), "{value:?}");
}

#[test]
fn one_observation_is_shown_and_decides_nothing() {
    let memory = Metric::MemoryHostPeak;
    let one = Data::Values { values: vec![3e6], calls_per_value: 1 };
    let mut found =
        row(vec![alone(memory, spread(1e6, 1e3, 20), InputSet::Paper), at(memory, one, clients(50))]);
    found.loads = vec![load(clients(50), 90.0)];
    let paper = claim(memory, Statistic::Median, 1e6);
    let (verdict, kind, _, value) = last_step(paper, found);
    assert_eq!((verdict, kind), (Verdict::OnPar, StepKind::Load));
    assert!(close(value, 3e6), "{value:?}");
}

#[test]
fn numbers_that_no_load_changes_have_no_such_step() {
    let mut found = row(vec![series(Metric::MemoryModelBytes, Data::Exact { value: 1e6 })]);
    found.loads = vec![load(clients(50), 90.0)];
    let (_, kind, ..) = last_step(claim(Metric::MemoryModelBytes, Statistic::Median, 1e6), found);
    assert_eq!(kind, StepKind::Reproduced);
}

#[test]
fn accuracy_under_load_is_a_step() {
    let accuracy = Metric::QualityAccuracy;
    let mut found = row(vec![
        alone(accuracy, counts(920, 1000), InputSet::Paper),
        alone(accuracy, counts(880, 1000), InputSet::Own),
        at(accuracy, counts(700, 1000), clients(50)),
    ]);
    found.loads = vec![load(clients(50), 90.0)];
    let (verdict, _, label, value) = last_step(claim(accuracy, Statistic::Mean, 0.92), found);
    assert_eq!((verdict, label.as_deref()), (Verdict::Gap, Some("at 50 clients")));
    assert!(close(value, 0.7), "{value:?}");
}

#[test]
fn the_knee_is_where_more_clients_stop_helping() {
    let at = |found: &[(u32, f64)]| {
        let loads: Vec<LoadRow> = found.iter().map(|(count, rate)| load(clients(*count), *rate)).collect();
        sweep(&loads).map(|sweep| (sweep.knee.clients, sweep.cliff.and_then(|cliff| cliff.clients)))
    };
    assert_eq!(at(&[(1, 100.0), (8, 700.0), (50, 710.0)]), Some((Some(8), None)));
    assert_eq!(at(&[(50, 400.0), (8, 700.0), (1, 100.0)]), Some((Some(8), Some(50))));
    assert_eq!(at(&[(1, 100.0), (8, 700.0)]), None, "two points have no knee");
}

#[test]
fn a_price_turns_goodput_into_cost() {
    let rates = |per_second: f64| Data::Rates {
        batches: (0..20)
            .map(|stretch| Batch { work: per_second + f64::from(stretch % 2), seconds: 1.0 })
            .collect(),
    };
    let mut found = row(vec![
        at(Metric::ThroughputRequests, rates(95.0), clients(8)),
        at(Metric::ThroughputGoodput, rates(90.0), clients(8)),
        at(Metric::ThroughputTokens, rates(900.0), clients(8)),
    ]);
    found.loads = vec![load(clients(8), 95.0).objective(true)];
    let paper = claim(Metric::CostPer1kRequests, Statistic::Mean, 0.011);
    let price = Price::parse("3.60 USD/GPU-hour x2 2026-11-01 https://example.com/prices").unwrap();
    let judgement =
        judge(&record(vec![found.clone()]), &declared(vec![paper.clone()]).at_price(&price), None);
    let cost = |metric: Metric| {
        let found: Vec<&Summary> = judgement.measured.iter().filter(|one| one.metric == metric).collect();
        assert_eq!(found.len(), 1, "{metric}");
        found[0].estimate.interval
    };
    // 7.20 USD an hour are 0.002 USD a second.
    let per_1k = cost(Metric::CostPer1kRequests);
    assert!((per_1k.value - 1000.0 * 0.002 / 90.5).abs() < 1e-12, "{per_1k:?}");
    assert!(per_1k.lower.unwrap() < per_1k.value && per_1k.value < per_1k.upper.unwrap());
    assert!((cost(Metric::CostPer1mOutputTokens).value - 1e6 * 0.002 / 900.5).abs() < 1e-9);
    // A paper may declare a cost too: 0.011 against 0.0221 is half as good.
    assert_eq!(judgement.claims[0].verdict, Verdict::Fail);
    assert!(
        judgement.costs.iter().any(|line| line.text.starts_with("at 8 clients: $0.022")),
        "{:?}",
        judgement.costs
    );
    // No price, no number.
    let judgement = judge(&record(vec![found]), &declared(vec![paper]), None);
    assert!(judgement.costs.is_empty());
    assert!(judgement.measured.iter().all(|one| one.metric != Metric::CostPer1kRequests));
    assert_eq!(judgement.claims[0].verdict, Verdict::NotMeasured);
}

#[test]
fn noise_is_a_step_between_the_inputs_and_the_load() {
    use crate::record::{NoiseRow, PairsRow};
    let accuracy = Metric::QualityAccuracy;
    let noisy =
        |name: &str, right| alone(accuracy, counts(right, 1000), InputSet::Own).under(Condition::Noise, name);
    let loaded = at(accuracy, counts(790, 1000), clients(50)).under(Condition::Noise, "medium");
    let mut found = row(vec![
        alone(accuracy, counts(920, 1000), InputSet::Paper),
        alone(accuracy, counts(880, 1000), InputSet::Own),
        noisy("heavy", 700),
        noisy("medium", 800),
        loaded,
    ]);
    let mut sent = load(clients(50), 90.0);
    sent.pairs = Some(PairsRow { n: 1000, lost: 12, gained: 2 });
    found.loads = vec![sent];
    found.noise = vec![NoiseRow {
        noise: "medium".into(),
        on_the_ladder: true,
        inputs: InputSet::Own,
        labels: "kept".into(),
        items: 1000,
        unchanged: 0,
        character_error_rate: None,
        failed: 0,
        pairs: PairsRow { n: 1000, lost: 100, gained: 20 },
        clean_right: 880,
        worst: vec![],
    }];
    let judged = verdict(claim(accuracy, Statistic::Mean, 0.92), found.clone());
    let steps: Vec<(StepKind, f64)> = judged
        .ladder
        .steps
        .iter()
        .map(|step| (step.kind, (step.estimate.unwrap().interval.value * 1e4).round() / 1e4))
        .collect();
    assert_eq!(
        steps,
        [
            (StepKind::Paper, 0.92),
            (StepKind::Reproduced, 0.92),
            (StepKind::OwnInputs, 0.88),
            (StepKind::Noise, 0.8),
            (StepKind::Load, 0.79)
        ]
    );
    // 8 points lost, with the interval of pairs: sqrt(120 - 80^2 / 1000) / 1000 = 1.066 points.
    let loss = judged.ladder.steps[3].loss.unwrap();
    assert!((loss.value - 0.08 / 0.92).abs() < 1e-12, "{loss:?}");
    let half = 1.959_964 * (120.0_f64 - 6.4).sqrt() / 1000.0 / 0.92;
    assert!((loss.upper.unwrap() - loss.value - half).abs() < 1e-6, "{loss:?} {half}");
    assert!(judged.reason.contains("the noise cost 8.7 % and the load cost 1.1 %"), "{}", judged.reason);
    // A claim about noisy inputs has no step for it.
    let asked = claim(accuracy, Statistic::Mean, 0.92).under(Condition::Noise, "heavy");
    let judged = verdict(asked, found);
    assert!(judged.ladder.steps.iter().all(|step| step.kind != StepKind::Noise), "{:?}", judged.ladder);
}
