//! The results of lm-evaluation-harness, the keys of `lm_eval/result_schema.py` and, of before version 0.4, without a
//! filter. It is the one format that states standard error, number of items and direction.

use std::time::{Duration, UNIX_EPOCH};

use gapbench::record::{Condition, Direction, Metric, Statistic};

use super::super::claim::{Found, Import, Left, Publication, Spread, UnitOf};
use super::super::document::{Node, Refusal, quoted};
use super::super::{json, number, quality};
use super::{Known, Source};

/// Keys of a task that are no scores.
const NO_SCORES: &[&str] = &["alias", "name", "sample_len", "sample_count", "samples", "task"];

/// Reads the file.
pub(super) fn read(source: Source<'_>, _: &Known) -> Result<Import, Refusal> {
    let tree = json::read(source.text)?;
    let results = tree.get("results").filter(|results| !results.members().is_empty()).ok_or_else(|| {
        Refusal::at(tree.at, format!("found {}; expected `results` with tasks", tree.described()))
    })?;
    let run = Run::of(&tree);
    let mut import = Import {
        paper: Publication {
            title: run.model.as_deref().unwrap_or("lm-evaluation-harness").to_owned(),
            version: tree
                .text_of("lm_eval_version")
                .map(|version| format!("lm-evaluation-harness {version}")),
            date: tree.text_of("date").and_then(day),
            url: None,
        },
        ..Import::default()
    };
    for (task, scores) in results.members() {
        for (key, value) in scores.members() {
            if NO_SCORES.contains(&key.as_str()) || part(key).0.ends_with("_stderr") {
                continue;
            }
            match claim(&tree, &run, task, scores, key, value) {
                Ok(found) => import.found.push(found),
                Err(left) => import.left.push(left),
            }
        }
    }
    Ok(import)
}

/// What holds for all tasks.
struct Run {
    model: Option<String>,
    dtype: Option<String>,
    version: Option<String>,
    limited: bool,
}

impl Run {
    fn of(tree: &Node) -> Run {
        let arguments = tree.path(&["config", "model_args"]);
        let argument = |key: &str| {
            let arguments = arguments?;
            arguments.text_of(key).map(str::to_owned).or_else(|| {
                let pairs = arguments.text()?.split(',').filter_map(|pair| pair.split_once('='));
                pairs
                    .into_iter()
                    .find(|(name, _)| name.trim() == key)
                    .map(|(_, value)| value.trim().to_owned())
            })
        };
        let model = tree.text_of("model_name").map(str::to_owned);
        let dtype = tree.path(&["config", "model_dtype"]).and_then(Node::text).map(str::to_owned);
        Run {
            model: model.or_else(|| argument("pretrained")).or_else(|| argument("model")),
            dtype: dtype
                .or_else(|| argument("dtype"))
                .map(|dtype| dtype.trim_start_matches("torch.").to_owned())
                .filter(|dtype| dtype != "auto"),
            version: tree.text_of("lm_eval_version").map(str::to_owned),
            limited: tree.path(&["config", "limit"]).is_some(),
        }
    }
}

/// Metric and filter of a key such as `acc,none`.
fn part(key: &str) -> (&str, Option<&str>) {
    key.split_once(',').map_or((key, None), |(metric, filter)| (metric, Some(filter)))
}

fn claim(tree: &Node, run: &Run, task: &str, scores: &Node, key: &str, value: &Node) -> Result<Found, Left> {
    let (metric_name, filter) = part(key);
    let what = || format!("{} = {}", quoted(&format!("{task} {key}")), value.described());
    let leave = |why: String| Left::new(value.at, what(), why);
    let text = value.text().ok_or_else(|| leave("is not a number".to_owned()))?;
    let named = quality::metric(metric_name, None).map_err(leave)?;
    let higher = tree.path(&["higher_is_better", task, metric_name]).and_then(Node::flag);
    if let Some(higher) = higher
        && higher != (named.metric.direction() == Direction::Higher)
    {
        let said = if higher { "higher" } else { "lower" };
        return Err(leave(format!(
            "contradicts itself: the file says that {said} is better, and of {} the opposite is; correct the source",
            named.metric
        )));
    }
    let mut found = Found::read(value.at, &[task, key], named.metric, Statistic::Mean, text)?;
    // Each item counts 0 or 1 for these; other scores are on the scale of the task's own code.
    if matches!(named.metric, Metric::QualityAccuracy | Metric::QualityExactMatch)
        && found.unit == UnitOf::Unsaid
    {
        found.unit = UnitOf::Said("fraction".to_owned());
        found.notes.push("assumed `fraction`: the harness counts each answer 0 or 1".to_owned());
    }
    let error_key = filter
        .map_or_else(|| format!("{metric_name}_stderr"), |filter| format!("{metric_name}_stderr,{filter}"));
    if let Some(error) = scores.text_of(&error_key).filter(|error| *error != "N/A") {
        match number::read(error) {
            Ok(error) => found.spread = Some(Spread::Se(error.value)),
            Err(why) => found.notes.push(format!("no spread: {} {why}", quoted(&error_key))),
        }
    }
    let of_task = |key: &str| tree.path(&[key, task]);
    found.n = tree.path(&["n-samples", task, "effective"]).and_then(Node::text).map(str::to_owned);
    found.number(Condition::NShot, of_task("n-shot").and_then(Node::text));
    found.text(Condition::Model, run.model.as_deref());
    found.text(Condition::Dtype, run.dtype.as_deref());
    found.text(Condition::Dataset, Some(task));
    found.text(Condition::Harness, Some("lm-evaluation-harness"));
    if let Some(attempts) = named.attempts {
        found.number(Condition::K, Some(&attempts.to_string()));
    }
    if let Some(version) = &run.version {
        found.software.insert("lm_eval".to_owned(), version.clone());
    }
    if metric_name == "acc_norm" {
        found.notes.push("`acc_norm`: answers were chosen by likelihood per byte".to_owned());
    }
    if run.limited {
        found.notes.push("the run was limited to a part of the set".to_owned());
    }
    found.locator = Some(format!("results.{task}.{key}"));
    Ok(found)
}

/// The day of seconds since 1970, UTC.
fn day(seconds: &str) -> Option<String> {
    let seconds: f64 = seconds.parse().ok().filter(|seconds| (0.0..4e9).contains(seconds))?;
    let time = UNIX_EPOCH + Duration::from_secs(seconds as u64);
    let text = humantime::format_rfc3339_seconds(time).to_string();
    text.get(..10).map(str::to_owned)
}
