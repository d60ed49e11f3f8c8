//! Noise on inputs: what production text has and a paper's test set has not, drawn from a seed, with labels kept or
//! flagged.
//!
//! Knows no model, no tokenizer and no terminal. The noise of an item depends on the run's seed, the operator's name
//! and the item's id, so neither the order of a set nor the number of threads changes it.
//!
//! ```
//! use gapbench::input::perturb::{Registry, Severity};
//!
//! let chain = Registry::standard().chain("typo.keyboard,format.mojibake")?;
//! let noisy = chain.apply("my card doesn't work at the cash machine", Severity::Medium, 42, "17");
//! assert_ne!(noisy, "my card doesn't work at the cash machine");
//! assert_eq!(noisy, chain.apply("my card doesn't work at the cash machine", Severity::Medium, 42, "17"));
//! # Ok::<(), gapbench::input::perturb::NoiseError>(())
//! ```

mod chain;
mod operator;
mod operators;
mod pick;
mod registry;
mod severity;
mod statistics;
mod stream;
mod typographic;
mod word;

pub use chain::Chain;
pub use operator::{Family, LabelSafety, Operator};
pub use operators::{
    Case, Frame, Homoglyph, Html, InternalSwap, Keyboard, Lexicon, Mojibake, NoPunctuation, Pdf, RichText,
    Telegraphic, Truncate,
};
pub use pick::{choose, edit_words};
pub use registry::{NoiseError, Registry};
pub use severity::{Dose, DoseError, Severity};
pub use statistics::{Statistics, Tokens, measure};
pub use stream::{Items, stream};
pub use typographic::typographic;
pub use word::{is_editable, is_protected, negates, words};
