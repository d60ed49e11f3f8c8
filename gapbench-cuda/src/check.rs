//! Whether an output is what it should be.

use std::fmt::{self, Display};

use gapbench::Result;
use gapbench::measure::WrongAnswer;

/// What a check of an output may return: `bool`, or a `Result` whose error says what is wrong.
pub trait Answer {
    /// The finding: a sentence for the report, or none.
    ///
    /// # Errors
    /// [`WrongAnswer`], or the error of a check that could not be made.
    fn judge(self) -> Result<Option<String>>;
}

impl Answer for bool {
    fn judge(self) -> Result<Option<String>> {
        if self { Ok(None) } else { Err(WrongAnswer("the check of the output failed".to_owned()).into()) }
    }
}

impl<T: Finding, E: Into<gapbench::Error>> Answer for std::result::Result<T, E> {
    fn judge(self) -> Result<Option<String>> {
        self.map_err(Into::into)?.sentence()
    }
}

/// What a check that could be made may say.
pub trait Finding {
    /// For the report.
    ///
    /// # Errors
    /// [`WrongAnswer`] where it found one.
    fn sentence(self) -> Result<Option<String>>;
}

impl Finding for bool {
    fn sentence(self) -> Result<Option<String>> {
        self.judge()
    }
}

impl Finding for () {
    fn sentence(self) -> Result<Option<String>> {
        Ok(None)
    }
}

impl Finding for Closeness {
    fn sentence(self) -> Result<Option<String>> {
        Ok(Some(self.to_string()))
    }
}

/// How close an output is to what it should be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Closeness {
    /// How many values were compared.
    pub values: usize,
    /// The worst of them: its distance as a share of the tolerance, at most 1.
    pub worst: f64,
}

impl Display for Closeness {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Closeness { values, worst } = self;
        write!(
            formatter,
            "{values} values of the output agree with the reference, the worst within {worst:.2} of its tolerance"
        )
    }
}

/// Holds an output against what it should be: every value within `absolute + relative * |expected|`.
///
/// ```
/// # fn main() -> gapbench::Result<()> {
/// gapbench_cuda::close(&[1.0, 2.0], &[1.0_f32, 2.000_001], 0.0, 1e-5)?;
/// let wrong = gapbench_cuda::close(&[1.0, 2.0], &[1.0_f32, 2.1], 0.0, 1e-5).unwrap_err();
/// assert_eq!(
///     wrong.to_string(),
///     "1 of 2 values differ from the reference; the worst is value 1: expected 2, got 2.1, 5000 times the tolerance"
/// );
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`WrongAnswer`]: how many values differ, and the worst of them; or that there are not as many. A value that is no
/// number is the worst there is, unless one was expected there.
pub fn close<T>(
    expected: &[f64],
    actual: &[T],
    absolute: f64,
    relative: f64,
) -> std::result::Result<Closeness, WrongAnswer>
where
    T: Copy + Into<f64> + Display,
{
    if expected.len() != actual.len() {
        return Err(WrongAnswer(format!(
            "the output has {} values, the reference {}",
            actual.len(),
            expected.len()
        )));
    }
    // How far a value is from the expected one, in tolerances.
    let off = |expected: f64, actual: f64| {
        if expected == actual || (expected.is_nan() && actual.is_nan()) {
            return 0.0;
        }
        let share = (actual - expected).abs() / (absolute + relative * expected.abs());
        if share.is_nan() { f64::INFINITY } else { share }
    };
    let shares = expected.iter().zip(actual).map(|(expected, actual)| off(*expected, (*actual).into()));
    let mut differing = 0_usize;
    let mut worst = (0, 0.0);
    for (at, share) in shares.enumerate() {
        differing += usize::from(share > 1.0);
        if share > worst.1 {
            worst = (at, share);
        }
    }
    let (at, share) = worst;
    match (differing, expected.get(at), actual.get(at)) {
        (1.., Some(expected), Some(got)) => {
            let times = if share.is_finite() { format!("{share:.0} times") } else { "far beyond".to_owned() };
            Err(WrongAnswer(format!(
                "{differing} of {} values differ from the reference; the worst is value {at}: expected {expected}, got \
                 {got}, {times} the tolerance",
                actual.len()
            )))
        }
        _ => Ok(Closeness { values: actual.len(), worst: share }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_is_wrong_unless_it_was_expected() {
        assert!(close(&[1.0], &[f32::NAN], 1.0, 1.0).unwrap_err().0.contains("got NaN, far beyond"));
        assert!(close(&[f64::NAN], &[f32::NAN], 0.0, 0.0).is_ok());
        assert!(close(&[f64::INFINITY], &[f32::INFINITY], 0.0, 0.0).is_ok());
        assert!(close(&[f64::INFINITY], &[1.0_f32], 0.0, 1e-3).is_err());
        assert!(
            close(&[1.0, 2.0], &[1.0_f32], 0.0, 0.0).unwrap_err().0.contains("1 values, the reference 2")
        );
    }

    #[test]
    fn the_worst_of_several_is_named() {
        let wrong = close(&[1.0, 1.0, 1.0], &[1.1_f32, 1.5, 1.0], 0.01, 0.0).unwrap_err();
        assert!(
            wrong.0.starts_with("2 of 3 values differ from the reference; the worst is value 1"),
            "{wrong}"
        );
    }

    #[test]
    fn a_check_may_answer_in_several_ways() {
        assert_eq!(true.judge().unwrap(), None);
        assert!(Ok::<_, gapbench::Error>(false).judge().unwrap_err().is::<WrongAnswer>());
        let found = close(&[1.0, 2.0], &[1.25_f32, 2.0], 0.5, 0.0).judge().unwrap();
        assert_eq!(
            found.as_deref(),
            Some("2 values of the output agree with the reference, the worst within 0.50 of its tolerance")
        );
        assert!(false.judge().unwrap_err().is::<WrongAnswer>());
        assert!(close(&[1.0], &[2.0_f32], 0.0, 0.0).judge().unwrap_err().is::<WrongAnswer>());
    }
}
