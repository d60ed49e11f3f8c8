//! `report.md`, and the same text for GitHub's step summary.

use std::fmt::{self, Write};
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use super::results::TargetResults;
use super::view::{ClaimView, SkippedView, TableView, TargetView};
use crate::record::date::show_utc;

/// The report of these [`section`]s, written at `unix` seconds.
#[must_use]
pub fn page(sections: &[String], unix: u64) -> String {
    let mut out = String::from("<!-- gapbench -->\n");
    for section in sections {
        out.push_str(section);
    }
    if sections.is_empty() {
        out.push_str("\nNothing was run.\n");
    }
    let _ = writeln!(out, "\nWritten {} by gapbench.", show_utc(unix));
    out
}

/// The report of one bench target.
#[must_use]
pub fn section(target: &TargetResults) -> String {
    let mut out = String::new();
    // A string takes all that is written to it.
    let _ = write_target(&mut out, &TargetView::new(target));
    out
}

fn write_target(out: &mut dyn Write, view: &TargetView) -> fmt::Result {
    writeln!(out, "\n## {}\n\n**{}**; {}\n", escape(&view.name), escape(&view.counts), escape(&view.status))?;
    if view.claims.is_empty() {
        writeln!(out, "No claim was declared.\n")?;
    } else {
        write_claims(out, &view.claims)?;
    }
    write_numbers(out, view)?;
    write_changes(out, view)?;
    for case in &view.cases {
        if let Some(failure) = &case.failure {
            writeln!(out, "**Failed** {}: {}\n", escape(&case.case), escape(failure))?;
            for line in &case.stderr_tail {
                // An indented block: nothing inside it can end it.
                writeln!(out, "    {line}")?;
            }
            if !case.stderr_tail.is_empty() {
                writeln!(out)?;
            }
        }
    }
    for SkippedView { reason, cases } in &view.skipped {
        let cases: Vec<_> = cases.iter().map(|case| escape(case)).collect();
        writeln!(out, "Skipped, {}: {}\n", escape(reason), cases.join(", "))?;
    }
    writeln!(out, "{}\n\nRecord: {}", escape(&view.system), escape(&view.record))
}

fn write_claims(out: &mut dyn Write, claims: &[ClaimView]) -> fmt::Result {
    writeln!(out, "| verdict | claim | case | ours | paper | ratio | where |")?;
    writeln!(out, "|:--|:--|:--|--:|--:|--:|:--|")?;
    for claim in claims {
        let cells = [
            format!("**{}**", claim.verdict),
            escape(&claim.id),
            escape(&claim.case),
            escape(&claim.ours),
            escape(&claim.paper),
            claim.ratio.clone(),
            escape(&claim.loss),
        ];
        writeln!(out, "| {} |", cells.join(" | "))?;
    }
    writeln!(out)?;
    for claim in claims {
        write!(out, "- **{}** {}: {}", claim.verdict, escape(&claim.id), escape(&claim.reason))?;
        for difference in &claim.differing {
            write!(out, "; {}", escape(difference))?;
        }
        if !claim.unknown.is_empty() {
            write!(out, "; unknown: {}", escape(&claim.unknown.join(", ")))?;
        }
        writeln!(out, "{}", if claim.gated { "; **stops the gate**" } else { "" })?;
        if claim.ladder.steps.len() > 1 {
            let steps: Vec<_> = claim.ladder.steps.iter().map(|step| escape(step)).collect();
            writeln!(out, "  <br>{} ({})", steps.join(" → "), escape(&claim.ladder.gap))?;
            for absent in &claim.ladder.absent {
                writeln!(out, "  <br>{}", escape(absent))?;
            }
        }
        match &claim.link {
            // Inside angle brackets only `<`, `>` and line breaks could end the address (CommonMark 0.31, 6.3).
            Some(link) => writeln!(
                out,
                "  <br>Source: [{}](<{}>)",
                escape(&claim.source),
                link.replace('\\', "%5C").replace('<', "%3C").replace('>', "%3E")
            )?,
            None => writeln!(out, "  <br>Source: {}", escape(&claim.source))?,
        }
    }
    writeln!(out)
}

fn write_numbers(out: &mut dyn Write, view: &TargetView) -> fmt::Result {
    if view.cases.iter().any(|case| !case.numbers.is_empty()) {
        writeln!(out, "| case | metric | inputs | statistic | value | interval | n |")?;
        writeln!(out, "|:--|:--|:--|:--|--:|:--|--:|")?;
        for case in &view.cases {
            for number in &case.numbers {
                let cells = [
                    escape(&case.case),
                    escape(number.metric),
                    escape(&number.inputs),
                    escape(number.statistic),
                    escape(&number.value),
                    escape(&number.interval),
                    number.n.to_string(),
                ];
                writeln!(out, "| {} |", cells.join(" | "))?;
            }
        }
        writeln!(out)?;
    }
    for case in &view.cases {
        for (what, table) in [("with noise", &case.noise), ("under load", &case.load)] {
            if let Some(table) = table {
                write_table(out, &format!("{} {what}", case.case), table)?;
            }
        }
    }
    for case in &view.cases {
        for line in &case.cold_start {
            writeln!(out, "- Cold start of {}: {}", escape(&case.case), escape(line))?;
        }
        for note in &case.notes {
            writeln!(out, "- Note on {}: {}", escape(&case.case), escape(note))?;
        }
    }
    writeln!(out)
}

fn write_table(out: &mut dyn Write, title: &str, table: &TableView) -> fmt::Result {
    writeln!(out, "{}:\n\n| {} |", escape(title), table.head.join(" | "))?;
    writeln!(out, "|:--|{}", "--:|".repeat(table.head.len().saturating_sub(1)))?;
    for row in &table.rows {
        let cells: Vec<String> = row.iter().map(|cell| escape(cell)).collect();
        writeln!(out, "| {} |", cells.join(" | "))?;
    }
    writeln!(out)?;
    for remark in &table.remarks {
        writeln!(out, "- {}", escape(remark))?;
    }
    writeln!(out)
}

fn write_changes(out: &mut dyn Write, view: &TargetView) -> fmt::Result {
    if view.cases.iter().all(|case| case.changes.is_empty()) {
        return Ok(());
    }
    writeln!(out, "| change | case | metric | inputs | numbers | since | reason |")?;
    writeln!(out, "|:--|:--|:--|:--|:--|:--|:--|")?;
    for case in &view.cases {
        for change in &case.changes {
            let cells = [
                format!("**{}**", change.change),
                escape(&case.case),
                escape(change.metric),
                escape(&change.inputs),
                escape(&change.numbers),
                escape(&change.baseline),
                escape(&change.reason),
            ];
            writeln!(out, "| {} |", cells.join(" | "))?;
        }
    }
    writeln!(out)
}

/// `text` so that GitHub shows exactly it: no markup, no table borders, no HTML, no mentions.
fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            // As character references, since GitHub looks for mentions and issue numbers behind a backslash too.
            '@' => safe.push_str("&#64;"),
            '#' => safe.push_str("&#35;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '!' | '$' => {
                safe.push('\\');
                safe.push(letter);
            }
            _ => safe.push(letter),
        }
    }
    safe
}

/// GitHub drops a step's whole summary above 1 MiB; the rest of the step may write some too.
/// Source: GitHub documentation, "Workflow commands", step isolation and limits.
pub const STEP_SUMMARY_BYTES: usize = (1 << 20) - (64 << 10);

/// Appends `text` to the file that `$GITHUB_STEP_SUMMARY` names, as far as the step's limit allows. Returns whether
/// all of it went in; where not, the summary itself says so.
///
/// # Errors
/// Those of the file system.
pub fn append_step_summary(file: &Path, text: &str) -> io::Result<bool> {
    const NOTICE: &str = "\n\n**Cut here: GitHub's limit for a step summary. `report.md` has everything.**\n";
    let present = fs::metadata(file).map_or(0, |found| usize::try_from(found.len()).unwrap_or(usize::MAX));
    let room = STEP_SUMMARY_BYTES.saturating_sub(present);
    let mut file = OpenOptions::new().create(true).append(true).open(file)?;
    if text.len() < room {
        file.write_all(b"\n")?;
        file.write_all(text.as_bytes())?;
        return Ok(true);
    }
    // Whole lines only, so that no table row and no character is torn.
    let mut kept = 0;
    for line in text.split_inclusive('\n') {
        if kept + line.len() + NOTICE.len() + 1 > room {
            break;
        }
        kept += line.len();
    }
    if room > NOTICE.len() {
        file.write_all(b"\n")?;
        file.write_all(text.get(..kept).unwrap_or_default().as_bytes())?;
        file.write_all(NOTICE.as_bytes())?;
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes() {
        assert_eq!(escape("a|b<c>@d*e_f#1"), "a\\|b&lt;c&gt;&#64;d\\*e\\_f&#35;1");
    }
}
