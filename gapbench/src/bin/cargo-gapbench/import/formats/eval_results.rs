//! `.eval_results/*.yaml` of a model's repository, as Hugging Face's `eval_results.yaml` describes it. It names a benchmark
//! and not a metric, so that only benchmarks are read whose metric is known.

use gapbench::record::{Condition, Metric, Statistic};

use super::super::claim::{Found, Import, Left, Publication};
use super::super::document::{Node, Refusal, quoted};
use super::super::yaml;
use super::{Known, Source};

/// Benchmarks whose score is the share of questions that were answered correctly.
///
/// # Source
/// The pages of these datasets on the Hub, each of which asks closed questions with one right answer.
const ACCURACY: &[&str] = &["cais/hle", "Idavidrein/gpqa", "openai/gsm8k", "TIGER-Lab/MMLU-Pro"];

/// Reads the file.
pub(super) fn read(source: Source<'_>, known: &Known) -> Result<Import, Refusal> {
    let tree = yaml::read(source.text, 0)?;
    let tree = tree.get("data").unwrap_or(&tree);
    let entries: Vec<&Node> = match tree.items() {
        [] if tree.get("dataset").is_some() => vec![tree],
        items => items.iter().collect(),
    };
    if entries.is_empty() {
        let message =
            format!("found {}; expected a list of entries with `dataset` and `value`", tree.described());
        return Err(Refusal::at(tree.at, message));
    }
    let mut import = Import {
        paper: Publication { title: "Evaluation results".to_owned(), ..Publication::default() },
        ..Import::default()
    };
    let mut dates: Vec<&str> = Vec::new();
    for entry in entries {
        if let Some(date) = entry.text_of("date") {
            dates.push(date);
        }
        match claim(entry, known) {
            Ok(found) => import.found.push(found),
            Err(left) => import.left.push(left),
        }
    }
    import.notes.push(
        "the file does not name the model; `--id` and `--title` do, and `model` is a condition".to_owned(),
    );
    dates.dedup();
    match dates.as_slice() {
        [one] => import.paper.date = Some((*one).to_owned()),
        [] => {}
        several => import.notes.push(format!(
            "the entries have {} dates, of which a paper has one: {}",
            several.len(),
            quoted(&several.join(", "))
        )),
    }
    Ok(import)
}

fn claim(entry: &Node, known: &Known) -> Result<Found, Left> {
    let of_dataset = |key: &str| entry.path(&["dataset", key]).and_then(Node::text);
    let id = of_dataset("id").unwrap_or("");
    let task = of_dataset("task_id").or_else(|| of_dataset("config"));
    let Some(value) = entry.get("value") else {
        return Err(Left::new(entry.at, quoted(id), "has no `value`; no number was published"));
    };
    let what = || format!("{} = {}", quoted(id), value.described());
    let text = value.text().ok_or_else(|| Left::new(value.at, what(), "is not a number"))?;
    let (metric, note) = match known.metric {
        Some(metric) => (metric, format!("`{metric}`, as asked for with --metric")),
        None if ACCURACY.contains(&id) => (
            Metric::QualityAccuracy,
            format!(
                "assumed `{}`: the file names no metric, and this benchmark counts right answers",
                Metric::QualityAccuracy
            ),
        ),
        None => {
            let why = "is of a benchmark whose metric the file does not name; `--metric quality.accuracy`, or another, decides";
            return Err(Left::new(value.at, what(), why));
        }
    };
    let name: Vec<&str> = [Some(id), task, of_dataset("split")].into_iter().flatten().collect();
    let mut found = Found::read(value.at, &name, metric, Statistic::Mean, text)?;
    found.kind = "model-card";
    found.notes.push(note);
    let set = task.map_or_else(|| id.to_owned(), |task| format!("{id}/{task}"));
    found.text(Condition::Dataset, Some(&set));
    found.text(Condition::Split, of_dataset("split"));
    found.text(Condition::Revision, of_dataset("revision"));
    let source = |key: &str| entry.path(&["source", key]).and_then(Node::text);
    found.url = source("url").map(str::to_owned);
    let parts: Vec<&str> = [Some(".eval_results"), source("name"), source("user"), entry.text_of("notes")]
        .into_iter()
        .flatten()
        .collect();
    found.locator = Some(parts.join(", "));
    let token = entry.get("verifyToken").is_some();
    found.verified = Some(if token { "hf-token" } else { "self-reported" });
    if token {
        found
            .notes
            .push("assumed `hf-token`: the entry has a token of the Hub, which was not checked".to_owned());
    }
    Ok(found)
}
