//! `[[result]]`.

use toml::de::DeTable;

use super::paper::{self, Papers};
use super::reader::{Reader, Span, Table, allowed, nearest, quoted};
use super::{conditions, number, source};
use crate::declare::{PaperClaim, Policy, Wording};
use crate::record::{Conditions, Direction, Metric, Statistic};

const KEYS: &[&str] = &[
    "id",
    "paper",
    "metric",
    "value",
    "unit",
    "statistic",
    "direction",
    "claim",
    "n",
    "precision",
    "spread",
    "conditions",
    "source",
    "policy",
];

/// Reads one `[[result]]`. `seen` holds the ids above it with their lines.
///
/// Returns the claim where everything it needs was readable; mistakes are in the reader either way.
pub(super) fn read<'t>(
    reader: &mut Reader<'t>,
    map: &'t DeTable<'t>,
    at: Span,
    papers: &Papers,
    policy: &Policy,
    seen: &mut Vec<(String, usize)>,
) -> Option<PaperClaim> {
    let (line, _) = reader.place(at.start);
    let table = reader.table(map, at, "[[result]]", KEYS);
    let id = id(reader, &table, line, seen);
    let paper = papers.of_result(reader, &table);
    let metric = metric(reader, &table);
    let numbers = number::read(reader, &table, metric);
    let statistic = statistic(reader, &table);
    check_direction(reader, &table, metric);
    let wording = wording(reader, &table);
    let n = reader.whole(&table, "n", 1);
    let conditions = match reader.sub_table(&table, "conditions") {
        Some((map, at)) => conditions::read(reader, map, at),
        None => Conditions::default(),
    };
    if table.get("source").is_none() {
        reader.missing(&table, "source", "add [result.source] with kind, url and locator");
    }
    let source = reader.sub_table(&table, "source").and_then(|(map, at)| source::read(reader, map, at));
    let policy = match reader.sub_table(&table, "policy") {
        Some((map, at)) => paper::policy(reader, map, at, "[result.policy]", policy),
        None => policy.clone(),
    };
    let (metric, numbers) = (metric?, numbers?);
    Some(PaperClaim {
        id: id?,
        file: reader.file().to_owned(),
        line,
        paper: paper?,
        metric,
        statistic: statistic?,
        direction: metric.direction(),
        declared: numbers.declared,
        precision: numbers.precision,
        spread: numbers.spread,
        n,
        wording: wording?,
        conditions,
        source: source?,
        policy,
    })
}

fn id<'t>(
    reader: &mut Reader<'t>,
    table: &Table<'t>,
    line: usize,
    seen: &mut Vec<(String, usize)>,
) -> Option<String> {
    let id = reader.required_text(table, "id", "give the result a name that is unique in the file")?;
    if !paper::is_id(reader, &id) {
        return None;
    }
    if let Some((_, first)) = seen.iter().find(|(other, _)| other == id.value) {
        let message =
            format!("the result of line {first} is called {} already; rename one", quoted(id.value));
        reader.error(&id.at, message);
        return None;
    }
    seen.push((id.value.to_owned(), line));
    Some(id.value.to_owned())
}

fn metric<'t>(reader: &mut Reader<'t>, table: &Table<'t>) -> Option<Metric> {
    if table.get("metric").is_none() {
        let advice = format!("say what was measured: {}", names_of(|_| true).join(", "));
        reader.missing(table, "metric", &advice);
        return None;
    }
    let text = reader.text(table, "metric")?;
    let metric = Metric::parse(text.value);
    if metric.is_none() {
        let near = nearest(text.value, &names_of(|_| true));
        let hint = near.map_or_else(String::new, |name| format!(" did you mean `{name}`?"));
        // The whole vocabulary is long: where the group is clear, the group is enough.
        let group = |name: &str| name.split_once('.').map(|(group, _)| group.to_owned());
        let wanted = group(text.value)
            .filter(|wanted| Metric::ALL.iter().any(|metric| group(metric.name()).as_ref() == Some(wanted)));
        let wanted = wanted.or_else(|| near.and_then(group));
        let names = names_of(|name| wanted.is_none() || group(name) == wanted);
        let known = allowed("metrics", &names);
        reader.error(&text.at, format!("unknown metric {};{hint} {known}", quoted(text.value)));
    }
    metric
}

fn names_of(keep: impl Fn(&str) -> bool) -> Vec<&'static str> {
    Metric::ALL.iter().map(|metric| metric.name()).filter(|name| keep(name)).collect()
}

fn statistic<'t>(reader: &mut Reader<'t>, table: &Table<'t>) -> Option<Statistic> {
    let mut words: Vec<_> = Statistic::ALL.iter().map(|statistic| (statistic.name(), *statistic)).collect();
    if table.get("statistic").is_none() {
        let names: Vec<_> = words.iter().map(|(name, _)| *name).collect();
        reader.missing(table, "statistic", &format!("write one of: {}", names.join(", ")));
        return None;
    }
    words.push(("p50", Statistic::Median));
    reader.word(table, "statistic", &words)
}

fn check_direction<'t>(reader: &mut Reader<'t>, table: &Table<'t>, metric: Option<Metric>) {
    let words = [("higher", Direction::Higher), ("lower", Direction::Lower)];
    let found = reader.word(table, "direction", &words);
    if let (Some(found), Some(metric)) = (found, metric)
        && found != metric.direction()
    {
        let (said, right) = match found {
            Direction::Higher => ("higher", "lower"),
            Direction::Lower => ("lower", "higher"),
        };
        let message = format!(
            "`direction` is `{said}` but of {metric} `{right}` is better; correct the metric or remove the key"
        );
        reader.error(&table.place_of("direction"), message);
    }
}

fn wording<'t>(reader: &mut Reader<'t>, table: &Table<'t>) -> Option<Wording> {
    if table.get("claim").is_none() {
        return Some(Wording::Exact);
    }
    let words = [
        ("exact", Wording::Exact),
        ("about", Wording::About),
        ("up to", Wording::UpTo),
        ("at least", Wording::AtLeast),
    ];
    reader.word(table, "claim", &words)
}
