//! The size that a model's page states, against its files and against what was measured.
//!
//! Takes plain numbers and measures nothing. A comparison that lacks a number is listed with the reason and never guessed.

use serde::Serialize;

use super::lines::whole;
use super::{FootprintError, Largest};

/// Headers may come to so many times the stated size: a little more than most rounding takes.
///
/// # Source
/// A choice of ours: `docs/METHODOLOGY.md`, "Memory plan".
pub const STATED_RATIO: f64 = 1.02;
/// The measured peak may be so many times the stated size.
///
/// # Source
/// The rule of thumb that inference takes 20 % on top of the weights: `docs/METHODOLOGY.md`, "Memory plan".
pub const MEASURED_RATIO: f64 = 1.2;
/// Memory under load may be so many times that of the idle model.
///
/// # Source
/// A choice of ours: `docs/METHODOLOGY.md`, "Memory plan".
pub const IDLE_RATIO: f64 = 1.1;

/// What is known of a model's size, in bytes. What is not known is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// What its page states.
    pub stated: Option<u64>,
    /// What the headers of its weights come to.
    pub header: Option<u64>,
    /// The highest that was measured.
    pub measured_peak: Option<u64>,
    /// Measured after loading, before the first request.
    pub idle: Option<u64>,
    /// The highest that was measured under load.
    pub under_load: Option<u64>,
    /// Clients that are to be served at once.
    pub clients: Option<u64>,
    /// The most that fit.
    pub fitting: Option<Largest>,
}

/// Which two numbers are held against each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckKind {
    /// Headers against the stated size.
    HeaderAgainstStated,
    /// The measured peak against the stated size.
    MeasuredAgainstStated,
    /// Under load against idle.
    LoadAgainstIdle,
    /// The declared clients against those that fit.
    ClientsAgainstMemory,
}

/// A comparison that was made.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Check {
    /// Which.
    pub kind: CheckKind,
    /// Whether it is worth a warning.
    pub flagged: bool,
    /// The first number over the second; absent where the second is 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ratio: Option<f64>,
    /// A sentence.
    pub text: String,
}

/// All comparisons.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Checks {
    /// Those that were made.
    pub made: Vec<Check>,
    /// Those that lack a number, and which.
    pub not_made: Vec<(CheckKind, String)>,
}

impl Checks {
    /// The comparisons that are worth a warning.
    pub fn flags(&self) -> impl Iterator<Item = &Check> {
        self.made.iter().filter(|check| check.flagged)
    }
}

/// Holds the sizes against each other.
///
/// # Errors
/// [`FootprintError::Demand`] for a size of 0, which nothing has.
pub fn check(sizes: &Sizes) -> Result<Checks, FootprintError> {
    let given = [
        ("stated size", sizes.stated),
        ("header size", sizes.header),
        ("measured peak", sizes.measured_peak),
        ("idle memory", sizes.idle),
        ("memory under load", sizes.under_load),
        ("clients", sizes.clients),
    ];
    if let Some((name, _)) = given.iter().find(|(_, size)| *size == Some(0)) {
        let expected = "a number above 0, or none where it is not known".to_owned();
        return Err(FootprintError::Demand { name, found: "0".to_owned(), expected });
    }
    let mut checks = Checks::default();
    let stated = ("the stated size", sizes.stated);
    checks.compare(
        CheckKind::HeaderAgainstStated,
        ("the size of the weights in the headers", sizes.header),
        stated,
        STATED_RATIO,
        "the weights alone need more than the page says, so plan with the headers",
    );
    checks.compare(
        CheckKind::MeasuredAgainstStated,
        ("the measured peak", sizes.measured_peak),
        stated,
        MEASURED_RATIO,
        "the page leaves out what serving needs, so plan with the measured peak",
    );
    checks.compare(
        CheckKind::LoadAgainstIdle,
        ("the memory under load", sizes.under_load),
        ("the idle memory", sizes.idle),
        IDLE_RATIO,
        "a machine that was sized by the idle model runs out under load",
    );
    checks.clients(sizes);
    Ok(checks)
}

impl Checks {
    fn compare(
        &mut self,
        kind: CheckKind,
        (name, size): (&str, Option<u64>),
        (base_name, base): (&str, Option<u64>),
        most: f64,
        consequence: &str,
    ) {
        let (size, base) = match (size, base) {
            (Some(size), Some(base)) => (size, base),
            (None, _) => return self.not_made.push((kind, format!("{name} is not known"))),
            (_, None) => return self.not_made.push((kind, format!("{base_name} is not known"))),
        };
        let ratio = size as f64 / base as f64;
        let flagged = ratio > most;
        let end = if flagged {
            format!("more than {most}: {consequence}")
        } else {
            format!("not more than {most}")
        };
        let text =
            format!("{name}, {} B, is {ratio:.3} times {base_name}, {} B, {end}", whole(size), whole(base));
        self.made.push(Check { kind, flagged, ratio: Some(ratio), text });
    }

    fn clients(&mut self, sizes: &Sizes) {
        let kind = CheckKind::ClientsAgainstMemory;
        let (clients, fitting) = match (sizes.clients, sizes.fitting) {
            (Some(clients), Some(fitting)) => (clients, fitting),
            (None, _) => return self.not_made.push((kind, "the number of clients is not known".to_owned())),
            (_, None) => return self.not_made.push((kind, "the size of the memory is not known".to_owned())),
        };
        let Some(most) = fitting.bound() else {
            let text = format!("{} clients fit: nothing grows with their number", whole(clients));
            return self.made.push(Check { kind, flagged: false, ratio: None, text });
        };
        let flagged = clients > most;
        let ratio = (most > 0).then(|| clients as f64 / most as f64);
        let text = if flagged {
            let least =
                if most == 0 { "none fits".to_owned() } else { format!("at most {} fit", whole(most)) };
            format!(
                "{} clients are declared, but {least}: lower the number or the length, or take a smaller number format",
                whole(clients)
            )
        } else {
            format!("{} clients are declared, and up to {} fit", whole(clients), whole(most))
        };
        self.made.push(Check { kind, flagged, ratio, text });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flagged(sizes: Sizes) -> Vec<CheckKind> {
        check(&sizes).unwrap().flags().map(|check| check.kind).collect()
    }

    #[test]
    fn lines_are_crossed_above_and_not_at_them() {
        let at = Sizes {
            stated: Some(1000),
            header: Some(1020),
            measured_peak: Some(1200),
            idle: Some(1000),
            under_load: Some(1100),
            clients: Some(50),
            fitting: Some(Largest::Memory(50)),
        };
        assert_eq!(flagged(at), []);
        let above = Sizes {
            header: Some(1021),
            measured_peak: Some(1201),
            under_load: Some(1101),
            clients: Some(51),
            ..at
        };
        assert_eq!(
            flagged(above),
            [
                CheckKind::HeaderAgainstStated,
                CheckKind::MeasuredAgainstStated,
                CheckKind::LoadAgainstIdle,
                CheckKind::ClientsAgainstMemory
            ]
        );
        assert_eq!(flagged(Sizes { fitting: Some(Largest::Unbounded), ..at }), []);
        let none = Largest::Nothing { missing_bytes: Some(1) };
        assert_eq!(flagged(Sizes { fitting: Some(none), ..at }), [CheckKind::ClientsAgainstMemory]);
    }

    #[test]
    fn what_is_not_known_is_absent_with_a_reason() {
        let checks = check(&Sizes { header: Some(5), ..Sizes::default() }).unwrap();
        assert_eq!(checks.made, []);
        let reasons: Vec<&str> = checks.not_made.iter().map(|(_, reason)| reason.as_str()).collect();
        assert_eq!(
            reasons,
            [
                "the stated size is not known",
                "the measured peak is not known",
                "the memory under load is not known",
                "the number of clients is not known"
            ]
        );
        let zero = check(&Sizes { stated: Some(0), ..Sizes::default() }).unwrap_err().to_string();
        assert_eq!(
            zero,
            "plan the memory: stated size is 0; expected a number above 0, or none where it is not known"
        );
    }
}
