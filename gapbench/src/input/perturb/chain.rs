//! Operators one after the other, each with a stream of chance of its own. Knows no particular operator.

use std::fmt;
use std::sync::Arc;

use super::{Dose, LabelSafety, NoiseError, Operator};
use crate::input::Input;
use crate::stats::SplitMix64;

/// Operators that are applied in order. What a hand does comes before what copying does: typos belong before
/// `format.html`, else they fall on its entities.
#[derive(Clone)]
pub struct Chain {
    operators: Vec<Arc<dyn Operator>>,
}

impl fmt::Debug for Chain {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Chain").field(&self.name()).finish()
    }
}

impl Chain {
    /// These operators in this order.
    ///
    /// # Errors
    /// [`NoiseError::Empty`] without operators; [`NoiseError::Twice`] where two have one name, since both would draw
    /// the same chance.
    pub fn new(operators: Vec<Arc<dyn Operator>>) -> Result<Chain, NoiseError> {
        if operators.is_empty() {
            return Err(NoiseError::Empty);
        }
        for (index, operator) in operators.iter().enumerate() {
            if operators.iter().take(index).any(|earlier| earlier.name() == operator.name()) {
                return Err(NoiseError::Twice { name: operator.name().to_owned() });
            }
        }
        Ok(Chain { operators })
    }

    /// The operators in order; never empty.
    pub fn operators(&self) -> &[Arc<dyn Operator>] {
        &self.operators
    }

    /// The operators' names, with commas.
    pub fn name(&self) -> String {
        self.operators.iter().map(|operator| operator.name()).collect::<Vec<_>>().join(",")
    }

    /// The least safe of the operators' labels.
    pub fn label_safety(&self) -> LabelSafety {
        self.operators.iter().map(|operator| operator.label_safety()).max().unwrap_or(LabelSafety::Kept)
    }

    /// The noisy form of `text`, which is the item `id`, in the run of `seed`. A dose of 0 leaves it as it is.
    ///
    /// Each operator's chance is the stream named `SEED:OPERATOR:ID`. Items with one id get the same chance.
    pub fn apply(&self, text: &str, dose: impl Into<Dose>, seed: u64, id: &str) -> String {
        let dose = dose.into();
        let mut noisy = text.to_owned();
        if dose > Dose::NONE {
            for operator in &self.operators {
                let mut random = SplitMix64::named(&format!("{seed}:{}:{id}", operator.name()));
                noisy = operator.apply(&noisy, dose, &mut random);
            }
        }
        noisy
    }

    /// The noisy form of an input: its id and its answer stay.
    pub fn perturb(&self, input: &Input, dose: impl Into<Dose>, seed: u64) -> Input {
        let text = self.apply(&input.text, dose, seed, &input.id);
        Input { text, ..input.clone() }
    }
}
