//! `[cost]`.

use toml::de::DeTable;

use super::price::{self, Price, PriceUnit};
use super::reader::{Reader, Span};
use super::source;

const NAME: &str = "[cost]";
const KEYS: &[&str] = &["price", "unit", "count", "date", "source"];

/// Reads `[cost]`. Everything but the count is required: a price without its day and source cannot be checked.
pub(super) fn read<'t>(reader: &mut Reader<'t>, map: &'t DeTable<'t>, at: Span) -> Option<Price> {
    let table = reader.table(map, at, NAME, KEYS);
    if table.get("price").is_none() {
        reader.missing(&table, "price", "write the price of one unit for one hour, such as 3.50");
    }
    let amount = reader.number_where(&table, "price", price::is_price, &price::price_words());
    if table.get("unit").is_none() {
        let names: Vec<_> = PriceUnit::ALL.iter().map(|(name, _)| *name).collect();
        reader.missing(&table, "unit", &format!("write one of: {}", names.join(", ")));
    }
    let unit = reader.text(&table, "unit").and_then(|text| {
        PriceUnit::parse(text.value).map_err(|message| reader.error(&text.at, message)).ok()
    });
    // A count that is left out is one; a count with a mistake is none.
    let count = match table.get("count") {
        None => Some(1),
        Some(_) => reader.whole(&table, "count", 1),
    };
    if table.get("date").is_none() {
        reader.missing(&table, "date", "write the day the price was read, such as 2026-11-01");
    }
    let date = source::date(reader, &table, "date", source::DatePrecision::Day);
    let address = reader
        .required_text(&table, "source", "say where the price stands")
        .and_then(|text| source::address(reader, &text, "source"));
    let amount = amount?;
    let plain = price::is_plain(amount.written);
    Some(Price {
        usd_per_hour: amount.value,
        written: if plain { amount.written.to_owned() } else { amount.value.to_string() },
        unit: unit?,
        count: count?,
        date: date?,
        source: address?,
    })
}
