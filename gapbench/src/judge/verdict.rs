//! What a judgement says, as data: everything a report shows is in these types.

use serde::{Deserialize, Serialize};

use crate::declare::PaperClaim;
use crate::record::{CaseId, InputSet, LoadPoint, Metric, Statistic};

/// The answer to "does the declared number hold here?".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The whole interval lies below the floor.
    Fail,
    /// The whole interval lies outside the discount.
    Gap,
    /// The interval straddles the line.
    Unclear,
    /// Inside the discount.
    Within,
    /// Inside the discount, and the interval lies inside the equivalence band.
    OnPar,
    /// Better than declared: a paper is a ceiling, so the conditions deserve a look.
    Ahead,
    /// Conditions or statistic differ.
    NotComparable,
    /// There is no number of ours, and the reason says why.
    NotMeasured,
}

impl Verdict {
    /// The words a report uses.
    pub const fn words(self) -> &'static str {
        match self {
            Verdict::Fail => "fail",
            Verdict::Gap => "gap",
            Verdict::Unclear => "unclear",
            Verdict::Within => "within",
            Verdict::OnPar => "on par",
            Verdict::Ahead => "ahead",
            Verdict::NotComparable => "not comparable",
            Verdict::NotMeasured => "not measured",
        }
    }
}

/// A number with its interval; an end that the sample cannot bound is absent.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The point.
    pub value: f64,
    /// Lower end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lower: Option<f64>,
    /// Upper end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upper: Option<f64>,
}

/// A statistic of a series, in the canonical unit of the metric's family.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// Which number of the distribution.
    pub statistic: Statistic,
    /// The number with its interval.
    pub interval: Interval,
    /// How many observations; 0 for a declared number whose source does not say.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub n: u64,
}

/// An unknown count is absent from a file, never 0.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_zero(n: &u64) -> bool {
    *n == 0
}

/// A rung of the ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepKind {
    /// The declared number.
    Paper,
    /// The paper's conditions, as near as this machine can.
    Reproduced,
    /// The same with the user's inputs.
    OwnInputs,
    /// The same with noise on the inputs.
    Noise,
    /// The same with the requests of others beside it.
    Load,
}

impl StepKind {
    /// The words a report uses.
    pub const fn words(self) -> &'static str {
        match self {
            StepKind::Paper => "paper",
            StepKind::Reproduced => "reproduced here",
            StepKind::OwnInputs => "own inputs",
            StepKind::Noise => "with noise",
            StepKind::Load => "under load",
        }
    }
}

/// One step from the paper towards production: a single thing changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Which step.
    pub kind: StepKind,
    /// What it is called where its kind says too little: `at 50 clients`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Our number; for the first step the declared one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimate: Option<Estimate>,
    /// Why there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub absent: Option<String>,
    /// Goodness lost since the last step that has a number, as a share of the declared goodness; negative when gained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss: Option<Interval>,
    /// The verdict if one stopped here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
}

/// The way from the declared number to ours.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ladder {
    /// The steps in order, the paper first.
    pub steps: Vec<Step>,
    /// Goodness lost over the whole ladder, as a share of the declared goodness.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gap: Option<f64>,
}

/// A claim, what we found, and what it means.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClaimVerdict {
    /// The case that was held against the claim.
    pub case: CaseId,
    /// The claim.
    pub claim: PaperClaim,
    /// The verdict on the last step of the ladder that has a number.
    pub verdict: Verdict,
    /// A sentence.
    pub reason: String,
    /// Our number at that step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ours: Option<Estimate>,
    /// Goodness ratio, ours over declared (declared over ours where lower is better).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ratio: Option<Interval>,
    /// Identity conditions that differ, each as `name: paper .., here ..`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub differing: Vec<String>,
    /// Conditions that one side does not state.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<String>,
    /// How likely so low a ratio is if the truth were at the floor (`fail_below`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p_fail: Option<f64>,
    /// The same after Holm's correction over all gated claims of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p_fail_holm: Option<f64>,
    /// Whether the gate counts it: the policy names the verdict and, for `fail`, Holm's correction leaves it standing.
    pub gated: bool,
    /// The way from the paper to here.
    pub ladder: Ladder,
}

/// Against an earlier record of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// Better beyond the noise.
    Faster,
    /// Inside the noise.
    Same,
    /// Worse beyond the noise.
    Slower,
    /// The observations do not decide.
    Ambiguous,
    /// Another machine, build or measurement.
    NotComparable,
    /// The earlier record has no such number.
    New,
}

impl Change {
    /// The words a report uses. Numbers that are no times are `better` and `worse`.
    pub fn words(self, metric: Metric) -> &'static str {
        let time = metric.family() == crate::units::Family::Time;
        match self {
            Change::Faster if time => "faster",
            Change::Faster => "better",
            Change::Same => "same",
            Change::Slower if time => "slower",
            Change::Slower => "worse",
            Change::Ambiguous => "ambiguous",
            Change::NotComparable => "not comparable",
            Change::New => "new",
        }
    }
}

/// One number of ours against the same number of an earlier record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChangeVerdict {
    /// The case.
    pub case: CaseId,
    /// The metric.
    pub metric: Metric,
    /// Whose inputs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inputs: Option<InputSet>,
    /// Under which load; absent for requests one after the other, and where there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load: Option<LoadPoint>,
    /// What else sets it apart from another number of the same metric: `noise medium`, `cold jit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub also: Option<String>,
    /// The verdict.
    pub change: Change,
    /// A sentence.
    pub reason: String,
    /// Now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ours: Option<Estimate>,
    /// Then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Estimate>,
    /// Goodness ratio, now over then (then over now where lower is better).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ratio: Option<Interval>,
    /// Run id of the earlier record.
    pub baseline: String,
}

/// Every measured number with its usual statistic, claimed or not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The case.
    pub case: CaseId,
    /// The metric.
    pub metric: Metric,
    /// Whose inputs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inputs: Option<InputSet>,
    /// Under which load; absent for requests one after the other, and where there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load: Option<LoadPoint>,
    /// What else sets it apart from another number of the same metric: `noise medium`, `cold jit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub also: Option<String>,
    /// The number.
    pub estimate: Estimate,
}

/// What answers of a case cost, with its arithmetic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CostLine {
    /// The case.
    pub case: CaseId,
    /// A sentence.
    pub text: String,
}

/// Everything that was judged of one run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// One per claim and matching case, in the order of the record.
    pub claims: Vec<ClaimVerdict>,
    /// One per number that the earlier record has too.
    pub changes: Vec<ChangeVerdict>,
    /// All numbers.
    pub measured: Vec<Summary>,
    /// Costs, where a price was declared.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub costs: Vec<CostLine>,
}
