//! **gapbench** measures how far a model or a kernel in production is from the numbers its paper declared.
//!
//! A benchmark is an annotated function. The attribute names the claims, `cargo bench` runs the function in a fresh
//! process, and every declared number gets a verdict with a reason: *fail, gap, unclear, within, on par, ahead* or
//! *not comparable*.
//!
//! # A first benchmark
//!
//! `Cargo.toml`:
//! ```toml
//! [dev-dependencies]
//! gapbench = "0.1"
//!
//! [[bench]]
//! name = "paper"
//! harness = false
//!
//! [lib]
//! bench = false   # else libtest receives gapbench's options and stops
//! ```
//!
//! `benches/paper.rs`:
//! ```
//! use gapbench::prelude::*;
//!
//! #[gap_bench(size = [1_000, 100_000])]
//! fn sort(bench: &mut Bencher, size: u64) {
//!     let shuffled: Vec<u64> = (0..size).map(|i| i.wrapping_mul(0x9E37_79B9_7F4A_7C15)).collect();
//!     bench.elements(size).iter_checked(
//!         || {
//!             let mut values = shuffled.clone();
//!             values.sort_unstable();
//!             values
//!         },
//!         |sorted| sorted.is_sorted(),
//!     );
//! }
//!
//! gapbench::main!();
//! ```
//!
//! A model that answers requests takes `&mut` [`Serve`](measure::Serve) instead, loads itself in named phases and hands
//! over one closure; see `examples/intent-classifier` of the repository for a whole one.
//!
//! # Claims
//!
//! `#[gap_bench(paper = "papers/model.toml#accuracy")]` names a result in a claims file. The file is embedded in the
//! binary and checked strictly before anything runs; `cargo gapbench check-claims FILE` checks it alone. Its format is
//! described in [`declare`].
//!
//! # Stages
//!
//! Data flows one way: [`declare`] → [`plan`] → [`run`] (whose children [`measure`]) → [`judge`] → [`report`]. Each
//! stage is a value that can be printed, and [`cli`] is the only module that knows them all.
//!
//! # Features
//!
//! - `criterion-report` (default): replays recorded times into criterion, whose HTML and baselines appear under
//!   `target/criterion`. No verdict depends on it; without it criterion is not built.
//! - `service`: what only a served model needs: `load` and `measure::load`, and `footprint`, the memory plan of its files.

pub mod cli;
pub mod declare;
#[cfg(feature = "service")]
pub mod footprint;
pub mod input;
pub mod judge;
#[cfg(feature = "service")]
pub mod load;
pub mod measure;
pub mod plan;
pub mod record;
pub mod report;
pub mod run;
pub mod stats;
pub mod units;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;

pub use declare::{Error, Result, Skip};
pub use gapbench_macros::gap_bench;

/// What a bench file needs: `use gapbench::prelude::*;`.
pub mod prelude {
    pub use crate::declare::{Result, Skip};
    pub use crate::gap_bench;
    pub use crate::input::Input;
    pub use crate::measure::{Bencher, Serve};
    pub use crate::record::Condition;
}

/// Defines the `main` of a bench target whose benchmarks are annotated with [`gap_bench`].
///
/// ```
/// gapbench::main!();
/// ```
#[macro_export]
macro_rules! main {
    () => {
        fn main() -> ::std::process::ExitCode {
            $crate::__private::main($crate::__private::Binary {
                package: ::core::env!("CARGO_PKG_NAME"),
                bench: ::core::env!("CARGO_CRATE_NAME"),
                manifest_dir: ::core::env!("CARGO_MANIFEST_DIR"),
                debug: ::core::cfg!(debug_assertions),
            })
        }
    };
}
