//! What an hour of hardware costs, as an author declares it: dated, with its source, and never assumed.
//!
//! Knows nothing of how much was done in that hour.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::reader::{allowed, did_you_mean, quoted};
use super::source;

/// The dearest price of one unit that is taken for meant, in US dollars per hour.
pub(super) const DEAREST: f64 = 100_000.0;

/// What the price is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PriceUnit {
    /// One GPU for one hour.
    #[serde(rename = "USD/GPU-hour")]
    GpuHour,
    /// One machine for one hour, whatever is in it.
    #[serde(rename = "USD/machine-hour")]
    MachineHour,
}

impl PriceUnit {
    /// Every unit with its spelling.
    pub const ALL: &'static [(&'static str, PriceUnit)] =
        &[("USD/GPU-hour", PriceUnit::GpuHour), ("USD/machine-hour", PriceUnit::MachineHour)];

    /// The unit of this exact spelling, or what to write. Another currency is not taken for a typo: its number is another.
    pub(super) fn parse(word: &str) -> Result<PriceUnit, String> {
        if let Some((_, unit)) = PriceUnit::ALL.iter().find(|(name, _)| *name == word) {
            return Ok(*unit);
        }
        let names: Vec<&'static str> = PriceUnit::ALL.iter().map(|(name, _)| *name).collect();
        let foreign = word.split_once('/').filter(|(currency, _)| !currency.eq_ignore_ascii_case("usd"));
        let hint = match foreign {
            Some(_) => " prices are in US dollars: convert it;".to_owned(),
            None => did_you_mean(word, &names),
        };
        Err(format!("unknown unit {};{hint} {}", quoted(word), PriceUnit::words()))
    }

    /// The spellings, for messages.
    fn words() -> String {
        let names: Vec<&'static str> = PriceUnit::ALL.iter().map(|(name, _)| *name).collect();
        allowed("allowed words", &names)
    }

    /// What is paid for: `GPU` or `machine`.
    pub const fn thing(self) -> &'static str {
        match self {
            PriceUnit::GpuHour => "GPU",
            PriceUnit::MachineHour => "machine",
        }
    }
}

impl fmt::Display for PriceUnit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = PriceUnit::ALL.iter().find(|(_, unit)| unit == self).map_or("", |(name, _)| *name);
        formatter.write_str(name)
    }
}

/// A declared price, as [`Price::parse`] and `[cost]` of a claims file give it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Price {
    /// US dollars for one unit and hour, above 0.
    pub usd_per_hour: f64,
    /// The digits as written, without exponent or `_`: `3.50`.
    pub written: String,
    /// What is paid for.
    pub unit: PriceUnit,
    /// How many of them serve, from 1.
    pub count: u64,
    /// The day the price was read, `YYYY-MM-DD`.
    pub date: String,
    /// Where it stands: an address or a file.
    pub source: String,
}

/// A price in one line, as messages show it.
const FORM: &str = "3.50 USD/GPU-hour x2 2026-11-01 https://example.com/prices";

impl Price {
    /// Reads a price from one line: the price, its unit, `x` and the count (1 where it is left out), the day it was read,
    /// and where it stands, with blanks between: `3.50 USD/GPU-hour x2 2026-11-01 https://example.com/prices`.
    ///
    /// # Errors
    /// [`PriceError`] with the place of the first word that is not understood, and what belongs there.
    pub fn parse(line: &str) -> Result<Price, PriceError> {
        let mut words = Words { line, offset: 0 };
        let written = words.next("the price in US dollars for one hour, such as 3.50")?;
        let amount = written.text.parse::<f64>().ok().filter(|_| is_plain(written.text));
        let Some(usd_per_hour) = amount.filter(|amount| is_price(*amount)) else {
            return Err(written
                .fault(line, format!("the price is {}; expected {}", quoted(written.text), price_words())));
        };
        let unit = words.next(&format!("the unit of the price; {}", PriceUnit::words()))?;
        let found = PriceUnit::parse(unit.text).map_err(|message| unit.fault(line, message))?;
        let next = words.next("the day the price was read, such as 2026-11-01")?;
        let (count, date) = match next.text.strip_prefix('x') {
            None => (1, next),
            Some(digits) => {
                let whole = digits.bytes().all(|byte| byte.is_ascii_digit());
                let count = digits.parse::<u64>().ok().filter(|count| whole && *count >= 1);
                let Some(count) = count else {
                    let message = format!(
                        "the count is {}; expected x and a whole number from 1 on, such as x2",
                        quoted(next.text)
                    );
                    return Err(next.fault(line, message));
                };
                (count, words.next("the day the price was read, such as 2026-11-01")?)
            }
        };
        if !source::is_date(date.text, source::DatePrecision::Day) {
            let message =
                format!("the date is {}; expected an existing day as YYYY-MM-DD", quoted(date.text));
            return Err(date.fault(line, message));
        }
        let address = words.next("where the price stands: an address that begins with https://")?;
        if !source::is_address(address.text) {
            let message =
                format!("the source is {}; expected {}", quoted(address.text), source::ADDRESS_WORDS);
            return Err(address.fault(line, message));
        }
        if let Some(more) = words.word() {
            return Err(
                more.fault(line, format!("nothing follows the source, but here is {}", quoted(more.text)))
            );
        }
        Ok(Price {
            usd_per_hour,
            written: written.text.to_owned(),
            unit: found,
            count,
            date: date.text.to_owned(),
            source: address.text.to_owned(),
        })
    }

    /// US dollars for an hour of all of them.
    pub fn fleet_usd_per_hour(&self) -> f64 {
        self.usd_per_hour * self.count as f64
    }
}

impl fmt::Display for Price {
    /// The line that [`Price::parse`] reads.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {} x{} {} {}", self.written, self.unit, self.count, self.date, self.source)
    }
}

/// Whether a number is written in digits and at most a point.
pub(super) fn is_plain(written: &str) -> bool {
    written.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

/// Whether a number is a price of one unit and hour.
pub(super) fn is_price(amount: f64) -> bool {
    amount > 0.0 && amount <= DEAREST
}

/// What [`is_price`] accepts, in words.
pub(super) fn price_words() -> String {
    format!("US dollars for one hour, a number above 0 and up to {DEAREST}, such as 3.50")
}

/// A line that is no price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceError {
    /// Where in the line, in characters from 1.
    pub column: usize,
    /// What was found and what was expected.
    pub message: String,
}

impl fmt::Display for PriceError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "character {}: {}; a whole price is `{FORM}`", self.column, self.message)
    }
}

impl std::error::Error for PriceError {}

/// The words of a line with their places in bytes.
struct Words<'a> {
    line: &'a str,
    offset: usize,
}

struct Word<'a> {
    text: &'a str,
    offset: usize,
}

impl<'a> Words<'a> {
    fn word(&mut self) -> Option<Word<'a>> {
        let rest = self.line.get(self.offset..)?;
        let start = self.offset + (rest.len() - rest.trim_start().len());
        let text = self.line.get(start..)?.split_whitespace().next()?;
        self.offset = start + text.len();
        Some(Word { text, offset: start })
    }

    fn next(&mut self, expected: &str) -> Result<Word<'a>, PriceError> {
        self.word().ok_or_else(|| {
            let end = Word { text: "", offset: self.line.trim_end().len() };
            end.fault(self.line, format!("the price ends here; expected {expected}"))
        })
    }
}

impl Word<'_> {
    fn fault(&self, line: &str, message: String) -> PriceError {
        let before = line.get(..self.offset).unwrap_or("");
        PriceError { column: before.chars().count() + 1, message }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_in_one_line() {
        let line = "3.50 USD/GPU-hour x2 2026-11-01 https://example.com/prices";
        let price = Price::parse(line).unwrap();
        assert_eq!((price.usd_per_hour, price.unit, price.count), (3.5, PriceUnit::GpuHour, 2));
        assert_eq!(
            (price.date.as_str(), price.source.as_str()),
            ("2026-11-01", "https://example.com/prices")
        );
        assert_eq!(price.fleet_usd_per_hour(), 7.0);
        assert_eq!(price.to_string(), line);
        let one = Price::parse("  98.32\tUSD/machine-hour 2024-02-29 ./prices.md ").unwrap();
        assert_eq!((one.count, one.unit.thing(), one.written.as_str()), (1, "machine", "98.32"));
        assert_eq!(Price::parse(&one.to_string()), Ok(one));
    }

    #[test]
    fn every_mistake_has_its_place() {
        let said = |line: &str| {
            let text = Price::parse(line).unwrap_err().to_string();
            text.strip_suffix(&format!("; a whole price is `{FORM}`")).unwrap().to_owned()
        };
        let dollars = "expected US dollars for one hour, a number above 0 and up to 100000, such as 3.50";
        assert_eq!(
            said(""),
            "character 1: the price ends here; expected the price in US dollars for one hour, such as 3.50"
        );
        for amount in ["$3.50", "3,50", "0", "-1", "nan", "inf", "1e3", "100001", "3.5.0"] {
            let expected = format!("character 1: the price is `{amount}`; {dollars}");
            assert_eq!(said(&format!("{amount} USD/GPU-hour 2026-11-01 https://a.b")), expected);
        }
        let words = "allowed words: USD/GPU-hour, USD/machine-hour";
        assert_eq!(
            said("3.50  "),
            format!("character 5: the price ends here; expected the unit of the price; {words}")
        );
        assert_eq!(
            said("3.50 USD/gpu-hour"),
            format!("character 6: unknown unit `USD/gpu-hour`; did you mean `USD/GPU-hour`? {words}")
        );
        assert_eq!(
            said("3.50 €/h 2026-11-01"),
            format!("character 6: unknown unit `€/h`; prices are in US dollars: convert it; {words}")
        );
        assert_eq!(
            said("3.50 USD/GPU-hour 2x 2026-11-01 https://a.b"),
            "character 19: the date is `2x`; expected an existing day as YYYY-MM-DD"
        );
        for count in ["x", "x0", "x-1", "x2.5", "x+2"] {
            let expected = format!(
                "character 19: the count is `{count}`; expected x and a whole number from 1 on, such as x2"
            );
            assert_eq!(said(&format!("3.50 USD/GPU-hour {count} 2026-11-01 https://a.b")), expected);
        }
        assert_eq!(
            said("3.50 USD/GPU-hour x2"),
            "character 21: the price ends here; expected the day the price was read, such as 2026-11-01"
        );
        assert_eq!(
            said("3.50 USD/GPU-hour 2026-02-30 https://a.b"),
            "character 19: the date is `2026-02-30`; expected an existing day as YYYY-MM-DD"
        );
        assert_eq!(
            said("3.50 USD/GPU-hour 2026-11-01"),
            "character 29: the price ends here; expected where the price stands: an address that begins with https://"
        );
        assert_eq!(
            said("3.50 USD/GPU-hour 2026-11-01 example.com"),
            "character 30: the source is `example.com`; expected an address that begins with https://, or a file's path \
             that begins with ./ or ../"
        );
        assert_eq!(
            said("3.50 USD/GPU-hour 2026-11-01 https://a.b x2"),
            "character 42: nothing follows the source, but here is `x2`"
        );
    }
}
