//! One run's part of each report, as text in the run's own folder: what another target wrote is pasted, not read.

use std::fs;
use std::io;
use std::path::Path;

use super::results::TargetResults;
use super::{html, markdown};
use crate::record::{WriteError, write_atomically};

/// Of one run, or of several in the order of [`Sections::read`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sections {
    /// For [`html::page`].
    pub html: Vec<String>,
    /// For [`html::verdict_page`].
    pub verdicts: Vec<String>,
    /// For [`markdown::page`].
    pub markdown: Vec<String>,
}

const HTML: &str = "section.html";
const VERDICTS: &str = "verdicts.html";
const MARKDOWN: &str = "section.md";

impl Sections {
    /// Of one target's run.
    pub fn of(target: &TargetResults) -> Sections {
        Sections {
            html: vec![html::section(target)],
            verdicts: vec![html::verdict_section(target)],
            markdown: vec![markdown::section(target)],
        }
    }

    /// Puts them into the folder of their run.
    ///
    /// # Errors
    /// The file system refused.
    pub fn write(&self, folder: &Path) -> Result<(), WriteError> {
        for (name, parts) in [(HTML, &self.html), (VERDICTS, &self.verdicts), (MARKDOWN, &self.markdown)] {
            write_atomically(&folder.join(name), parts.concat().as_bytes())?;
        }
        Ok(())
    }

    /// Adds those of another run's folder.
    ///
    /// # Errors
    /// The file system refused, or the run is gone. Nothing was added then.
    pub fn read(&mut self, folder: &Path) -> io::Result<()> {
        let part = |name: &str| fs::read_to_string(folder.join(name));
        let (html, verdicts, markdown) = (part(HTML)?, part(VERDICTS)?, part(MARKDOWN)?);
        self.html.push(html);
        self.verdicts.push(verdicts);
        self.markdown.push(markdown);
        Ok(())
    }
}
