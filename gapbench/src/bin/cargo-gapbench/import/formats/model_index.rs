//! `model-index` in the YAML front matter of a model card. Its shape is that of Hugging Face's `modelcard.md`; cards that
//! were written before it was settled have `model_index` and a single `metric`.

use gapbench::record::{Condition, Statistic};

use super::super::claim::{Found, Import, Left, Publication};
use super::super::document::{Node, Refusal, quoted};
use super::super::{quality, yaml};
use super::{Known, Source};

/// The text between the first two lines `---`, and how many lines stand before it. Blank ones may come first.
pub(super) fn front_matter(text: &str) -> Option<(&str, usize)> {
    let opening = text.trim_start();
    let before = text.get(..text.len() - opening.len()).unwrap_or("").matches('\n').count() + 1;
    let (first, rest) = opening.strip_prefix("---")?.split_once('\n')?;
    if !first.trim().is_empty() {
        return None;
    }
    let mut end = 0;
    for line in rest.split_inclusive('\n') {
        if line.trim_end() == "---" {
            return Some((rest.get(..end)?, before));
        }
        end += line.len();
    }
    None
}

/// Reads the card.
pub(super) fn read(source: Source<'_>, _: &Known) -> Result<Import, Refusal> {
    let (front, before) = front_matter(source.text).ok_or_else(|| {
        Refusal::whole("no front matter between two lines `---` at the start; expected a model card")
    })?;
    let tree = yaml::read(front, before)?;
    let models = tree.get("model-index").or_else(|| tree.get("model_index")).ok_or_else(|| {
        Refusal::whole(format!("no `model-index` in the front matter; it is {}", tree.described()))
    })?;
    let mut import = Import::default();
    for model in models.items() {
        let name = model.text_of("name");
        if import.paper.title.is_empty() {
            import.paper =
                Publication { title: name.unwrap_or_default().to_owned(), ..Publication::default() };
        }
        for result in model.get("results").map(Node::items).unwrap_or_default() {
            for metric in metrics(result) {
                match claim(name, result, metric) {
                    Ok(found) => import.found.push(found),
                    Err(left) => import.left.push(left),
                }
            }
        }
    }
    if models.items().is_empty() {
        return Err(Refusal::at(
            models.at,
            format!("`model-index` is {}; expected a list of models", models.described()),
        ));
    }
    Ok(import)
}

fn metrics(result: &Node) -> Vec<&Node> {
    match (result.get("metrics"), result.get("metric")) {
        (Some(list), _) | (None, Some(list)) if !list.items().is_empty() => list.items().iter().collect(),
        (_, Some(one)) => vec![one],
        _ => Vec::new(),
    }
}

fn claim(model: Option<&str>, result: &Node, metric: &Node) -> Result<Found, Left> {
    let kind = metric.text_of("type").unwrap_or("");
    let label = metric.text_of("name");
    let dataset = result.get("dataset");
    let of_dataset = |key: &str| dataset.and_then(|dataset| dataset.text_of(key));
    let set = of_dataset("type").or_else(|| of_dataset("name"));
    let config = of_dataset("config").or_else(|| of_dataset("args"));
    let shown = label.unwrap_or(kind);
    let Some(value) = metric.members().iter().find(|(key, _)| key == "value").map(|(_, value)| value) else {
        return Err(Left::new(metric.at, metric.described(), "has no `value`; no number was published"));
    };
    let what = || format!("{} = {}", quoted(shown), value.described());
    let named = quality::metric(kind, label).map_err(|why| Left::new(value.at, what(), why))?;
    let text = value.text().ok_or_else(|| Left::new(value.at, what(), "is not a number"))?;
    // Without a configuration the pretty name is all that tells two parts of a set apart.
    let part = config.or_else(|| of_dataset("name").filter(|name| Some(*name) != set));
    let name: Vec<&str> = [set, part, of_dataset("split"), Some(shown)].into_iter().flatten().collect();
    let mut found = Found::read(value.at, &name, named.metric, Statistic::Mean, text)?;
    if ["(%)", "[%]", " %"].iter().any(|mark| label.is_some_and(|label| label.contains(mark))) {
        found.unit = super::super::claim::UnitOf::Said("%".to_owned());
    }
    found.kind = "model-card";
    found.apart = result.path(&["task", "type"]).and_then(Node::text).unwrap_or_default().to_owned();
    found.text(Condition::Model, model);
    let set = match (set, config) {
        (Some(set), Some(config)) if set != config => Some(format!("{set}/{config}")),
        (Some(set), _) => Some(set.to_owned()),
        (None, config) => config.map(str::to_owned),
    };
    found.text(Condition::Dataset, set.as_deref());
    found.text(Condition::Split, of_dataset("split"));
    found.text(Condition::Revision, of_dataset("revision"));
    if let Some(attempts) = named.attempts {
        found.number(Condition::K, Some(&attempts.to_string()));
    }
    let source = |key: &str| result.get("source").and_then(|source| source.text_of(key));
    found.url = source("url").map(str::to_owned);
    let task = result.path(&["task", "type"]).and_then(Node::text);
    let parts: Vec<&str> = [Some("model-index"), task, of_dataset("name"), Some(shown), source("name")]
        .into_iter()
        .flatten()
        .collect();
    found.locator = Some(parts.join(", "));
    let token = metric.get("verifyToken").is_some();
    found.verified = Some(if token { "hf-token" } else { "self-reported" });
    if token {
        found
            .notes
            .push("assumed `hf-token`: the card has a token of the Hub, which was not checked".to_owned());
    } else if metric.get("verified").and_then(Node::flag) == Some(true) {
        found
            .notes
            .push("assumed `self-reported`: the card says `verified` but has no token of the Hub".to_owned());
    }
    if let Some(arguments) = metric.get("args").filter(|arguments| arguments.text().is_none()) {
        found
            .notes
            .push(format!("the metric has arguments, which are no condition: {}", arguments.described()));
    }
    Ok(found)
}
