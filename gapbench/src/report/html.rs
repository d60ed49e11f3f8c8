//! One self-contained page: no scripts, no network, light and dark.

use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;

use super::results::Results;
use super::view::TargetView;
use crate::record::date::show_utc;

const PAGE: &str = include_str!("templates/page.html");

/// What the template sees.
#[derive(Serialize)]
struct Page<'a> {
    targets: Vec<TargetView>,
    generated: String,
    report_href: Option<&'a str>,
    remarks: &'a [String],
}

/// The whole report.
///
/// # Errors
/// The template's, as a sentence; none is known.
pub fn page(results: &Results) -> Result<String, String> {
    render(results, None, &[])
}

/// The verdicts alone, for a page that lies elsewhere and links to the report at `report_href`, a relative address.
/// `remarks` are sentences shown below.
///
/// # Errors
/// As [`page`].
pub fn verdict_page(results: &Results, report_href: &str, remarks: &[String]) -> Result<String, String> {
    render(results, Some(report_href), remarks)
}

fn render(results: &Results, report_href: Option<&str>, remarks: &[String]) -> Result<String, String> {
    let targets: Vec<_> = results.targets.iter().map(TargetView::new).collect();
    let generated = show_utc(results.generated_unix);
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    // The name's ending turns on escaping.
    environment
        .add_template("page.html", PAGE)
        .and_then(|()| environment.get_template("page.html"))
        .and_then(|template| template.render(Serde(&Page { targets, generated, report_href, remarks })))
        .map_err(|error| format!("the page's template failed: {error:#}"))
}
