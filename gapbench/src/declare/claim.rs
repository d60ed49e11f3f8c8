//! A published number with its unit, statistic, conditions and source.

use serde::{Deserialize, Serialize};

use crate::record::{Conditions, Direction, Metric, Statistic};

/// The publication a claim is from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Paper {
    /// Short name.
    pub id: String,
    /// Title.
    pub title: String,
    /// Where it can be read.
    pub url: String,
    /// Edition: `arXiv v2`, a release, a commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Date of that edition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// Digital object identifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doi: Option<String>,
    /// Where its code is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Threads in which users met problems.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub known_issues: Vec<String>,
}

/// How a claim is judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    /// The loss one plans for: with 0.20, 80 % of the declared goodness is still inside.
    pub discount: f64,
    /// Goodness ratio below which the claim fails.
    pub fail_below: f64,
    /// Half-width of "on par".
    pub equivalence: f64,
    /// Error level of the intervals; 0.05 means 95 % intervals.
    pub alpha: f64,
    /// Which verdicts the gate stops.
    pub gate: Vec<Gate>,
    /// Whether a claim of other hardware is scaled for information.
    pub scale: Scale,
}

impl Default for Policy {
    /// The advice the project starts from: plan with 80 % of a paper's number, expect 75 to 85 %.
    fn default() -> Self {
        Policy {
            discount: 0.20,
            fail_below: 0.75,
            equivalence: 0.05,
            alpha: 0.05,
            gate: vec![Gate::Fail],
            scale: Scale::None,
        }
    }
}

/// Verdicts that a gate can stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Gate {
    /// Below the floor.
    Fail,
    /// Outside the discount.
    Gap,
    /// The observations do not decide.
    Unclear,
    /// Conditions or statistic differ.
    NotComparable,
}

/// Scaling across hardware.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scale {
    /// Other hardware is not comparable.
    None,
}

/// The claim's own wording of its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Wording {
    /// The number, to its printed precision.
    #[serde(rename = "exact")]
    Exact,
    /// Roughly the number.
    #[serde(rename = "about")]
    About,
    /// The best that was seen: only a maximum can be held against it.
    #[serde(rename = "up to")]
    UpTo,
    /// A floor.
    #[serde(rename = "at least")]
    AtLeast,
}

/// How exact the declared number is, in the metric's canonical unit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Precision {
    /// Half of the last printed digit, or the declared `precision`.
    pub half_width: f64,
    /// Whether the author wrote it.
    pub declared: bool,
}

/// What kind of spread a source prints beside its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SpreadKind {
    /// Standard deviation of the observations.
    #[serde(rename = "sd")]
    Sd,
    /// Standard error of the number.
    #[serde(rename = "se")]
    Se,
    /// A 95 % interval of the number.
    #[serde(rename = "ci95")]
    Ci95,
    /// Smallest and largest.
    #[serde(rename = "range")]
    Range,
    /// 0.2 and 0.8 quantiles.
    #[serde(rename = "p20-p80")]
    P20P80,
}

/// A spread, in the metric's canonical unit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// What it is.
    pub kind: SpreadKind,
    /// Lower end, for intervals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lo: Option<f64>,
    /// Upper end, for intervals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hi: Option<f64>,
    /// The size, for `sd` and `se`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
}

/// Where exactly the number stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// `paper`, `model-card`, `vendor-docs`, `leaderboard`, `run-log`, `issue` or `self`.
    pub kind: String,
    /// Address; the paper's own when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Section, line, file: anything that finds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locator: Option<String>,
    /// Page, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<u64>,
    /// Table name or number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// The sentence itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quote: Option<String>,
    /// When it was read, `YYYY-MM-DD`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retrieved: Option<String>,
    /// `self-reported`, `third-party`, `mlcommons`, `hf-token` or `reproduced`; unknown when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified: Option<String>,
}

/// The declared number, both as written and in the canonical unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Declared {
    /// In the canonical unit of the metric's family.
    pub value: f64,
    /// The digits as written: `740`.
    pub written: String,
    /// The unit as written: `TFLOP/s`.
    pub unit: String,
}

/// One `[[result]]` of a claims file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PaperClaim {
    /// Unique in its file.
    pub id: String,
    /// The file as the author named it.
    pub file: String,
    /// Line of the result in that file, from 1.
    pub line: usize,
    /// The publication.
    pub paper: Paper,
    /// What was measured.
    pub metric: Metric,
    /// Which number of its distribution.
    pub statistic: Statistic,
    /// Which way is better; always the metric's own.
    pub direction: Direction,
    /// The number.
    pub declared: Declared,
    /// How exact it is.
    pub precision: Precision,
    /// How it spread.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spread: Option<Spread>,
    /// How many observations stand behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n: Option<u64>,
    /// How the source words it.
    pub wording: Wording,
    /// Under which conditions; what is absent is unknown.
    pub conditions: Conditions,
    /// Where it stands.
    pub source: Source,
    /// How it is judged.
    pub policy: Policy,
}
