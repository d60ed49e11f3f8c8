//! What noise on the inputs did to the answers, item by item against the clean form.

use serde::{Deserialize, Serialize};

use super::InputSet;

/// The same items answered twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairsRow {
    /// Items that could be graded.
    pub n: u64,
    /// Right the first time and wrong the second.
    pub lost: u64,
    /// Wrong the first time and right the second.
    pub gained: u64,
}

/// An item that noise turned wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LostItem {
    /// Its id.
    pub id: String,
    /// Its text.
    pub clean: String,
    /// The noisy text.
    pub noisy: String,
    /// The answer to the clean text.
    pub right: String,
    /// The answer to the noisy text; absent where the request failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wrong: Option<String>,
}

/// One kind of noise on one input set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NoiseRow {
    /// The value of the condition `noise`: `medium`, `medium typos`, or an operator's name with its severity.
    pub noise: String,
    /// Whether it is the step of the ladder.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub on_the_ladder: bool,
    /// Whose inputs.
    pub inputs: InputSet,
    /// Whether the right answers stay right: `kept`, `mostly kept` or `may change`.
    pub labels: String,
    /// Items.
    pub items: u64,
    /// Items in which the noise found nothing to change.
    pub unchanged: u64,
    /// Edits over characters before; absent for texts too long to compare.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub character_error_rate: Option<f64>,
    /// Items whose request failed with noise.
    pub failed: u64,
    /// Clean against noisy.
    pub pairs: PairsRow,
    /// Right answers to the clean items that could be graded.
    pub clean_right: u64,
    /// Some of the items that noise turned wrong.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub worst: Vec<LostItem>,
}
