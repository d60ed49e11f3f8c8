//! What a benchmark function can be driven by.

use std::any::Any;
use std::fmt;

use crate::declare::{Declaration, Kind, Result};
use crate::plan::Job;

/// What a child was told, handed to the function it runs.
#[derive(Debug)]
pub struct Session {
    /// The task.
    pub job: Job,
    /// The function's declaration.
    pub declaration: &'static Declaration,
}

/// The first parameter of a benchmark function: what it calls to be measured.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot drive a benchmark",
    label = "expected `Bencher`, `Serve` or a device crate's `Kernel`",
    note = "plain code takes `&mut Bencher`, a model that answers requests `&mut Serve`, a kernel `&mut Kernel<Cuda>`"
)]
pub trait Target: Sized + 'static {
    /// What it drives.
    const KIND: Kind;

    /// Made for the session before the function is called.
    ///
    /// # Errors
    /// When what it needs, such as a device, is not there.
    fn open(session: &Session) -> Result<Self>;

    /// Says what device it drives and what the device can do at most; the function is not called then. Asked of one kernel
    /// per run, before the first case.
    ///
    /// # Errors
    /// When the device cannot be measured.
    fn survey(self) -> Result<()> {
        Ok(())
    }

    /// Called after the function returned without an error.
    ///
    /// # Errors
    /// When nothing was measured, or an answer was wrong.
    fn close(self) -> Result<()>;
}

/// Runs `body` with a target made for `session`.
///
/// # Errors
/// Those of the function, of making the target, or of closing it.
pub fn enter<T: Target>(session: &mut dyn Any, body: impl FnOnce(&mut T) -> Result<()>) -> Result<()> {
    let session =
        session.downcast_ref::<Session>().ok_or("a benchmark function is called by gapbench only")?;
    let mut target = T::open(session)?;
    if session.job.survey {
        return target.survey();
    }
    body(&mut target)?;
    target.close()
}

/// The answer of a benchmark was checked and found wrong: there is no number for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrongAnswer(pub String);

impl fmt::Display for WrongAnswer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for WrongAnswer {}
