//! A run by hand: every kind of verdict, outcome and note once.

use std::path::Path;

use gapbench::declare::{Declared, Paper, PaperClaim, Policy, Precision, Source, Wording};
use gapbench::judge::{
    Change, ChangeVerdict, ClaimVerdict, Estimate, Interval, Judgement, Ladder, Step, StepKind, Summary,
    Verdict,
};
use gapbench::record::{
    CaseId, CaseRow, ColdLevel, Conditions, Data, End, Environment, Failure, FailureKind, Header, InputSet,
    Metric, Note, Outcome, Phase, Record, Series, Statistic, Target, Timing,
};
use gapbench::report::results::TargetResults;

pub(crate) fn estimate(statistic: Statistic, value: f64, lower: f64, upper: f64, n: u64) -> Estimate {
    Estimate { statistic, interval: Interval { value, lower: Some(lower), upper: Some(upper) }, n }
}

fn loss(value: f64) -> Option<Interval> {
    Some(Interval { value, lower: Some(value - 0.01), upper: Some(value + 0.01) })
}

pub(crate) fn claim(
    id: &str,
    metric: Metric,
    statistic: Statistic,
    value: f64,
    written: &str,
    unit: &str,
) -> PaperClaim {
    PaperClaim {
        id: id.to_owned(),
        file: "papers/minilm.toml".to_owned(),
        line: 12,
        paper: Paper {
            id: "minilm".to_owned(),
            title: "MiniLM: Deep Self-Attention Distillation".to_owned(),
            url: "https://arxiv.org/abs/2002.10957".to_owned(),
            version: Some("arXiv v2".to_owned()),
            date: None,
            doi: None,
            code: None,
            known_issues: vec![],
        },
        metric,
        statistic,
        direction: metric.direction(),
        declared: Declared { value, written: written.to_owned(), unit: unit.to_owned() },
        precision: Precision { half_width: value * 0.0005, declared: false },
        spread: None,
        n: None,
        wording: Wording::Exact,
        conditions: Conditions::default(),
        source: Source {
            kind: "paper".to_owned(),
            url: None,
            locator: None,
            page: Some(7),
            table: Some("3".to_owned()),
            quote: None,
            retrieved: None,
            verified: None,
        },
        policy: Policy::default(),
    }
}

pub(crate) fn verdict(claim: PaperClaim, verdict: Verdict, reason: &str) -> ClaimVerdict {
    let paper =
        Step { kind: StepKind::Paper, label: None, estimate: None, absent: None, loss: None, verdict: None };
    ClaimVerdict {
        case: CaseId("paper::intent".to_owned()),
        claim,
        verdict,
        reason: reason.to_owned(),
        ours: None,
        ratio: None,
        differing: vec![],
        unknown: vec![],
        p_fail: None,
        p_fail_holm: None,
        gated: false,
        ladder: Ladder { steps: vec![paper], gap: None },
    }
}

/// With our number, the ladder's losses (reproduced, then own inputs) and the ratio that follows.
pub(crate) fn found(
    mut verdict: ClaimVerdict,
    ours: Estimate,
    reproduced: Option<(Estimate, f64)>,
    own: Option<(Estimate, f64)>,
    gap: f64,
) -> ClaimVerdict {
    let step = |kind, found: Option<(Estimate, f64)>, why: &str| Step {
        label: None,
        kind,
        estimate: found.map(|(estimate, _)| estimate),
        absent: found.is_none().then(|| why.to_owned()),
        loss: found.and_then(|(_, share)| loss(share)),
        verdict: None,
    };
    verdict.ladder.steps.push(step(StepKind::Reproduced, reproduced, "no `benchmark` file was named"));
    verdict.ladder.steps.push(step(StepKind::OwnInputs, own, "no `inputs` file was named"));
    verdict.ladder.gap = Some(gap);
    verdict.ours = Some(ours);
    verdict.ratio = Some(Interval { value: 1.0 - gap, lower: Some(0.98 - gap), upper: Some(1.02 - gap) });
    verdict
}

pub(crate) fn row(case: &str, outcome: Outcome) -> CaseRow {
    CaseRow {
        case: CaseId(case.to_owned()),
        function: case.splitn(3, "::").take(2).collect::<Vec<_>>().join("::"),
        outcome,
        series: vec![],
        phases: vec![],
        noise: Vec::new(),
        loads: Vec::new(),
        search: None,
        timing: None,
        device: None,
        notes: vec![],
        wall_seconds: 4.0,
    }
}

fn rows() -> Vec<CaseRow> {
    let mut served = row("paper::intent", Outcome::Measured);
    served.phases = [
        ("spawn", vec![0.0121, 0.0118, 0.0140]),
        ("tokenizer", vec![0.308, 0.31, 0.312]),
        ("weights", vec![0.52, 0.51, 0.6]),
        ("first answer", vec![0.301, 0.299, 0.305]),
        ("unaccounted", vec![0.004, 0.005, 0.006]),
    ]
    .into_iter()
    .map(|(name, seconds)| Phase { level: ColdLevel::Process, name: name.to_owned(), seconds })
    .collect();
    #[allow(clippy::needless_update, reason = "a record may learn more of a timing without this test")]
    let timing =
        Timing { wall_seconds: 2.0, cpu_seconds: 1.5, involuntary_switches: 31, ..Timing::default() };
    served.timing = Some(timing);
    served.notes = vec![Note {
        code: "contended".to_owned(),
        text: "other work took 25 % of the processor while this was timed: tails are unclear".to_owned(),
    }];
    let values = (0..50_u32).map(|k| 0.0003 + f64::from((k * 7919) % 97) * 1e-7).collect();
    served.series = vec![Series {
        metric: Metric::LatencyE2e,
        inputs: Some(InputSet::Own),
        conditions: Conditions::default(),
        data: Data::Values { values, calls_per_value: 1 },
    }];
    let failed = row(
        "paper::tokenize::length=1000000",
        Outcome::Failed(Failure {
            kind: FailureKind::Panic,
            reason: "index out of bounds: the len is 512 but the index is 512".to_owned(),
            stderr_tail: vec![
                "thread 'main' panicked at src/tokenizer.rs:88:14:".to_owned(),
                "\u{1b}[31mindex out of bounds\u{1b}[0m: the len is 512 but the index is 512".to_owned(),
            ],
        }),
    );
    let skipped = row(
        "paper::kernel::rows=2048,hidden=4096",
        Outcome::Skipped {
            reason: "no CUDA driver found (looked for libcuda.so.1)".to_owned(),
            absent_device: Some("cuda".to_owned()),
        },
    );
    vec![served, failed, skipped]
}

pub(crate) fn record() -> Record {
    let rows = rows();
    Record {
        header: Header {
            schema: "gapbench.record".to_owned(),
            version: 1,
            run_id: "20260102T030405Z-1".to_owned(),
            target: Target { package: "intent-classifier".to_owned(), bench: "paper".to_owned() },
            started_unix: 1_767_323_045,
            profile: "quick".to_owned(),
            seed: 7,
            planned: rows.len(),
            environment: Environment {
                gapbench: "0.1.0".to_owned(),
                system: "linux x86_64".to_owned(),
                kernel: Some("6.1.0".to_owned()),
                cpu: Some("AMD EPYC 7B13".to_owned()),
                cores: 2,
                memory_bytes: Some(8 << 30),
                device: None,
                debug_build: false,
                revision: Some("1a2b3c4+".to_owned()),
            },
        },
        rows,
        end: Some(End { status: "complete".to_owned(), wall_seconds: 42.5 }),
    }
}

fn claims() -> Vec<ClaimVerdict> {
    use Metric::{LatencyE2e, MemoryHostPeak, QualityAccuracy, ThroughputRequests};
    use Statistic::{Max, Mean, Median, P99};
    let accuracy = |value: f64| estimate(Mean, value, value - 0.02, value + 0.02, 1000);
    let time = |value: f64, n| estimate(Median, value, value * 0.97, value * 1.04, n);
    let mut fail = found(
        verdict(
            claim("accuracy-noisy", QualityAccuracy, Mean, 0.922, "92.2", "%"),
            Verdict::Fail,
            "66.3 % is 71.9 % of the declared 92.2 %, and even the upper end of the interval (74.1 %) is below the \
             floor of 75.0 %; most of it is lost on your own inputs",
        ),
        accuracy(0.663),
        Some((accuracy(0.921), 0.001)),
        Some((accuracy(0.663), 0.280)),
        0.281,
    );
    fail.gated = true;
    fail.p_fail = Some(0.001);
    fail.p_fail_holm = Some(0.006);
    fail.unknown = vec!["n_shot".to_owned(), "harness".to_owned()];
    let within = found(
        verdict(
            claim("accuracy", QualityAccuracy, Mean, 0.922, "92.2", "%"),
            Verdict::Within,
            "88.0 % is 95.4 % of the declared 92.2 %: inside the discount of 20 %",
        ),
        accuracy(0.880),
        Some((accuracy(0.921), 0.001)),
        Some((accuracy(0.880), 0.045)),
        0.046,
    );
    let par = found(
        verdict(claim("latency", LatencyE2e, Median, 0.0003, "0.3", "ms"), Verdict::OnPar, "on par"),
        time(0.000_304, 1000),
        Some((time(0.000_304, 1000), 0.013)),
        None,
        0.013,
    );
    let unclear = found(
        verdict(
            claim("tail", LatencyE2e, P99, 0.0004, "400", "us"),
            Verdict::Unclear,
            "the interval of the ratio, 61.0 % to 93.5 %, straddles the line at 80.0 %: about 1,400 more requests \
             would decide",
        ),
        Estimate {
            statistic: P99,
            interval: Interval { value: 0.00052, lower: Some(0.00043), upper: None },
            n: 180,
        },
        None,
        Some((time(0.00052, 180), 0.23)),
        0.23,
    );
    let mut other = verdict(
        claim("peak-rate", ThroughputRequests, Max, 3000.0, "3000", "requests/s"),
        Verdict::NotComparable,
        "the paper ran on other hardware and in another precision",
    );
    other.claim.wording = Wording::UpTo;
    other.differing = vec![
        "hardware: paper A100, here AMD EPYC 7B13".to_owned(),
        "dtype: paper fp16, here fp32".to_owned(),
    ];
    let rate = estimate(Mean, 2820.0, 2710.0, 2905.0, 40);
    other = found(other, rate, Some((rate, 0.06)), None, 0.06);
    let absent = verdict(
        claim("memory", MemoryHostPeak, Max, 2e8, "200", "MB"),
        Verdict::NotMeasured,
        "no case reports `memory.host_peak`: add `memory` to the attribute",
    );
    vec![fail, within, par, unclear, other, absent]
}

pub(crate) fn judgement() -> Judgement {
    let case = CaseId("paper::intent".to_owned());
    let summary = |metric, inputs, estimate| Summary {
        case: case.clone(),
        metric,
        inputs,
        load: None,
        also: None,
        estimate,
    };
    let own = Some(InputSet::Own);
    Judgement {
        costs: Vec::new(),
        claims: claims(),
        changes: vec![ChangeVerdict {
            case: case.clone(),
            metric: Metric::LatencyE2e,
            load: None,
            also: None,
            inputs: own,
            change: Change::Slower,
            reason: "the whole interval of the ratio lies below 1 - 5 %".to_owned(),
            ours: Some(estimate(Statistic::Median, 0.000_35, 0.000_345, 0.000_36, 50)),
            before: Some(estimate(Statistic::Median, 0.000_304, 0.0003, 0.000_31, 50)),
            ratio: Some(Interval { value: 0.869, lower: Some(0.85), upper: Some(0.89) }),
            baseline: "20260101T000000Z-1".to_owned(),
        }],
        measured: vec![
            summary(Metric::LatencyE2e, own, estimate(Statistic::Median, 0.000_304, 0.0003, 0.000_31, 50)),
            summary(Metric::QualityAccuracy, own, estimate(Statistic::Mean, 0.88, 0.86, 0.9, 1000)),
            summary(
                Metric::MemoryModelBytes,
                None,
                Estimate {
                    statistic: Statistic::Max,
                    interval: Interval { value: 2_250_000.0, lower: None, upper: None },
                    n: 1,
                },
            ),
        ],
    }
}

pub(crate) fn target() -> TargetResults {
    TargetResults::new(&record(), judgement(), Path::new("runs/20260102T030405Z-1/record.jsonl"))
}

/// Names that try to be markup, commands or layout in every format.
pub(crate) fn hostile() -> TargetResults {
    let evil = "<script>alert(1)</script>|`*[x](javascript:alert(1))\n## @you \u{1b}[2J\"';--";
    let mut claim = claim(evil, Metric::LatencyE2e, Statistic::Median, 1.0, evil, evil);
    claim.paper.title = evil.to_owned();
    claim.paper.url = "javascript:alert(1)".to_owned();
    let mut verdict = verdict(claim, Verdict::Gap, evil);
    verdict.case = CaseId(evil.to_owned());
    verdict.differing = vec![evil.to_owned()];
    let mut record = record();
    record.header.target.bench = evil.to_owned();
    let failure =
        Failure { kind: FailureKind::Error, reason: evil.to_owned(), stderr_tail: vec![evil.to_owned()] };
    record.rows = vec![row(evil, Outcome::Failed(failure))];
    let judgement = Judgement { claims: vec![verdict], ..Judgement::default() };
    TargetResults::new(&record, judgement, Path::new(evil))
}
