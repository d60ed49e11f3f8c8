//! One self-contained page: no scripts, no network, light and dark. A section per bench target, which is made when the
//! target has run and pasted when others run.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::results::TargetResults;
use super::view::{
    CaseView, ChangeView, ClaimView, LadderView, NumberView, SkippedView, TableView, TargetView,
};
use crate::record::date::show_utc;

const STYLE: &str = include_str!("page.css");

/// Ends a line of the page's source, so that it can be read and compared.
const END: &str = "\n";

/// Everything about one target.
#[must_use]
pub fn section(target: &TargetResults) -> String {
    render(&TargetView::new(target), true).into_string()
}

/// The verdicts of one target alone.
#[must_use]
pub fn verdict_section(target: &TargetResults) -> String {
    render(&TargetView::new(target), false).into_string()
}

/// The whole report of these [`section`]s, written at `unix` seconds.
#[must_use]
pub fn page(sections: &[String], unix: u64) -> String {
    assemble(sections, unix, None, &[])
}

/// A page of [`verdict_section`]s that lies elsewhere and links to the report at `report_href`, a relative address.
/// `remarks` are sentences shown below.
#[must_use]
pub fn verdict_page(sections: &[String], unix: u64, report_href: &str, remarks: &[String]) -> String {
    assemble(sections, unix, Some(report_href), remarks)
}

fn assemble(sections: &[String], unix: u64, report_href: Option<&str>, remarks: &[String]) -> String {
    let page = html! {
        (DOCTYPE) (END)
        html lang="en" {
            (head())
            body {
                (END)
                h1 { "Does what the paper says hold here?" } (END)
                @if let Some(href) = report_href { (links(href)) }
                @if sections.is_empty() { p { "Nothing was run." } (END) }
                @for section in sections { (PreEscaped(section)) }
                @for remark in remarks { p { small { (remark) } } (END) }
                footer { p { "Written " (show_utc(unix)) " by gapbench." } } (END)
            }
        }
        (END)
    };
    page.into_string()
}

fn head() -> Markup {
    html! {
        head {
            (END)
            meta charset="utf-8"; (END)
            meta name="viewport" content="width=device-width, initial-scale=1"; (END)
            meta name="color-scheme" content="light dark"; (END)
            title { "gapbench: does what the paper says hold here?" } (END)
            style { (END) (PreEscaped(STYLE)) } (END)
        }
        (END)
    }
}

fn links(report_href: &str) -> Markup {
    html! {
        p {
            a href=(report_href) { "The full gapbench report" }
            " · "
            a href="../../report/index.html" { "criterion's index" }
        }
        (END)
    }
}

/// One target; its measured numbers only where the page is the `whole` report.
fn render(target: &TargetView, whole: bool) -> Markup {
    html! {
        (END)
        h2 { (target.name) } (END)
        p {
            strong { (target.counts) } "; "
            span class=[(!target.complete).then_some("fail")] { (target.status) }
        }
        (END)
        @if target.claims.is_empty() {
            p { "No claim was declared." } (END)
        } @else {
            (verdicts(&target.claims))
            @for found in &target.claims { (claim(found)) }
        }
        @if whole {
            (measured(&target.cases))
            @for found in &target.cases { (case(found)) }
            @for found in &target.skipped { (skipped(found)) }
        }
        p { small { (target.system) br; "Record: " (target.record) } } (END)
    }
}

fn verdicts(claims: &[ClaimView]) -> Markup {
    html! {
        div.scroll {
            table {
                thead {
                    tr {
                        th { "Verdict" } th { "Claim" } th { "Ours" } th { "Paper" }
                        th.number { "Ratio" } th { "Where" }
                    }
                }
                (END)
                tbody { (END) @for claim in claims { (verdict_row(claim)) } }
            }
        }
        (END)
    }
}

fn verdict_row(claim: &ClaimView) -> Markup {
    html! {
        tr {
            td.verdict.(claim.class) { (claim.verdict) }
            td { (claim.id) br; small { (claim.case) ", " (claim.metric) " " (claim.statistic) } }
            td { (claim.ours) }
            td { (claim.paper) }
            td.number { (claim.ratio) }
            td { (claim.loss) }
        }
        (END)
    }
}

fn claim(claim: &ClaimView) -> Markup {
    html! {
        h3 { (claim.id) " " span.verdict.(claim.class) { (claim.verdict) } } (END)
        p { (claim.reason) @if claim.gated { " " strong { "Stops the gate." } } } (END)
        @if !claim.differing.is_empty() {
            ul { @for difference in &claim.differing { li { (difference) } } } (END)
        }
        // The paper's own number alone is no way.
        @if claim.ladder.steps.len() > 1 { (ladder(&claim.ladder)) }
        @if !claim.unknown.is_empty() {
            p { small { "Unknown conditions: " (claim.unknown.join(", ")) } } (END)
        }
        p { small { "Source: " (source(claim)) } } (END)
    }
}

fn ladder(ladder: &LadderView) -> Markup {
    html! {
        ol.ladder { @for step in &ladder.steps { li { (step) } } } (END)
        p { (ladder.gap) @for absent in &ladder.absent { br; small { (absent) } } } (END)
    }
}

fn source(claim: &ClaimView) -> Markup {
    html! {
        @if let Some(link) = &claim.link {
            a href=(link) rel="noopener noreferrer" { (claim.source) }
        } @else {
            (claim.source)
        }
    }
}

fn measured(cases: &[CaseView]) -> Markup {
    html! {
        h3 { "Measured" } (END)
        div.scroll {
            table {
                thead {
                    tr {
                        th { "Case" } th { "Metric" } th { "Statistic" } th.number { "Value" }
                        th { "Interval" } th.number { "n" } th { "Inputs" }
                    }
                }
                (END)
                tbody {
                    (END)
                    @for case in cases { @for number in &case.numbers { (number_row(&case.case, number)) } }
                }
            }
        }
        (END)
    }
}

fn number_row(case: &str, number: &NumberView) -> Markup {
    html! {
        tr {
            td { (case) }
            td { (number.metric) }
            td { (number.statistic) }
            td.number { (number.value) }
            td { (number.interval) }
            td.number { (number.n) }
            td { (number.inputs) }
        }
        (END)
    }
}

/// What is to be said of a case beyond its numbers.
fn case(case: &CaseView) -> Markup {
    html! {
        @for line in &case.cold_start { p { "Cold start of " (case.case) ": " (line) } (END) }
        @if let Some(found) = &case.noise { (table("With noise", &case.case, found)) }
        @if let Some(found) = &case.load { (table("Under load", &case.case, found)) }
        @for note in &case.notes { p { "Note on " (case.case) ": " (note) } (END) }
        @for found in &case.changes { (change(&case.case, found)) }
        @if let Some(why) = &case.failure {
            p { strong.fail { "failed" } " " (case.case) ": " (why) } (END)
            @if !case.stderr_tail.is_empty() {
                pre { @for line in &case.stderr_tail { (line) "\n" } } (END)
            }
        }
    }
}

fn table(title: &str, case: &str, load: &TableView) -> Markup {
    html! {
        h3 { (title) ": " (case) } (END)
        div.scroll {
            table {
                thead { tr { @for (index, name) in load.head.iter().enumerate() { th.number[index > 0] { (name) } } } }
                (END)
                tbody {
                    (END)
                    @for row in &load.rows {
                        tr { @for (index, cell) in row.iter().enumerate() { td.number[index > 0] { (cell) } } }
                        (END)
                    }
                }
            }
        }
        (END)
        @if !load.remarks.is_empty() { ul { @for remark in &load.remarks { li { (remark) } } } (END) }
    }
}

fn skipped(group: &SkippedView) -> Markup {
    html! {
        p { span.quiet { "skipped" } ", " (group.reason) ":" } (END)
        ul { @for case in &group.cases { li { (case) } } } (END)
    }
}

fn change(case: &str, change: &ChangeView) -> Markup {
    html! {
        p {
            strong { (change.change) }
            " " (case) ", " (change.metric) " " (change.inputs) ": " (change.numbers) ". " (change.reason) " "
            small { "(since " (change.baseline) ")" }
        }
        (END)
    }
}
