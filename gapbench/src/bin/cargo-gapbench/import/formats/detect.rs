//! Which format a text is of, told by its content. Reads no number.

use super::super::document::{Node, Refusal, quoted};
use super::super::{json, yaml};
use super::{Format, Source, csv_table, model_index};

/// The only format that fits.
///
/// # Errors
/// None or several fit: all formats and what was seen. A text that is broken where it would have to be read.
pub(in super::super) fn detect(source: Source<'_>) -> Result<Format, Refusal> {
    let start = source.text.trim_start();
    let (fitting, seen) = if let Some((front, _)) = model_index::front_matter(source.text) {
        // Not read as YAML here: its mistakes are the reader's to tell.
        let keyed =
            front.lines().any(|line| line.starts_with("model-index:") || line.starts_with("model_index:"));
        let fitting = if keyed { vec![Format::ModelIndex] } else { Vec::new() };
        (fitting, "front matter without `model-index`".to_owned())
    } else if start.starts_with('{') || start.starts_with('[') {
        let tree = json::read(source.text)?;
        (by_keys(&tree), format!("JSON: {}", tree.described()))
    } else if is_of_loadgen(source.text) {
        (vec![Format::Mlperf], String::new())
    } else if csv_table::looks_like_one(source.text) {
        (vec![Format::Csv], String::new())
    } else {
        match yaml::read(source.text, 0) {
            Ok(tree) => (by_keys(&tree), format!("YAML: {}", tree.described())),
            Err(refusal) if source.text.lines().any(|line| line.trim_start().starts_with("- dataset:")) => {
                return Err(refusal);
            }
            Err(_) => {
                let first = source.text.lines().find(|line| !line.trim().is_empty()).unwrap_or("");
                (Vec::new(), format!("text that begins with {}", quoted(first)))
            }
        }
    };
    match fitting.as_slice() {
        [format] => Ok(*format),
        [] => Err(Refusal::whole(format!(
            "no known format: {seen}; expected one of: {}; --format decides",
            all()
        ))),
        several => {
            let names: Vec<_> = several.iter().map(|format| format.name()).collect();
            Err(Refusal::whole(format!("could be {} ({seen}); --format decides", names.join(" or "))))
        }
    }
}

/// Whether it is a summary of LoadGen, or what LoadGen leaves in its place.
fn is_of_loadgen(text: &str) -> bool {
    text.lines().any(|line| line.trim() == "MLPerf Results Summary")
        || text.trim_end().ends_with("errors encountered during test.")
}

/// The formats whose keys a tree has.
fn by_keys(tree: &Node) -> Vec<Format> {
    let has = |key: &str| tree.get(key).is_some();
    let entry = |node: &Node| node.get("dataset").is_some() && node.get("value").is_some();
    let mut fitting = Vec::new();
    if tree.items().iter().any(entry)
        || entry(tree)
        || tree.get("data").is_some_and(|data| entry(data) || data.items().iter().any(entry))
    {
        fitting.push(Format::EvalResults);
    }
    let results = tree.get("results").is_some_and(|results| !results.members().is_empty());
    // Another harness writes `results` and `versions` too; its runs are not of this one.
    let results = results && !has("config_general");
    if results
        && ["configs", "versions", "n-shot", "n-samples", "config", "lm_eval_version"]
            .iter()
            .any(|key| has(key))
    {
        fitting.push(Format::LmEval);
    }
    if has("benchmarks") && (has("devices") || tree.path(&["meta", "version", "nvbench"]).is_some()) {
        fitting.push(Format::Nvbench);
    }
    let estimate = |key: &str| tree.path(&[key, "point_estimate"]).is_some();
    if estimate("mean") || estimate("Mean") {
        fitting.push(Format::Criterion);
    }
    fitting
}

fn all() -> String {
    let names: Vec<_> =
        Format::ALL.iter().map(|format| format!("{} ({})", format.name(), format.what())).collect();
    names.join(", ")
}
