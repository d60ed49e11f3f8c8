//! How much noise: three named severities, and the dose they stand for. Knows nothing of texts.

use std::fmt;

/// How much noise, in words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Severity {
    /// One word in twenty.
    Light,
    /// One word in ten.
    #[default]
    Medium,
    /// One word in four.
    Heavy,
}

impl Severity {
    /// All, in rising order.
    pub const ALL: &'static [Severity] = &[Severity::Light, Severity::Medium, Severity::Heavy];

    /// The word that names it.
    pub const fn name(self) -> &'static str {
        match self {
            Severity::Light => "light",
            Severity::Medium => "medium",
            Severity::Heavy => "heavy",
        }
    }

    /// The dose: 0.05, 0.10 or 0.25.
    ///
    /// # Source
    /// Own choice: four families chained lose about as much accuracy at 0.10 and at 0.25 as published studies of
    /// natural noise report together. See METHODOLOGY, "Noise".
    pub const fn dose(self) -> Dose {
        Dose(match self {
            Severity::Light => 0.05,
            Severity::Medium => 0.10,
            Severity::Heavy => 0.25,
        })
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// The share of a text's eligible words that is changed, in 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Dose(f64);

/// A share outside 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DoseError {
    /// What was given.
    pub found: f64,
}

impl fmt::Display for DoseError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "take {} for a dose of noise; expected a share from 0 to 1; write 0.1 for one word in ten",
            self.found
        )
    }
}

impl std::error::Error for DoseError {}

impl Dose {
    /// No noise: every chain leaves every text as it is.
    pub const NONE: Dose = Dose(0.0);

    /// A dose of this share.
    ///
    /// # Errors
    /// [`DoseError`] where the share is not a number from 0 to 1.
    pub fn new(share: f64) -> Result<Dose, DoseError> {
        if (0.0..=1.0).contains(&share) { Ok(Dose(share)) } else { Err(DoseError { found: share }) }
    }

    /// The share, in 0 to 1.
    pub const fn share(self) -> f64 {
        self.0
    }

    /// How many of `eligible` words it changes: the rounded share, and at least one where there is one. So a text of
    /// ten words and one of a hundred get the same share, and a short text is not spared by chance.
    pub fn of(self, eligible: usize) -> usize {
        if self.0 <= 0.0 {
            return 0;
        }
        let rounded = (self.0 * eligible as f64 + 0.5) as usize;
        rounded.max(1).min(eligible)
    }

    /// A chance of `factor` times the share, at most 1.
    pub(super) fn times(self, factor: f64) -> f64 {
        (self.0 * factor).min(1.0)
    }
}

impl From<Severity> for Dose {
    fn from(severity: Severity) -> Dose {
        severity.dose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dose_is_a_count() {
        let dose = |share: f64| Dose::new(share).unwrap();
        assert_eq!(dose(0.1).of(0), 0);
        assert_eq!(dose(0.1).of(3), 1, "at least one");
        assert_eq!(dose(0.1).of(14), 1);
        assert_eq!(dose(0.1).of(15), 2, "halves round up");
        assert_eq!(dose(1.0).of(7), 7);
        assert_eq!(Dose::NONE.of(7), 0);
    }

    #[test]
    fn what_is_no_share_is_refused() {
        for share in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
            assert!(Dose::new(share).is_err(), "{share}");
        }
        assert_eq!(
            Dose::new(10.0).unwrap_err().to_string(),
            "take 10 for a dose of noise; expected a share from 0 to 1; write 0.1 for one word in ten"
        );
    }
}
