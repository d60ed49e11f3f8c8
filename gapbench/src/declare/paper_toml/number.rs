//! The declared number: value, unit, printed precision and spread.

use super::reader::{Number, Reader, Table, allowed, clean, did_you_mean, quoted};
use crate::declare::{Declared, Precision, Spread, SpreadKind};
use crate::record::Metric;
use crate::units::{Family, Unit, UnitError};

/// The number of a result with everything that belongs to it.
pub(super) struct Numbers {
    pub(super) declared: Declared,
    pub(super) precision: Precision,
    pub(super) spread: Option<Spread>,
}

/// Reads `value`, `unit`, `precision` and `spread` of a result of `metric`, if the metric is known.
pub(super) fn read<'t>(
    reader: &mut Reader<'t>,
    table: &Table<'t>,
    metric: Option<Metric>,
) -> Option<Numbers> {
    let unit = unit(reader, table, metric);
    if table.get("value").is_none() {
        reader.missing(table, "value", "write the number as the source prints it");
    }
    let value = reader.number(table, "value").filter(|value| is_possible(reader, value, metric, unit));
    let precision = reader.number_where(table, "precision", |half| half >= 0.0, "a number of at least 0");
    if let (Some(value), Some(precision)) = (&value, &precision)
        && precision.value > 0.0
        && precision.value >= value.value
    {
        let message = format!(
            "`precision` is {}, which is not smaller than the value {}; give it in the unit of the value",
            precision.written, value.written
        );
        reader.error(&precision.at, message);
    }
    let spread = spread(reader, table, value.as_ref());
    let (unit, value) = (unit?, value?);
    let half_width = precision.as_ref().map_or_else(|| half_of_last_digit(value.written), |half| half.value);
    let scale = |number: f64| number * unit.factor;
    Some(Numbers {
        declared: Declared {
            value: scale(value.value),
            written: value.written.to_owned(),
            unit: unit.name.to_owned(),
        },
        precision: Precision { half_width: scale(half_width), declared: precision.is_some() },
        spread: spread.map(|spread| Spread {
            lo: spread.lo.map(scale),
            hi: spread.hi.map(scale),
            value: spread.value.map(scale),
            ..spread
        }),
    })
}

fn unit<'t>(reader: &mut Reader<'t>, table: &Table<'t>, metric: Option<Metric>) -> Option<Unit> {
    let names = metric.map(|metric| metric.family().names());
    if table.get("unit").is_none() {
        let advice = match &names {
            Some(names) => format!("write one of: {}", names.join(", ")),
            None => "write the unit of the value".to_owned(),
        };
        reader.missing(table, "unit", &advice);
        return None;
    }
    let text = reader.text(table, "unit")?;
    let unit = match (Unit::parse(text.value), metric, &names) {
        (Ok(unit), ..) => unit,
        (Err(_), Some(metric), Some(names)) => {
            let hint = did_you_mean(text.value, names);
            let known = allowed(&format!("units of {metric}"), names);
            reader.error(&text.at, format!("unknown unit {};{hint} {known}", quoted(text.value)));
            return None;
        }
        (Err(error), ..) => {
            let found = clean(text.value);
            reader.error(&text.at, UnitError { found, nearest: error.nearest }.to_string());
            return None;
        }
    };
    if let (Some(metric), Some(names)) = (metric, names)
        && unit.family != metric.family()
    {
        let message = format!(
            "unit {} ({}) does not fit {metric} ({}); {}",
            quoted(text.value),
            unit.family,
            metric.family(),
            allowed("allowed units", &names)
        );
        reader.error(&text.at, message);
        return None;
    }
    Some(unit)
}

/// Reports a value that its metric cannot have.
fn is_possible(
    reader: &mut Reader<'_>,
    value: &Number<'_>,
    metric: Option<Metric>,
    unit: Option<Unit>,
) -> bool {
    let Some(metric) = metric else { return true };
    let quality = metric.name().starts_with("quality.");
    if value.value < 0.0 || (value.value == 0.0 && !quality) {
        let expected = if quality { "a number of at least 0" } else { "a number above 0" };
        let message = format!("`value` is {}; {metric} is {expected}", value.written);
        reader.error(&value.at, message);
        return false;
    }
    let Some(unit) = unit.filter(|unit| unit.family == Family::Fraction) else { return true };
    // A word error rate counts inserted words too, so that more than all words can be wrong.
    let above_one = metric == Metric::QualityWer;
    if unit.name == "fraction" && value.value > 1.0 {
        let message =
            format!("`value` is {} but a fraction is at most 1; did you mean the unit `%`?", value.written);
        reader.error(&value.at, message);
        return false;
    }
    if unit.name == "%" && value.value > 100.0 && !above_one {
        reader.error(&value.at, format!("`value` is {} % but {metric} is at most 100 %", value.written));
        return false;
    }
    if unit.name == "%" && value.value > 0.0 && value.value < 1.0 {
        let message = format!(
            "`value` is {} %, less than one in a hundred; did you mean the unit `fraction`?",
            value.written
        );
        reader.warn(&value.at, message);
    }
    true
}

/// Half a unit of the last printed digit of `written`, in the unit it is written in.
///
/// The final zeros of an integer could be digits or only fill the places, so they count as not printed, except that two
/// digits are always taken as meant: `740` is ±5 and so is `700`, while `1000` is ±50 and `50` is ±0.5. An author who
/// knows better writes `precision`.
fn half_of_last_digit(written: &str) -> f64 {
    let plain: String = written.chars().filter(|letter| *letter != '_').collect();
    let (mantissa, exponent) = plain.split_once(['e', 'E']).unwrap_or((&plain, "0"));
    let exponent = exponent.parse::<i32>().unwrap_or(0);
    let last_digit = match mantissa.split_once('.') {
        Some((_, decimals)) => -(decimals.len() as i32),
        None if plain.len() == mantissa.len() => {
            let digits = mantissa.trim_start_matches(['+', '-']);
            let zeros = digits.len() - digits.trim_end_matches('0').len();
            zeros.min(digits.len().saturating_sub(2)) as i32
        }
        // In `74e13` every digit is printed on purpose.
        None => 0,
    };
    format!("5e{}", i64::from(last_digit) + i64::from(exponent) - 1).parse().unwrap_or(0.0)
}

fn spread<'t>(reader: &mut Reader<'t>, result: &Table<'t>, value: Option<&Number<'t>>) -> Option<Spread> {
    const WORDS: &[(&str, SpreadKind)] = &[
        ("sd", SpreadKind::Sd),
        ("se", SpreadKind::Se),
        ("ci95", SpreadKind::Ci95),
        ("range", SpreadKind::Range),
        ("p20-p80", SpreadKind::P20P80),
    ];
    let (map, at) = reader.sub_table(result, "spread")?;
    let table = reader.table(map, at, "spread", &["kind", "lo", "hi", "value"]);
    if table.get("kind").is_none() {
        reader.missing(&table, "kind", "write one of: sd, se, ci95, range, p20-p80");
    }
    let kind = reader.word(&table, "kind", WORDS);
    let lo = reader.number(&table, "lo");
    let hi = reader.number(&table, "hi");
    let size = reader.number_where(&table, "value", |size| size >= 0.0, "a number of at least 0");
    let kind = kind?;
    let sized = matches!(kind, SpreadKind::Sd | SpreadKind::Se);
    let name = WORDS.iter().find(|(_, word)| *word == kind).map_or("", |(name, _)| *name);
    let (needed, foreign): (&[&str], &[&str]) =
        if sized { (&["value"], &["lo", "hi"]) } else { (&["lo", "hi"], &["value"]) };
    let mut good = true;
    for key in needed.iter().filter(|key| table.get(key).is_none()) {
        let all: Vec<_> = needed.iter().map(|key| format!("`{key}`")).collect();
        reader.missing(&table, key, &format!("a spread of kind `{name}` has {}", all.join(" and ")));
        good = false;
    }
    for key in foreign.iter().filter(|key| table.get(key).is_some()) {
        let all: Vec<_> = needed.iter().map(|key| format!("`{key}`")).collect();
        let message = format!("a spread of kind `{name}` has no `{key}`; it has {}", all.join(" and "));
        reader.error(&table.place_of(key), message);
        good = false;
    }
    if let (Some(lo), Some(hi)) = (&lo, &hi) {
        if lo.value > hi.value {
            let message = format!("`lo` is {} and above `hi`, {}; exchange them", lo.written, hi.written);
            reader.error(&lo.at, message);
            good = false;
        } else if let Some(value) = value.filter(|value| value.value < lo.value || value.value > hi.value) {
            let message = format!(
                "the spread {} to {} does not contain the value {}; give it in the unit of the value",
                lo.written, hi.written, value.written
            );
            reader.error(&table.at, message);
            good = false;
        }
    }
    let plain = |number: Option<Number<'_>>| number.map(|number| number.value);
    good.then(|| Spread { kind, lo: plain(lo), hi: plain(hi), value: plain(size) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn precision_is_half_of_the_last_printed_digit() {
        let table = [
            ("740", 5.0),
            ("741", 0.5),
            ("740.0", 0.05),
            ("92.2", 0.05),
            ("700", 5.0),
            ("1000", 50.0),
            ("1_000", 50.0),
            ("50", 0.5),
            ("5", 0.5),
            ("0", 0.5),
            ("+120", 5.0),
            ("7.4e2", 5.0),
            ("74e1", 5.0),
            ("1e6", 500_000.0),
            ("1.25E-3", 0.000_005),
            ("0.0010", 0.000_05),
        ];
        for (written, half) in table {
            assert_eq!(half_of_last_digit(written), half, "{written}");
        }
    }
}
