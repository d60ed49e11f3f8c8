//! `format.html`. Leaves the entities of HTML source in the text.

use crate::input::perturb::{Dose, Family, LabelSafety, Operator};
use crate::stats::SplitMix64;

/// The source of a web page in place of its text: entities for `& < > " '`, and `&nbsp;` for a space with the dose as
/// its chance.
///
/// Its `&nbsp;` glues words together, which costs a model far more than the other operators do. Show it by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Html;

impl Operator for Html {
    fn name(&self) -> &str {
        "format.html"
    }

    fn family(&self) -> Family {
        Family::CopyPaste
    }

    fn label_safety(&self) -> LabelSafety {
        LabelSafety::Kept
    }

    fn summary(&self) -> &str {
        "Leaves the entities of HTML source in the text."
    }

    fn apply(&self, text: &str, dose: Dose, random: &mut SplitMix64) -> String {
        let mut source = String::with_capacity(text.len() + text.len() / 4);
        let mut done = 0;
        for (at, mark) in text.match_indices(['&', '<', '>', '"', '\'', ' ']) {
            let entity = match mark {
                "&" => "&amp;",
                "<" => "&lt;",
                ">" => "&gt;",
                "\"" => "&quot;",
                "'" => "&#39;",
                _ if random.next_f64() < dose.share() => "&nbsp;",
                _ => continue,
            };
            source.push_str(text.get(done..at).unwrap_or_default());
            source.push_str(entity);
            done = at + mark.len();
        }
        source.push_str(text.get(done..).unwrap_or_default());
        source
    }
}
