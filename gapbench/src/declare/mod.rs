//! What authors declare: benchmarks (constants built by the macro) and the numbers that papers claim.
//!
//! Knows nothing of how anything is run, judged or shown.

mod claim;
mod declaration;
mod paper_toml;
mod registry;

pub use claim::{
    Declared, Gate, Paper, PaperClaim, Policy, Precision, Scale, Source, Spread, SpreadKind, Wording,
};
pub use declaration::{Axis, Declaration, Error, Kind, Load, Options, PaperRef, Result, Skip};
pub use paper_toml::{ClaimError, ClaimErrors, MAX_BYTES, PaperFile, Price, PriceError, PriceUnit, parse};
pub use registry::{Declarations, DeclareError, Registered, collect, registered};
