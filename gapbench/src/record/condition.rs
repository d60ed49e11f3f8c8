//! The conditions under which a number was obtained, in one closed vocabulary for claims and measurements alike.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize};

/// What a difference in a condition means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Another value makes it another experiment: the numbers cannot be held against each other.
    Identity,
    /// Production differs here on purpose; a step of the gap ladder changes it.
    Production,
}

macro_rules! conditions {
    ($($variant:ident $name:literal $role:ident $doc:literal;)*) => {
        /// A named condition.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Condition { $(#[doc = $doc] #[serde(rename = $name)] $variant,)* }

        impl Condition {
            /// Every condition, in the order of the documentation.
            pub const ALL: &'static [Condition] = &[$(Condition::$variant,)*];

            /// The key as written in a claims file.
            pub const fn name(self) -> &'static str { match self { $(Condition::$variant => $name,)* } }

            /// What a difference in it means.
            pub const fn role(self) -> Role { match self { $(Condition::$variant => Role::$role,)* } }
        }
    };
}

conditions! {
    Model "model" Identity "The model's name.";
    Hardware "hardware" Identity "The processor or accelerator.";
    Count "count" Identity "How many of them: accelerators, or processor cores.";
    Dtype "dtype" Identity "The number format of the weights.";
    Batch "batch" Identity "Inputs processed together.";
    SeqLen "seq_len" Identity "Sequence length of a kernel.";
    HeadDim "head_dim" Identity "Attention head dimension of a kernel.";
    Hidden "hidden" Identity "Hidden dimension of a kernel.";
    Rows "rows" Identity "Rows of a kernel's operand.";
    GemmM "gemm_m" Identity "Rows of a matrix product's result.";
    GemmN "gemm_n" Identity "Columns of a matrix product's result.";
    GemmK "gemm_k" Identity "Products summed in each element of a matrix product's result.";
    Harness "harness" Identity "The evaluation harness.";
    NShot "n_shot" Identity "Examples in the prompt.";
    K "k" Identity "Attempts per problem (pass@k).";
    Dataset "dataset" Production "The input set.";
    Split "split" Production "The part of the input set.";
    Revision "revision" Production "The version of the input set.";
    Noise "noise" Production "The perturbation applied to the inputs.";
    Load "load" Production "single-stream, closed, poisson or offline.";
    Concurrency "concurrency" Production "Requests in flight.";
    Rate "rate" Production "Offered requests per second.";
    InputLen "input_len" Production "Tokens in.";
    OutputLen "output_len" Production "Tokens out.";
    Warm "warm" Production "Whether the model was warm.";
    Cold "cold" Production "How cold a cold start was: process, jit or disk.";
}

impl Condition {
    /// The condition of this key.
    pub fn parse(name: &str) -> Option<Condition> {
        Condition::ALL.iter().copied().find(|condition| condition.name() == name)
    }

    /// Whether it describes the machine rather than the experiment.
    pub const fn describes_machine(self) -> bool {
        matches!(self, Condition::Hardware | Condition::Count)
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// The value of a condition.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum ConditionValue {
    /// Yes or no.
    Flag(bool),
    /// A number.
    Number(f64),
    /// A word.
    Text(String),
}

impl<'de> Deserialize<'de> for ConditionValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl Visitor<'_> for AnyValue {
    type Value = ConditionValue;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a number, a text, true or false")
    }

    fn visit_bool<E>(self, flag: bool) -> Result<ConditionValue, E> {
        Ok(ConditionValue::Flag(flag))
    }

    fn visit_u64<E>(self, number: u64) -> Result<ConditionValue, E> {
        Ok(ConditionValue::Number(number as f64))
    }

    fn visit_i64<E>(self, number: i64) -> Result<ConditionValue, E> {
        Ok(ConditionValue::Number(number as f64))
    }

    fn visit_f64<E>(self, number: f64) -> Result<ConditionValue, E> {
        Ok(ConditionValue::Number(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<ConditionValue, E> {
        Ok(ConditionValue::Text(text.to_owned()))
    }
}

impl fmt::Display for ConditionValue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConditionValue::Flag(flag) => write!(formatter, "{flag}"),
            ConditionValue::Number(number) => write!(formatter, "{number}"),
            ConditionValue::Text(text) => formatter.write_str(text),
        }
    }
}

impl From<&str> for ConditionValue {
    fn from(text: &str) -> Self {
        ConditionValue::Text(text.to_owned())
    }
}

impl From<f64> for ConditionValue {
    fn from(number: f64) -> Self {
        ConditionValue::Number(number)
    }
}

impl From<bool> for ConditionValue {
    fn from(flag: bool) -> Self {
        ConditionValue::Flag(flag)
    }
}

/// Known conditions. What is absent is unknown, and is never guessed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Conditions {
    /// The closed vocabulary.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub known: BTreeMap<Condition, ConditionValue>,
    /// Component to version, or to a requirement such as `>=12.3`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub software: BTreeMap<String, String>,
}

impl Conditions {
    /// The value of `condition`, where known.
    pub fn get(&self, condition: Condition) -> Option<&ConditionValue> {
        self.known.get(&condition)
    }

    /// The same conditions with `condition` set.
    #[must_use]
    pub fn with(mut self, condition: Condition, value: impl Into<ConditionValue>) -> Self {
        self.known.insert(condition, value.into());
        self
    }
}
