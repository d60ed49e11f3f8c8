//! The report on the terminal: the verdicts first, then where the gap is, then every number.

use std::fmt::{self, Write};

use crate::judge::Change;

use super::columns::lay_out;
use super::plain::{cut, pad, width, wrap};
use super::results::TargetResults;
use super::style::Paint;
use super::view::{CaseView, ClaimView, SkippedView, TableView, TargetView};

/// How to show it.
#[derive(Clone, Debug)]
pub struct TextOptions {
    /// Whether to use colour.
    pub color: bool,
    /// Columns of the terminal; at least 80 are used.
    pub width: usize,
    /// What was written and where, as `results` and `target/gapbench/results.json`.
    pub files: Vec<(String, String)>,
}

impl Default for TextOptions {
    /// No colour, 100 columns, no files.
    fn default() -> Self {
        TextOptions { color: false, width: 100, files: Vec::new() }
    }
}

/// Writes the report of one bench target.
///
/// # Errors
/// Only those of `out`.
pub fn render(out: &mut dyn Write, target: &TargetResults, options: &TextOptions) -> fmt::Result {
    let view = TargetView::new(target);
    let page = Page { paint: Paint { color: options.color }, columns: options.width.max(80) };
    writeln!(out)?;
    page.verdicts(out, &view)?;
    page.ladders(out, &view)?;
    page.numbers(out, &view)?;
    page.changes(out, &view)?;
    page.failures(out, &view)?;
    page.skips(out, &view)?;
    page.summary(out, &view, &options.files)
}

struct Page {
    paint: Paint,
    columns: usize,
}

impl Page {
    fn heading(&self, out: &mut dyn Write, text: &str) -> fmt::Result {
        writeln!(out, "{}", self.paint.heading(text))
    }

    /// `text` wrapped, each line behind `indent` spaces.
    fn paragraph(&self, out: &mut dyn Write, indent: usize, text: &str) -> fmt::Result {
        for line in wrap(text, self.columns.saturating_sub(indent)) {
            writeln!(out, "{}{line}", " ".repeat(indent))?;
        }
        Ok(())
    }

    /// `label` and then `text`, wrapped with a hanging indent.
    fn labelled(&self, out: &mut dyn Write, indent: usize, label: &str, text: &str) -> fmt::Result {
        let hanging = (indent + width(label) + 2).min(self.columns / 2);
        let mut lines = wrap(text, self.columns.saturating_sub(hanging)).into_iter();
        let front = format!("{}{label}", " ".repeat(indent));
        match lines.next() {
            // A label that is too long stands alone.
            Some(first) if width(&front) + 2 <= hanging => writeln!(out, "{}{first}", pad(&front, hanging))?,
            Some(first) => {
                for piece in cut(&front, self.columns) {
                    writeln!(out, "{piece}")?;
                }
                writeln!(out, "{}{first}", " ".repeat(hanging))?;
            }
            None => writeln!(out, "{front}")?,
        }
        lines.try_for_each(|line| writeln!(out, "{}{line}", " ".repeat(hanging)))
    }

    fn verdicts(&self, out: &mut dyn Write, view: &TargetView) -> fmt::Result {
        self.heading(out, &format!("{}: does what the paper says hold here?", view.name))?;
        writeln!(out)?;
        if view.claims.is_empty() {
            return writeln!(out, "  No claim was declared. The numbers below stand for themselves.\n");
        }
        let (header, rows) = self.claim_rows(&view.claims);
        for line in header {
            writeln!(out, "  {}", self.paint.quiet(line.trim_end()))?;
        }
        for (claim, lines) in view.claims.iter().zip(rows) {
            for (index, line) in lines.iter().enumerate() {
                let line = line.trim_end();
                match line.strip_prefix(claim.verdict) {
                    Some(rest) if index == 0 => {
                        writeln!(out, "  {}{rest}", self.paint.verdict(claim.kind, claim.verdict))?;
                    }
                    _ => writeln!(out, "  {line}")?,
                }
            }
            self.reason(out, claim)?;
        }
        writeln!(out)
    }

    /// The table, laid out: the header's lines, and for each claim its lines.
    fn claim_rows(&self, claims: &[ClaimView]) -> (Vec<String>, Vec<Vec<String>>) {
        let header = ["verdict", "claim", "ours", "paper", "ratio", "where"].map(str::to_owned);
        let mut rows = vec![header];
        for claim in claims {
            let repeated = claims.iter().filter(|other| other.id == claim.id).count() > 1;
            // One claim may be held against several cases: then what differs in their names tells the rows apart.
            let case = claim.case.rsplit("::").next().unwrap_or_default();
            let name = if repeated { format!("{} {case}", claim.id) } else { claim.id.clone() };
            let ours = if claim.ours.is_empty() { "-" } else { &claim.ours };
            let cells = [claim.verdict, &name, ours, &claim.paper, &claim.ratio, &claim.loss];
            rows.push(cells.map(str::to_owned));
        }
        let floors = [None, Some(14), Some(12), Some(10), None, Some(8)];
        let mut blocks = lay_out(&rows, floors, self.columns - 2);
        let header = blocks.remove(0);
        (header, blocks)
    }

    fn reason(&self, out: &mut dyn Write, claim: &ClaimView) -> fmt::Result {
        if claim.class == "good" {
            return Ok(());
        }
        self.paragraph(out, 6, &claim.reason)?;
        for difference in &claim.differing {
            self.paragraph(out, 6, difference)?;
        }
        if !claim.unknown.is_empty() {
            self.paragraph(out, 6, &format!("unknown: {}", claim.unknown.join(", ")))?;
        }
        if claim.gated {
            self.paragraph(out, 6, "stops `cargo gapbench check`")?;
        }
        Ok(())
    }

    fn ladders(&self, out: &mut dyn Write, view: &TargetView) -> fmt::Result {
        // A claim without any number of ours has no way to show; its reason is above.
        let walked: Vec<_> = view.claims.iter().filter(|claim| claim.ladder.steps.len() > 1).collect();
        if walked.is_empty() {
            return Ok(());
        }
        self.heading(out, "Gap ladder: from the paper to here, one change per step")?;
        writeln!(out)?;
        let label = walked.iter().map(|claim| width(&claim.id)).max().unwrap_or(0).min(22);
        let indent = 2 + label + 2;
        for claim in walked {
            let way = claim.ladder.steps.join("  ->  ");
            let mut front = format!("  {}", pad(&claim.id, label + 2));
            if width(&front) > indent {
                for piece in cut(front.trim_end(), self.columns) {
                    writeln!(out, "{piece}")?;
                }
                front = " ".repeat(indent);
            }
            let gap = self.paint.quiet(&claim.ladder.gap);
            let room = self.columns.saturating_sub(indent);
            if width(&way) + 6 + width(&claim.ladder.gap) <= room {
                writeln!(out, "{front}{}", format!("{way}      {gap}").trim_end())?;
            } else {
                let mut lines = wrap_steps(&claim.ladder.steps, room).into_iter();
                writeln!(out, "{front}{}", lines.next().unwrap_or_default())?;
                lines.try_for_each(|line| writeln!(out, "{}{line}", " ".repeat(indent)))?;
                writeln!(out, "{}{gap}", " ".repeat(indent))?;
            }
            for absent in &claim.ladder.absent {
                self.paragraph(out, indent, absent)?;
            }
        }
        writeln!(out)
    }

    fn numbers(&self, out: &mut dyn Write, view: &TargetView) -> fmt::Result {
        let cases: Vec<_> = view
            .cases
            .iter()
            .filter(|case| {
                !case.numbers.is_empty()
                    || !case.cold_start.is_empty()
                    || !case.notes.is_empty()
                    || case.load.is_some()
                    || case.noise.is_some()
            })
            .collect();
        if cases.is_empty() {
            return Ok(());
        }
        self.heading(out, "Measured")?;
        writeln!(out)?;
        for case in cases {
            for piece in cut(&case.case, self.columns - 2) {
                writeln!(out, "  {piece}")?;
            }
            self.case_numbers(out, case)?;
            case.cold_start.iter().try_for_each(|line| self.labelled(out, 6, "cold start", line))?;
            if let Some(noise) = &case.noise {
                self.table(out, "with noise", noise)?;
            }
            if let Some(load) = &case.load {
                self.table(out, "under load", load)?;
            }
            for note in &case.notes {
                self.labelled(out, 6, "note", note)?;
            }
        }
        writeln!(out)
    }

    fn case_numbers(&self, out: &mut dyn Write, case: &CaseView) -> fmt::Result {
        let with_inputs = case.numbers.iter().any(|number| !number.inputs.is_empty());
        let rows: Vec<Vec<String>> = case
            .numbers
            .iter()
            .map(|number| {
                let mut row = vec![
                    number.metric.to_owned(),
                    number.statistic.to_owned(),
                    number.value.clone(),
                    number.interval.clone(),
                    format!("n={}", number.n),
                ];
                if with_inputs {
                    row.push(number.inputs.clone());
                }
                row
            })
            .collect();
        for line in aligned(&rows) {
            writeln!(out, "      {line}")?;
        }
        Ok(())
    }

    fn table(&self, out: &mut dyn Write, name: &str, table: &TableView) -> fmt::Result {
        let head: Vec<String> = table.head.iter().map(|name| (*name).to_owned()).collect();
        let rows: Vec<Vec<String>> = [head].into_iter().chain(table.rows.iter().cloned()).collect();
        for (index, line) in aligned(&rows).iter().enumerate() {
            let line = if index == 0 { self.paint.quiet(line) } else { line.clone() };
            writeln!(out, "      {line}")?;
        }
        table.remarks.iter().try_for_each(|remark| self.labelled(out, 6, name, remark))
    }

    fn changes(&self, out: &mut dyn Write, view: &TargetView) -> fmt::Result {
        let mut headed = false;
        for case in &view.cases {
            for change in &case.changes {
                if !headed {
                    self.heading(out, &format!("Against the earlier run {}", change.baseline))?;
                    writeln!(out)?;
                    headed = true;
                }
                let word = self.paint.change(change.kind, change.change);
                let fill = " ".repeat(16_usize.saturating_sub(width(change.change)));
                let what = format!("{} {} {}: {}", case.case, change.metric, change.inputs, change.numbers);
                let what = what.replace(" :", ":");
                let mut lines = wrap(&what, self.columns.saturating_sub(18)).into_iter();
                writeln!(out, "  {word}{fill}{}", lines.next().unwrap_or_default())?;
                lines.try_for_each(|line| writeln!(out, "{}{line}", " ".repeat(18)))?;
                if change.kind != Change::Same {
                    self.paragraph(out, 18, &change.reason)?;
                }
            }
        }
        if headed { writeln!(out) } else { Ok(()) }
    }

    fn failures(&self, out: &mut dyn Write, view: &TargetView) -> fmt::Result {
        let mut headed = false;
        for case in &view.cases {
            let Some(failure) = &case.failure else { continue };
            if !headed {
                writeln!(out, "{}\n", self.paint.failure("Failed"))?;
                headed = true;
            }
            self.labelled(out, 2, &case.case, failure)?;
            for line in &case.stderr_tail {
                for piece in cut(line, self.columns.saturating_sub(8)) {
                    writeln!(out, "      {} {piece}", self.paint.quiet("|"))?;
                }
            }
        }
        if headed { writeln!(out) } else { Ok(()) }
    }

    fn skips(&self, out: &mut dyn Write, view: &TargetView) -> fmt::Result {
        if view.skipped.is_empty() {
            return Ok(());
        }
        self.heading(out, "Skipped")?;
        writeln!(out)?;
        for SkippedView { reason, cases } in &view.skipped {
            self.paragraph(out, 2, reason)?;
            for case in cases {
                self.paragraph(out, 6, case)?;
            }
        }
        writeln!(out)
    }

    fn summary(&self, out: &mut dyn Write, view: &TargetView, files: &[(String, String)]) -> fmt::Result {
        for line in wrap(&format!("{}; {}", view.counts, view.status), self.columns) {
            self.heading(out, &line)?;
        }
        for line in wrap(&view.system, self.columns) {
            writeln!(out, "{}", self.paint.quiet(&line))?;
        }
        let label = files.iter().map(|(name, _)| width(name)).max().unwrap_or(0);
        // A path is never wrapped: it is there to be copied.
        files.iter().try_for_each(|(name, path)| writeln!(out, "{}  {path}", pad(name, label)))
    }
}

/// The steps in lines of at most `columns`, broken only before an arrow.
fn wrap_steps(steps: &[String], columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for step in steps {
        match lines.last_mut() {
            Some(line) if width(line) + 6 + width(step) <= columns => {
                line.push_str("  ->  ");
                line.push_str(step);
            }
            Some(_) => lines.push(format!("->  {step}")),
            None => lines.push(step.clone()),
        }
    }
    lines
}

/// Rows with every column as wide as its widest cell.
fn aligned(rows: &[Vec<String>]) -> Vec<String> {
    let mut widths: Vec<usize> = Vec::new();
    for row in rows {
        for (index, cell) in row.iter().enumerate() {
            match widths.get_mut(index) {
                Some(widest) => *widest = (*widest).max(width(cell)),
                None => widths.push(width(cell)),
            }
        }
    }
    rows.iter()
        .map(|row| {
            let cells: Vec<_> = row.iter().zip(&widths).map(|(cell, widest)| pad(cell, *widest)).collect();
            cells.join("  ").trim_end().to_owned()
        })
        .collect()
}
