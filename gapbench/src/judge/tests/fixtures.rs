//! Small records and claims.

use crate::declare::{
    Declaration, Declarations, Declared, Kind, Options, Paper, PaperClaim, Policy, Precision, Registered,
    Source, Wording,
};
use crate::judge::{ChangeVerdict, ClaimVerdict, judge};
use crate::record::{
    Batch, CaseId, CaseRow, Condition, ConditionValue, Conditions, Data, Environment, Header, InputSet,
    Metric, Outcome, Record, Series, Statistic, Target, Timing,
};

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

pub(super) fn claim(metric: Metric, statistic: Statistic, value: f64) -> PaperClaim {
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

impl PaperClaim {
    pub(super) fn under(mut self, condition: Condition, value: impl Into<ConditionValue>) -> PaperClaim {
        self.conditions = self.conditions.with(condition, value);
        self
    }

    pub(super) fn worded(mut self, wording: Wording) -> PaperClaim {
        self.wording = wording;
        self
    }
}

pub(super) fn series(metric: Metric, data: Data) -> Series {
    Series { metric, inputs: None, conditions: Conditions::default(), data }
}

impl Series {
    pub(super) fn on(mut self, inputs: InputSet) -> Series {
        self.inputs = Some(inputs);
        self
    }

    pub(super) fn under(mut self, condition: Condition, value: impl Into<ConditionValue>) -> Series {
        self.conditions = self.conditions.with(condition, value);
        self
    }
}

pub(super) fn values(values: Vec<f64>) -> Data {
    Data::Values { values, calls_per_value: 1 }
}

/// `n` values spread evenly over `centre` plus and minus `half`, in an order that hides the trend.
pub(super) fn spread(centre: f64, half: f64, n: usize) -> Data {
    let stride = (n / 3).max(1) | 1;
    let stride = (stride..).find(|stride| gcd(*stride, n) == 1).unwrap_or(1);
    let place = |index: usize| (index * stride % n) as f64 / (n - 1) as f64;
    values((0..n).map(|index| centre + half * (2.0 * place(index) - 1.0)).collect())
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

pub(super) fn counts(successes: u64, trials: u64) -> Data {
    Data::Counts { successes, trials }
}

pub(super) fn rates(work: &[f64]) -> Data {
    Data::Rates { batches: work.iter().map(|work| Batch { work: *work, seconds: 1.0 }).collect() }
}

pub(super) fn row(series: Vec<Series>) -> CaseRow {
    named_row("bench::model", series)
}

pub(super) fn named_row(case: &str, series: Vec<Series>) -> CaseRow {
    CaseRow {
        case: CaseId(case.into()),
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
    }
}

/// Other work took part of the processor: wall time is 1.5 times processor time.
pub(super) fn disturbed(mut row: CaseRow) -> CaseRow {
    row.timing = Some(Timing {
        wall_seconds: 1.6,
        cpu_seconds: 1.0,
        waited_seconds: Some(0.5),
        involuntary_switches: 9,
    });
    row
}

pub(super) fn record(rows: Vec<CaseRow>) -> Record {
    Record {
        header: Header {
            schema: "gapbench.record".into(),
            version: 1,
            run_id: "run-1".into(),
            target: Target { package: "model".into(), bench: "paper".into() },
            started_unix: 0,
            profile: "full".into(),
            seed: 42,
            planned: rows.len(),
            environment: Environment {
                cpu: Some("AMD EPYC 7B13".into()),
                cores: 2,
                ..Environment::default()
            },
        },
        rows,
        end: None,
    }
}

pub(super) fn declared(claims: Vec<PaperClaim>) -> Declarations {
    Declarations { items: vec![Registered { declaration: &DECLARATION, claims, price: None }] }
}

/// The one verdict on one claim and one row.
pub(super) fn verdict(claim: PaperClaim, row: CaseRow) -> ClaimVerdict {
    let mut claims = judge(&record(vec![row]), &declared(vec![claim]), None).claims;
    assert_eq!(claims.len(), 1);
    claims.remove(0)
}

/// The one change from one row to another.
pub(super) fn change(now: CaseRow, before: CaseRow) -> ChangeVerdict {
    let mut changes =
        judge(&record(vec![now]), &Declarations::default(), Some(&record(vec![before]))).changes;
    assert_eq!(changes.len(), 1);
    changes.remove(0)
}

#[test]
fn the_spread_is_what_it_says() {
    let Data::Values { mut values, .. } = spread(10.0, 1.0, 101) else { unreachable!() };
    values.sort_by(f64::total_cmp);
    assert_eq!((values[0], values[100]), (9.0, 11.0));
    assert!((values[50] - 10.0).abs() < 1e-12);
}
