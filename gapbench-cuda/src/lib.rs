//! CUDA for [gapbench](https://docs.rs/gapbench): for now, the door.
//!
//! [`Cuda::find`] is the only way to a device. This version looks for a driver and says what it found; it cannot drive
//! one yet, so it never returns a device, and a benchmark that asks for one is skipped with the reason:
//!
//! ```
//! use gapbench::prelude::*;
//! use gapbench_cuda::Cuda;
//!
//! #[gap_bench]
//! fn softmax(bench: &mut Bencher) -> Result<()> {
//!     let cuda = Cuda::find()?; // skipped here without a driver; `--require-device cuda` makes that a failure
//!     match cuda {}
//! }
//! # gapbench::main!();
//! ```
//!
//! Nothing links against CUDA: a bench binary builds and starts on a machine without it.

mod absent;

pub use absent::{Absent, Reason};

/// A CUDA device. This version cannot drive one, so there is no value of this type.
#[derive(Clone, Copy, Debug)]
pub enum Cuda {}

impl Cuda {
    /// Looks for a CUDA driver.
    ///
    /// # Errors
    /// [`Absent`], which says what was looked for and where. Returned from a benchmark function with `?`, it skips the
    /// case.
    pub fn find() -> Result<Cuda, Absent> {
        Err(Absent::look(std::env::var_os("LD_LIBRARY_PATH")))
    }
}
