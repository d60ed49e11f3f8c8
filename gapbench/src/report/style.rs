//! The few colours of a terminal report. Off unless asked for.

use anstyle::{AnsiColor, Style};

use crate::judge::{Change, Verdict};

/// Paints words, or leaves them as they are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paint {
    /// Whether to use colour.
    pub(crate) color: bool,
}

impl Paint {
    /// `text` in the colour of a verdict.
    pub(crate) fn verdict(self, verdict: Verdict, text: &str) -> String {
        self.apply(
            match verdict {
                Verdict::Fail => AnsiColor::Red.on_default().bold(),
                Verdict::Gap => AnsiColor::Yellow.on_default().bold(),
                Verdict::Unclear => AnsiColor::Magenta.on_default(),
                Verdict::Within | Verdict::OnPar => AnsiColor::Green.on_default(),
                Verdict::Ahead => AnsiColor::Cyan.on_default(),
                Verdict::NotComparable | Verdict::NotMeasured => Style::new().dimmed(),
            },
            text,
        )
    }

    /// `text` in the colour of a change.
    pub(crate) fn change(self, change: Change, text: &str) -> String {
        self.apply(
            match change {
                Change::Slower => AnsiColor::Red.on_default(),
                Change::Faster => AnsiColor::Green.on_default(),
                Change::Ambiguous => AnsiColor::Magenta.on_default(),
                Change::Same | Change::NotComparable | Change::New => Style::new().dimmed(),
            },
            text,
        )
    }

    /// `text` as a heading.
    pub(crate) fn heading(self, text: &str) -> String {
        self.apply(Style::new().bold(), text)
    }

    /// `text` that steps back.
    pub(crate) fn quiet(self, text: &str) -> String {
        self.apply(Style::new().dimmed(), text)
    }

    /// `text` that says what went wrong.
    pub(crate) fn failure(self, text: &str) -> String {
        self.apply(AnsiColor::Red.on_default().bold(), text)
    }

    fn apply(self, style: Style, text: &str) -> String {
        if self.color { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}
