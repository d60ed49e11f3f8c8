//! The thirteen operators, one to a file, and their list. Each knows texts and chance, and no other operator.

mod case;
mod frame;
mod homoglyph;
mod html;
mod internal_swap;
mod keyboard;
mod lexicon;
mod mojibake;
mod no_punctuation;
mod pdf;
mod rich_text;
mod telegraphic;
mod truncate;

use std::sync::Arc;

pub use case::Case;
pub use frame::Frame;
pub use homoglyph::Homoglyph;
pub use html::Html;
pub use internal_swap::InternalSwap;
pub use keyboard::Keyboard;
pub use lexicon::Lexicon;
pub use mojibake::Mojibake;
pub use no_punctuation::NoPunctuation;
pub use pdf::Pdf;
pub use rich_text::RichText;
pub use telegraphic::Telegraphic;
pub use truncate::Truncate;

use super::Operator;

/// All operators, family by family.
pub(super) fn all() -> Vec<Arc<dyn Operator>> {
    vec![
        Arc::new(Keyboard),
        Arc::new(InternalSwap),
        Arc::new(Case),
        Arc::new(Lexicon),
        Arc::new(Frame),
        Arc::new(Homoglyph),
        Arc::new(Truncate),
        Arc::new(Telegraphic),
        Arc::new(NoPunctuation),
        Arc::new(Pdf),
        Arc::new(RichText),
        Arc::new(Mojibake),
        Arc::new(Html),
    ]
}
