//! `[result.conditions]`.

use toml::de::DeTable;

use super::reader::{Reader, Span, Table, quoted};
use crate::record::{ColdLevel, Condition, ConditionValue, Conditions};

/// What a condition's value looks like.
#[derive(Clone, Copy)]
enum Shape {
    Text,
    /// Requests arrive in one of four ways.
    Load,
    /// A level of a cold start.
    Cold,
    Flag,
    /// A whole number, from this one on.
    Whole(u64),
    /// A number of at least 0: lengths are often means.
    Length,
    /// A number above 0.
    Positive,
}

const fn shape(condition: Condition) -> Shape {
    match condition {
        Condition::Model
        | Condition::Hardware
        | Condition::Dtype
        | Condition::Harness
        | Condition::Dataset
        | Condition::Split
        | Condition::Revision
        | Condition::Noise => Shape::Text,
        Condition::Load => Shape::Load,
        Condition::Warm => Shape::Flag,
        Condition::Cold => Shape::Cold,
        Condition::Count
        | Condition::Batch
        | Condition::SeqLen
        | Condition::HeadDim
        | Condition::Hidden
        | Condition::Rows
        | Condition::GemmM
        | Condition::GemmN
        | Condition::GemmK
        | Condition::K
        | Condition::Concurrency => Shape::Whole(1),
        Condition::NShot => Shape::Whole(0),
        Condition::InputLen | Condition::OutputLen => Shape::Length,
        Condition::Rate => Shape::Positive,
    }
}

/// The table's name in messages.
const NAME: &str = "[result.conditions]";

/// Reads `[result.conditions]`.
pub(super) fn read<'t>(reader: &mut Reader<'t>, map: &'t DeTable<'t>, at: Span) -> Conditions {
    let names = Condition::ALL.iter().map(|condition| condition.name());
    let keys: Vec<&'static str> = names.chain(["software"]).collect();
    let table = reader.table(map, at, NAME, &keys);
    let mut conditions = Conditions::default();
    for condition in Condition::ALL {
        if let Some(value) = value(reader, &table, *condition) {
            conditions.known.insert(*condition, value);
        }
    }
    check_load(reader, &table, &conditions);
    software(reader, &table, &mut conditions);
    conditions
}

fn value<'t>(reader: &mut Reader<'t>, table: &Table<'t>, condition: Condition) -> Option<ConditionValue> {
    let key = condition.name();
    match shape(condition) {
        Shape::Text => reader.filled_text(table, key).map(|text| text.value.into()),
        Shape::Load => {
            let words = ["single-stream", "closed", "constant", "poisson", "gamma", "trace", "offline"]
                .map(|word| (word, word));
            reader.word(table, key, &words).map(Into::into)
        }
        Shape::Cold => {
            let words = [ColdLevel::Process, ColdLevel::Jit, ColdLevel::Disk]
                .map(|level| (level.name(), level.name()));
            reader.word(table, key, &words).map(Into::into)
        }
        Shape::Flag => reader.flag(table, key).map(Into::into),
        Shape::Whole(smallest) => reader.whole(table, key, smallest).map(|number| (number as f64).into()),
        Shape::Length => reader
            .number_where(table, key, |number| number >= 0.0, "a number of at least 0")
            .map(|number| number.value.into()),
        Shape::Positive => reader
            .number_where(table, key, |number| number > 0.0, "a number above 0")
            .map(|number| number.value.into()),
    }
}

/// A single stream is one request at a time by definition.
fn check_load<'t>(reader: &mut Reader<'t>, table: &Table<'t>, conditions: &Conditions) {
    let single = conditions.get(Condition::Load) == Some(&"single-stream".into());
    if let (true, Some(ConditionValue::Number(clients))) = (single, conditions.get(Condition::Concurrency))
        && *clients != 1.0
    {
        let message = format!(
            "`concurrency` is {clients} but load `single-stream` is one request at a time; \
             did you mean load `closed`?"
        );
        reader.error(&table.place_of("concurrency"), message);
    }
}

fn software<'t>(reader: &mut Reader<'t>, table: &Table<'t>, conditions: &mut Conditions) {
    let Some((map, at)) = reader.sub_table(table, "software") else { return };
    let components = Table::unchecked(map, at, "software");
    for key in map.keys() {
        let name = key.get_ref().as_ref();
        if name.trim().is_empty() {
            reader.error(&key.span(), format!("{} is no name of a component of the software", quoted(name)));
        } else if let Some(version) = reader.filled_text(&components, name) {
            conditions.software.insert(name.to_owned(), version.value.to_owned());
        }
    }
}
