//! Do the intervals cover and the verdicts err as often as they say? Simulation with fixed seeds: each test fails when
//! the method is replaced by one that does not hold its level.

use gapbench::declare::{
    Declaration, Declarations, Declared, Kind, Options, Paper, PaperClaim, Policy, Precision, Registered,
    Source, Spread, SpreadKind, Wording,
};
use gapbench::judge::{Judgement, Verdict, judge};
use gapbench::record::{
    Batch, CaseId, CaseRow, Condition, Conditions, Data, Environment, Header, Metric, Outcome, Record,
    Series, Statistic, Target,
};
use gapbench::stats::{
    Sample, SplitMix64, batch_means_interval, normal_quantile, order_interval, ratio_interval,
    student_t_interval, wilson,
};

const ALPHA: f64 = 0.05;
/// Spread of the logarithm of simulated latencies.
const SIGMA: f64 = 0.5;

/// How far a simulated share may lie from the true one: beyond this by chance once in about 30,000 tests.
fn binomial_error(share: f64, repetitions: u32) -> f64 {
    4.0 * (share * (1.0 - share) / f64::from(repetitions)).sqrt()
}

fn normal(random: &mut SplitMix64) -> f64 {
    // Box and Muller; 1 - u is never zero.
    let radius = (-2.0 * (1.0 - random.next_f64()).ln()).sqrt();
    radius * (std::f64::consts::TAU * random.next_f64()).cos()
}

fn lognormal(random: &mut SplitMix64, n: usize) -> Vec<f64> {
    (0..n).map(|_| (SIGMA * normal(random)).exp()).collect()
}

fn successes(random: &mut SplitMix64, share: f64, trials: u64) -> u64 {
    (0..trials).filter(|_| random.next_f64() < share).count() as u64
}

/// The share of `repetitions` in which `event` happens.
fn frequency(name: &str, repetitions: u32, mut event: impl FnMut(&mut SplitMix64) -> bool) -> f64 {
    let mut random = SplitMix64::named(name);
    f64::from((0..repetitions).map(|_| u32::from(event(&mut random))).sum::<u32>()) / f64::from(repetitions)
}

#[test]
fn quantile_intervals_cover() {
    const REPETITIONS: u32 = 1000;
    let levels = [0.5, 0.95, 0.99];
    for n in [100, 300, 1000] {
        let mut random = SplitMix64::named(&format!("quantile:{n}"));
        let mut covered = [0_u32; 3];
        for _ in 0..REPETITIONS {
            let sample = Sample::new(lognormal(&mut random, n)).unwrap();
            for (count, p) in covered.iter_mut().zip(levels) {
                let truth = (SIGMA * normal_quantile(p)).exp();
                *count += u32::from(sample.quantile_interval(p, ALPHA).contains(truth));
            }
        }
        for (count, p) in covered.into_iter().zip(levels) {
            let seen = f64::from(count) / f64::from(REPETITIONS);
            let said = order_interval(n as u64, p, ALPHA).unwrap().coverage;
            let error = binomial_error(said, REPETITIONS);
            assert!(said >= 1.0 - ALPHA && (seen - said).abs() <= error, "n={n} p={p}: {seen}, said {said}");
        }
    }
}

#[test]
fn shares_cover() {
    const REPETITIONS: u32 = 1500;
    let mut all = Vec::new();
    for share in [0.3, 0.5, 0.71, 0.89, 0.95] {
        for trials in [100, 164, 400] {
            let seen = frequency(&format!("share:{share}:{trials}"), REPETITIONS, |random| {
                let hits = successes(random, share, trials);
                wilson(hits, trials, ALPHA).unwrap().contains(share)
            });
            // A discrete count cannot meet every level: Wilson's coverage swings by two points around it.
            let error = binomial_error(0.95, REPETITIONS);
            assert!(seen >= 0.93 - error && seen <= 0.975 + error, "{share} of {trials}: {seen}");
            all.push(seen);
        }
    }
    let mean = all.iter().sum::<f64>() / all.len() as f64;
    assert!((mean - 0.95).abs() < 0.01, "on average {mean}");
}

/// Latencies that depend on the one before: `x' = phi x + noise`, around 10, in their stationary distribution.
fn autoregressive(random: &mut SplitMix64, phi: f64, n: usize) -> Vec<f64> {
    let mut state = normal(random) / (1.0 - phi * phi).sqrt();
    (0..n)
        .map(|_| {
            state = phi * state + normal(random);
            10.0 + state
        })
        .collect()
}

#[test]
fn means_of_dependent_latencies_cover_where_plain_ones_do_not() {
    const REPETITIONS: u32 = 500;
    let mut plain = 0_u32;
    let batched = frequency("autoregressive", REPETITIONS, |random| {
        let values = autoregressive(random, 0.8, 2000);
        plain += u32::from(student_t_interval(&values, ALPHA).contains(10.0));
        batch_means_interval(&values, ALPHA).contains(10.0)
    });
    let plain = f64::from(plain) / f64::from(REPETITIONS);
    assert!(batched >= 0.95 - binomial_error(0.95, REPETITIONS), "batch means: {batched}");
    // In theory 1.96 over the square root of (1 + 0.8) / (1 - 0.8), that is 0.653 standard errors: 48.6 %.
    assert!((plain - 0.486).abs() < binomial_error(0.486, REPETITIONS) + 0.01, "plain: {plain}");
}

#[test]
fn rates_cover() {
    const REPETITIONS: u32 = 1500;
    let truth = 200.0;
    let seen = frequency("rates", REPETITIONS, |random| {
        let pairs: Vec<(f64, f64)> = (0..40)
            .map(|_| {
                let seconds = 0.5 + random.next_f64();
                (seconds * truth * (1.0 + 0.1 * normal(random)), seconds)
            })
            .collect();
        ratio_interval(&pairs, ALPHA).contains(truth)
    });
    assert!((seen - 0.95).abs() <= binomial_error(0.95, REPETITIONS) + 0.005, "{seen}");
}

static DECLARATION: Declaration = Declaration {
    module: "bench",
    name: "model",
    file: "benches/paper.rs",
    line: 1,
    manifest_dir: "",
    kind: Kind::Function,
    axes: &[],
    papers: &[],
    options: Options::NONE,
    run: |_, _| Ok(()),
};

fn claim(metric: Metric, statistic: Statistic, value: f64) -> PaperClaim {
    PaperClaim {
        id: "claim".into(),
        file: "papers/paper.toml".into(),
        line: 1,
        paper: Paper {
            id: "paper".into(),
            title: "Paper".into(),
            url: "https://example.org".into(),
            version: None,
            date: None,
            doi: None,
            code: None,
            known_issues: vec![],
        },
        metric,
        statistic,
        direction: metric.direction(),
        declared: Declared { value, written: value.to_string(), unit: metric.family().canonical().into() },
        precision: Precision { half_width: 0.0, declared: false },
        spread: None,
        n: None,
        wording: Wording::Exact,
        conditions: Conditions::default(),
        source: Source {
            kind: "paper".into(),
            url: None,
            locator: None,
            page: None,
            table: None,
            quote: None,
            retrieved: None,
            verified: None,
        },
        policy: Policy::default(),
    }
}

/// Judges each claim against its own observations, told apart by the condition `dataset`.
fn judged(pairs: Vec<(PaperClaim, Data)>) -> Judgement {
    let mut claims = Vec::new();
    let mut series = Vec::new();
    for (index, (mut claim, data)) in pairs.into_iter().enumerate() {
        let conditions = Conditions::default().with(Condition::Dataset, index as f64);
        claim.conditions = conditions.clone();
        series.push(Series { metric: claim.metric, inputs: None, conditions, data });
        claims.push(claim);
    }
    let row = CaseRow {
        case: CaseId("bench::model".into()),
        function: "bench::model".into(),
        outcome: Outcome::Measured,
        series,
        phases: vec![],
        noise: Vec::new(),
        loads: Vec::new(),
        search: None,
        timing: None,
        device: None,
        notes: vec![],
        wall_seconds: 1.0,
    };
    let record = Record {
        header: Header {
            schema: "gapbench.record".into(),
            version: 1,
            run_id: "run".into(),
            target: Target { package: "model".into(), bench: "paper".into() },
            started_unix: 0,
            profile: "full".into(),
            seed: 0,
            planned: 1,
            environment: Environment::default(),
        },
        rows: vec![row],
        end: None,
    };
    let declared =
        Declarations { items: vec![Registered { declaration: &DECLARATION, claims, price: None }] };
    judge(&record, &declared, None)
}

fn verdict(claim: PaperClaim, data: Data) -> Option<Verdict> {
    judged(vec![(claim, data)]).claims.first().map(|one| one.verdict)
}

/// A claim and observations whose true goodness ratio is `ratio`.
type Scene = fn(random: &mut SplitMix64, ratio: f64) -> (PaperClaim, Data);

fn share(random: &mut SplitMix64, ratio: f64) -> (PaperClaim, Data) {
    let data = Data::Counts { successes: successes(random, 0.92 * ratio, 400), trials: 400 };
    (claim(Metric::QualityAccuracy, Statistic::Mean, 0.92), data)
}

fn median(random: &mut SplitMix64, ratio: f64) -> (PaperClaim, Data) {
    let data = Data::Values { values: lognormal(random, 200), calls_per_value: 1 };
    (claim(Metric::LatencyE2e, Statistic::Median, ratio), data)
}

fn mean(random: &mut SplitMix64, ratio: f64) -> (PaperClaim, Data) {
    let data = Data::Values { values: lognormal(random, 400), calls_per_value: 1 };
    (claim(Metric::LatencyE2e, Statistic::Mean, ratio * (SIGMA * SIGMA / 2.0).exp()), data)
}

fn rate(random: &mut SplitMix64, ratio: f64) -> (PaperClaim, Data) {
    let work = |random: &mut SplitMix64| ratio * (1.0 + 0.1 * normal(random));
    let batches = (0..40).map(|_| Batch { work: work(random), seconds: 1.0 }).collect();
    (claim(Metric::ThroughputTokens, Statistic::Mean, 1.0), Data::Rates { batches })
}

/// The declared number itself is an estimate with a standard error of 4 %.
fn uncertain(random: &mut SplitMix64, ratio: f64) -> (PaperClaim, Data) {
    let (_, data) = rate(random, ratio);
    let mut claim = claim(Metric::ThroughputTokens, Statistic::Mean, 1.0 + 0.04 * normal(random));
    claim.spread = Some(Spread { kind: SpreadKind::Se, lo: None, hi: None, value: Some(0.04) });
    (claim, data)
}

#[test]
fn a_claim_at_the_floor_rarely_fails_and_one_far_below_always_does() {
    let scenes: [(&str, Scene, u32); 5] = [
        ("share", share, 1500),
        ("median", median, 150),
        ("mean", mean, 300),
        ("rate", rate, 600),
        ("uncertain", uncertain, 600),
    ];
    for (name, scene, repetitions) in scenes {
        let fails = |ratio: f64, repetitions: u32| {
            frequency(&format!("floor:{name}:{ratio}"), repetitions, |random| {
                let (claim, data) = scene(random, ratio);
                verdict(claim, data) == Some(Verdict::Fail)
            })
        };
        // The verdict uses one end of a two-sided interval: it errs at half of alpha, well below alpha.
        let at_the_floor = fails(0.75, repetitions);
        assert!(
            at_the_floor <= ALPHA / 2.0 + binomial_error(ALPHA / 2.0, repetitions),
            "{name}: {at_the_floor}"
        );
        let far_below = fails(0.5, 60);
        assert!(far_below > 0.95, "{name}: {far_below}");
    }
}

#[test]
fn holding_and_gap_are_rarely_wrong_at_the_line() {
    for (name, scene, repetitions) in [("share", share as Scene, 1000), ("rate", rate as Scene, 400)] {
        let (mut holds, mut gaps) = (0_u32, 0_u32);
        let mut random = SplitMix64::named(&format!("line:{name}"));
        for _ in 0..repetitions {
            let (claim, data) = scene(&mut random, 0.80);
            match verdict(claim, data) {
                Some(Verdict::Within | Verdict::OnPar | Verdict::Ahead) => holds += 1,
                Some(Verdict::Gap | Verdict::Fail) => gaps += 1,
                _ => {}
            }
        }
        let limit = ALPHA / 2.0 + binomial_error(ALPHA / 2.0, repetitions) + 0.005;
        let share = |count: u32| f64::from(count) / f64::from(repetitions);
        assert!(share(holds) <= limit && share(gaps) <= limit, "{name}: {holds} hold, {gaps} do not");
    }
}

#[test]
fn many_claims_at_the_floor_rarely_fail_together() {
    const CLAIMS: usize = 8;
    const REPETITIONS: u32 = 400;
    let (mut any, mut alone) = (0_u32, 0_u32);
    let mut random = SplitMix64::named("family");
    for _ in 0..REPETITIONS {
        let judgement = judged((0..CLAIMS).map(|_| share(&mut random, 0.75)).collect());
        any += u32::from(judgement.gated() > 0);
        alone += u32::from(judgement.claims.iter().any(|one| one.p_fail.is_some_and(|p| p <= ALPHA)));
    }
    let share = |count: u32| f64::from(count) / f64::from(REPETITIONS);
    assert!(share(any) <= ALPHA + binomial_error(ALPHA, REPETITIONS), "with Holm: {}", share(any));
    // 1 - (1 - 0.025)^8 is 18 %: without the correction one run in six would cry wolf.
    assert!(share(alone) > 0.10, "without: {}", share(alone));
}
