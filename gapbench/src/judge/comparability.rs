//! Whether two numbers may be held against each other: what differs, and what one side does not say.

use crate::declare::PaperClaim;
use crate::record::{Condition, ConditionValue, Conditions, InputSet, Metric, Role, Series};

use super::software;

/// What a comparison of conditions found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Comparison {
    /// Identity conditions that both sides state differently, as `name: paper .., here ..`.
    pub differing: Vec<String>,
    /// Conditions that only one side states.
    pub unknown: Vec<String>,
}

/// Compares the conditions of a claim with those of a series.
pub(super) fn compare(claim: &PaperClaim, series: &Series) -> Comparison {
    let mut found = Comparison::default();
    for condition in Condition::ALL.iter().copied().filter(|one| counts(*one, claim.metric)) {
        match (claim.conditions.get(condition), series.conditions.get(condition)) {
            (Some(paper), Some(here)) if differs(condition, paper, here) => {
                found.differing.push(format!("{condition}: paper {paper}, here {here}"));
            }
            // Papers do not say that their inputs are clean.
            (None, Some(_)) if condition == Condition::Noise => {}
            (Some(_), None) | (None, Some(_)) if !replaced(condition, series) => {
                found.unknown.push(condition.to_string());
            }
            _ => {}
        }
    }
    if claim.metric.depends_on_machine() {
        compare_software(&claim.conditions, &series.conditions, &mut found);
    }
    found
}

fn compare_software(paper: &Conditions, here: &Conditions, found: &mut Comparison) {
    for (component, required) in &paper.software {
        let version = here.software.iter().find(|(name, _)| name.eq_ignore_ascii_case(component));
        match version {
            Some((_, version)) if software::meets(version, required) => {}
            Some((_, version)) => {
                found.differing.push(format!("software.{component}: paper {required}, here {version}"));
            }
            None => found.unknown.push(format!("software.{component}")),
        }
    }
}

/// How many identity conditions both sides state differently.
pub(super) fn differences(claim: &PaperClaim, conditions: &Conditions) -> usize {
    Condition::ALL
        .iter()
        .filter(|condition| counts(**condition, claim.metric))
        .filter(|condition| match (claim.conditions.get(**condition), conditions.get(**condition)) {
            (Some(paper), Some(here)) => differs(**condition, paper, here),
            _ => false,
        })
        .count()
}

/// The conditions that name an input set; own inputs replace them on purpose.
pub(super) const fn names_inputs(condition: Condition) -> bool {
    matches!(condition, Condition::Dataset | Condition::Split | Condition::Revision)
}

fn replaced(condition: Condition, series: &Series) -> bool {
    series.inputs == Some(InputSet::Own) && names_inputs(condition)
}

/// A score does not depend on the machine that computed it.
fn counts(condition: Condition, metric: Metric) -> bool {
    !condition.describes_machine() || metric.depends_on_machine()
}

/// Whether an identity condition differs; production conditions never make numbers incomparable.
fn differs(condition: Condition, paper: &ConditionValue, here: &ConditionValue) -> bool {
    condition.role() == Role::Identity
        && match condition {
            Condition::Hardware => !same_hardware(&paper.to_string(), &here.to_string()),
            Condition::Dtype => number_format(&paper.to_string()) != number_format(&here.to_string()),
            _ => !same(paper, here),
        }
}

/// One name for the formats that papers, frameworks and languages spell differently. A plain `fp8` is E4M3, the format
/// of inference (Micikevicius et al. 2022, "FP8 formats for deep learning", section 3); a name that is not known is
/// itself.
fn number_format(name: &str) -> String {
    let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
    match name.as_str() {
        "f64" | "fp64" | "float64" | "double" => "f64",
        "f32" | "fp32" | "float32" | "float" | "single" => "f32",
        "f16" | "fp16" | "float16" | "half" => "f16",
        "bf16" | "bfloat16" => "bf16",
        "f8" | "fp8" | "float8" | "fp8e4m3" | "f8e4m3" | "float8e4m3fn" | "e4m3" => "f8e4m3",
        "fp8e5m2" | "f8e5m2" | "float8e5m2" | "e5m2" => "f8e5m2",
        "i8" | "int8" => "i8",
        "i4" | "int4" => "i4",
        other => return other.to_owned(),
    }
    .to_owned()
}

/// Equal as numbers where both are numbers, otherwise as text without regard to case.
pub(super) fn same(a: &ConditionValue, b: &ConditionValue) -> bool {
    match (number(a), number(b)) {
        (Some(a), Some(b)) => a == b,
        _ => a.to_string().trim().to_lowercase() == b.to_string().trim().to_lowercase(),
    }
}

fn number(value: &ConditionValue) -> Option<f64> {
    match value {
        ConditionValue::Number(number) => Some(*number),
        ConditionValue::Text(text) => text.trim().parse().ok(),
        ConditionValue::Flag(_) => None,
    }
}

/// Whether `here` is the hardware that a paper calls `paper`: `h100-sxm-80gb` is `NVIDIA H100 80GB HBM3`, since vendors
/// and papers agree on the parts of a name that carry a digit. A name without a digit must be equal.
fn same_hardware(paper: &str, here: &str) -> bool {
    if paper.trim().to_lowercase() == here.trim().to_lowercase() {
        return true;
    }
    let ours = tokens(here);
    let mut wanted =
        tokens(paper).into_iter().filter(|token| token.contains(|c: char| c.is_ascii_digit())).peekable();
    wanted.peek().is_some() && wanted.all(|token| ours.contains(&token))
}

/// Lower-case words of letters and digits; a number joins the unit of memory behind it (`80 GB` is `80gb`).
fn tokens(name: &str) -> Vec<String> {
    let name = name.to_lowercase();
    let mut found: Vec<String> = Vec::new();
    for word in name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        match found.last_mut() {
            Some(last) if matches!(word, "gb" | "gib") && last.chars().all(|c| c.is_ascii_digit()) => {
                last.push_str(word);
            }
            _ => found.push(word.to_owned()),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hardware_names() {
        let table = [
            ("h100-sxm-80gb", "NVIDIA H100 80GB HBM3", true),
            ("H100 80 GB", "NVIDIA H100 80GB HBM3", true),
            ("h100-sxm-80gb", "NVIDIA H200", false),
            ("a10", "NVIDIA A100-SXM4-80GB", false),
            ("AMD EPYC 7B13", "AMD EPYC 7B13 64-Core Processor", true),
            ("AMD EPYC 7B13", "Intel(R) Xeon(R) CPU @ 2.20GHz", false),
            ("Xeon", "Intel(R) Xeon(R) CPU @ 2.20GHz", false),
            ("xeon", "Xeon", true),
            ("H100", "h100", true),
        ];
        for (paper, here, expected) in table {
            assert_eq!(same_hardware(paper, here), expected, "{paper} / {here}");
        }
    }

    #[test]
    fn values_compare_by_meaning() {
        let text = |text: &str| ConditionValue::from(text);
        assert!(same(&text("FP16"), &text("fp16 ")));
        assert!(same(&ConditionValue::from(8.0), &text("8")));
        assert!(!same(&ConditionValue::from(8.0), &text("16")));
        assert!(same(&ConditionValue::from(true), &text("True")));
        assert!(!same(&ConditionValue::from(true), &ConditionValue::from(1.0)));
    }
}
