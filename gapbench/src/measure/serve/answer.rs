//! What a request closure may return, and the errors that count apart.

use std::fmt;

use crate::declare::Error;

/// An answer, and how many tokens it has where they are counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answered {
    /// The text that is graded.
    pub text: String,
    /// Tokens; 0 where nobody counts them. Those of a stream are the ones it emitted.
    pub tokens: u32,
}

/// What a request closure may return: text, text and its number of tokens, or a result with either. An error is a failed
/// request, not a fast one; [`Refused`] and [`TimedOut`] count apart.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no answer",
    note = "a request closure returns text (`String`, `&'static str`), text with its number of tokens (`(String, u32)`), \
            or a `Result` of either"
)]
pub trait IntoAnswer {
    /// The answer, or why there is none.
    ///
    /// # Errors
    /// The request's own.
    fn into_answer(self) -> Result<Answered, Error>;
}

impl IntoAnswer for Answered {
    fn into_answer(self) -> Result<Answered, Error> {
        Ok(self)
    }
}

impl IntoAnswer for String {
    fn into_answer(self) -> Result<Answered, Error> {
        Ok(Answered { text: self, tokens: 0 })
    }
}

impl IntoAnswer for &'static str {
    fn into_answer(self) -> Result<Answered, Error> {
        Ok(Answered { text: self.to_owned(), tokens: 0 })
    }
}

impl IntoAnswer for (String, u32) {
    fn into_answer(self) -> Result<Answered, Error> {
        Ok(Answered { text: self.0, tokens: self.1 })
    }
}

impl<A: IntoAnswer, E: Into<Error>> IntoAnswer for Result<A, E> {
    fn into_answer(self) -> Result<Answered, Error> {
        self.map_err(Into::into).and_then(IntoAnswer::into_answer)
    }
}

/// The service turned the request away, as one that sheds load does: return it as the error of a request. A fast refusal
/// is not a fast answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Refused;

impl fmt::Display for Refused {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("refused")
    }
}

impl std::error::Error for Refused {}

/// The service itself gave up waiting: return it as the error of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TimedOut;

impl fmt::Display for TimedOut {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("timed out")
    }
}

impl std::error::Error for TimedOut {}
