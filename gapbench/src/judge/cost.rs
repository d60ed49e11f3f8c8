//! What answers cost, from the rate at which they came and a declared price.
//!
//! Works on plain numbers: knows nothing of how the rate was measured or whether the price is fair. Without a price there
//! is nothing to compute, and none is assumed.

use std::fmt;

use super::Interval;
use crate::declare::Price;
use crate::record::date;
use crate::units::{Family, show, show_integer, show_interval, show_significant};

/// Seconds of the hour that a price is for.
const SECONDS_PER_HOUR: f64 = 3600.0;

/// How much work a cost is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Per {
    /// A thousand answered requests.
    ThousandRequests,
    /// A million tokens of answers.
    MillionOutputTokens,
}

impl Per {
    /// Requests or tokens.
    pub const fn work(self) -> f64 {
        match self {
            Per::ThousandRequests => 1e3,
            Per::MillionOutputTokens => 1e6,
        }
    }

    /// What is counted, in words.
    pub const fn what(self) -> &'static str {
        match self {
            Per::ThousandRequests => "requests",
            Per::MillionOutputTokens => "output tokens",
        }
    }
}

/// Why there is no cost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum NoCost {
    /// Nothing was answered inside the objectives.
    NoGoodput,
    /// The rate is no number of at least 0.
    Goodput(f64),
    /// The price of an hour is no number above 0.
    Price(f64),
    /// The share of an hour that works is not above 0 and at most 1.
    Utilisation(f64),
    /// The cost is more than a number holds.
    TooLarge,
}

impl fmt::Display for NoCost {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoCost::NoGoodput => formatter
                .write_str("no cost: nothing was answered inside the objectives, so no answer has a price"),
            NoCost::Goodput(rate) => {
                write!(
                    formatter,
                    "no cost: the goodput is {rate}; expected a number of at least 0 per second"
                )
            }
            NoCost::Price(price) => {
                write!(formatter, "no cost: an hour costs {price}; expected US dollars, a number above 0")
            }
            NoCost::Utilisation(share) => write!(
                formatter,
                "no cost: the utilisation is {share}; expected the share of paid time that works, above 0 and up to 1"
            ),
            NoCost::TooLarge => {
                formatter.write_str("no cost: it is more than a number holds; check price and goodput")
            }
        }
    }
}

impl std::error::Error for NoCost {}

/// US dollars for the work of `per`: `work * hourly / (3600 * goodput * utilisation)`.
///
/// `goodput` is the rate per second of requests, or of output tokens, that met every objective, of the whole fleet;
/// failures are out of it already. `fleet_usd_per_hour` is the price of one unit times their number. `utilisation` is the
/// share of the paid time in which the fleet is that busy: 1 unless somebody declares less. The interval is that of the
/// rate, turned around; its upper end is absent where the rate may be 0.
///
/// # Errors
/// [`NoCost`] where nothing was answered, and for numbers that cannot be.
pub fn dollars(
    per: Per,
    goodput: Interval,
    fleet_usd_per_hour: f64,
    utilisation: f64,
) -> Result<Interval, NoCost> {
    if !(fleet_usd_per_hour > 0.0 && fleet_usd_per_hour.is_finite()) {
        return Err(NoCost::Price(fleet_usd_per_hour));
    }
    if !(utilisation > 0.0 && utilisation <= 1.0) {
        return Err(NoCost::Utilisation(utilisation));
    }
    if !(goodput.value >= 0.0 && goodput.value.is_finite()) {
        return Err(NoCost::Goodput(goodput.value));
    }
    if goodput.value == 0.0 {
        return Err(NoCost::NoGoodput);
    }
    let at = |rate: f64| {
        let cost = per.work() * fleet_usd_per_hour / (SECONDS_PER_HOUR * rate * utilisation);
        (rate > 0.0 && cost.is_finite()).then_some(cost)
    };
    let value = at(goodput.value).ok_or(NoCost::TooLarge)?;
    Ok(Interval { value, lower: goodput.upper.and_then(at), upper: goodput.lower.and_then(at) })
}

/// The cost with its arithmetic, in one line: what was paid, for which price of which day, at which utilisation.
///
/// # Errors
/// As [`dollars`].
pub fn sentence(per: Per, goodput: Interval, price: &Price, utilisation: f64) -> Result<String, NoCost> {
    let cost = dollars(per, goodput, price.fleet_usd_per_hour(), utilisation)?;
    let interval = match (cost.lower, cost.upper) {
        (None, None) => String::new(),
        (lower, upper) => format!(" [{}]", show_interval(cost.value, lower, upper, Family::Usd)),
    };
    let things = if price.count == 1 { "" } else { "s" };
    Ok(format!(
        "{}{interval} per {work} {} = {work} x {} {}{things} x ${} / (3600 s x {} /s x utilisation {}), price of {}",
        show(cost.value, Family::Usd),
        per.what(),
        show_integer(price.count as f64),
        price.unit.thing(),
        price.written,
        show_significant(goodput.value, 4),
        show_significant(utilisation, 2),
        price.date,
        work = show_integer(per.work()),
    ))
}

/// A sentence where the price was read more than a year before the run, or after it. `run_unix` is the run's start in
/// seconds since 1970-01-01 UTC.
pub fn age_warning(price: &Price, run_unix: u64) -> Option<String> {
    let shown = date::show_utc(run_unix);
    let run = shown.split(' ').next().unwrap_or_default();
    let (now, then) = (day(run)?, day(&price.date)?);
    if then > now {
        return Some(format!("the price is of {}, after the run of {run}: check the date", price.date));
    }
    // The 29th of February has its anniversary on the 1st of March: the 28th sorts before it.
    let anniversary = (then.0 + 1, then.1, then.2);
    (now > anniversary).then(|| {
        format!("the price is of {}, more than a year before the run of {run}: look it up again", price.date)
    })
}

/// Year, month and day of `YYYY-MM-DD`.
fn day(date: &str) -> Option<(u32, u32, u32)> {
    let mut parts = date.split('-').map(|part| part.parse::<u32>().ok());
    Some((parts.next()??, parts.next()??, parts.next()??))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(value: f64, lower: Option<f64>, upper: Option<f64>) -> Interval {
        Interval { value, lower, upper }
    }

    fn alone(value: f64) -> Interval {
        rate(value, None, None)
    }

    fn price(line: &str) -> Price {
        Price::parse(line).unwrap()
    }

    /// Of one card at $2.95 an hour: 15,220 tokens/s offline and 8,018 at 50 clients are $0.054 and $0.102 per million.
    #[test]
    fn published_rates_at_a_price() {
        let million =
            |tokens: f64| dollars(Per::MillionOutputTokens, alone(tokens), 2.95, 1.0).unwrap().value;
        assert_eq!(format!("{:.3}", million(15_220.0)), "0.054");
        assert_eq!(format!("{:.3}", million(8018.0)), "0.102");
        // One request per second for an hour is 3,600 requests.
        let thousand = |rate, hourly, utilisation| {
            dollars(Per::ThousandRequests, alone(rate), hourly, utilisation).unwrap().value
        };
        assert_eq!(thousand(1.0, 3.6, 1.0), 1.0);
        assert_eq!(thousand(1.0, 3.6, 0.5), 2.0, "half of the paid time is idle");
        assert_eq!(thousand(10.0, 36.0, 1.0), 1.0, "ten machines, ten times the rate");
    }

    #[test]
    fn the_interval_is_the_rates_turned_around() {
        let of = |lower, upper| dollars(Per::ThousandRequests, rate(2.0, lower, upper), 3.6, 1.0).unwrap();
        let both = of(Some(1.0), Some(4.0));
        assert_eq!((both.lower, both.value, both.upper), (Some(0.25), 0.5, Some(1.0)));
        let open = of(None, Some(4.0));
        assert_eq!((open.lower, open.upper), (Some(0.25), None));
        assert_eq!(of(Some(0.0), None).upper, None, "a rate that may be 0 bounds no cost");
        assert_eq!(of(Some(-1.0), None).upper, None);
    }

    #[test]
    fn no_number_without_its_numbers() {
        let said = |goodput, hourly, utilisation| {
            dollars(Per::ThousandRequests, alone(goodput), hourly, utilisation).unwrap_err().to_string()
        };
        assert_eq!(
            said(0.0, 1.0, 1.0),
            "no cost: nothing was answered inside the objectives, so no answer has a price"
        );
        for rate in [-1.0, f64::NAN, f64::INFINITY] {
            assert!(said(rate, 1.0, 1.0).starts_with("no cost: the goodput is "), "{rate}");
        }
        for hourly in [0.0, -3.5, f64::NAN, f64::INFINITY] {
            assert!(said(1.0, hourly, 1.0).starts_with("no cost: an hour costs "), "{hourly}");
        }
        for share in [0.0, -0.1, 1.1, f64::NAN] {
            assert!(said(1.0, 1.0, share).starts_with("no cost: the utilisation is "), "{share}");
        }
        assert!(said(f64::MIN_POSITIVE, 1e9, 1.0).starts_with("no cost: it is more than a number holds"));
    }

    #[test]
    fn the_sentence_prints_everything_it_uses() {
        let two = price("3.50 USD/GPU-hour x2 2026-11-01 https://example.com/prices");
        assert_eq!(
            sentence(Per::ThousandRequests, rate(20.0, Some(19.0), Some(21.0)), &two, 0.6).unwrap(),
            "$0.162 [0.154..0.171] per 1,000 requests = 1,000 x 2 GPUs x $3.50 / (3600 s x 20.00 /s x utilisation 0.60), \
             price of 2026-11-01"
        );
        let one = price("98.32 USD/machine-hour 2026-11-01 https://example.com/prices");
        assert_eq!(
            sentence(Per::MillionOutputTokens, alone(12_345.0), &one, 1.0).unwrap(),
            "$2.21 per 1,000,000 output tokens = 1,000,000 x 1 machine x $98.32 / (3600 s x 12345 /s x utilisation 1.0), \
             price of 2026-11-01"
        );
        assert_eq!(sentence(Per::ThousandRequests, alone(0.0), &two, 1.0), Err(NoCost::NoGoodput));
    }

    #[test]
    fn an_old_price_is_said_to_be_old() {
        let warning = |date: &str, run_unix| {
            age_warning(&price(&format!("1 USD/GPU-hour {date} https://example.com")), run_unix)
        };
        // 2026-11-24 21:30:05 UTC.
        const RUN: u64 = 1_795_555_805;
        assert_eq!(warning("2026-11-24", RUN), None);
        assert_eq!(warning("2025-11-24", RUN), None, "a year to the day");
        assert_eq!(
            warning("2025-11-23", RUN).as_deref(),
            Some(
                "the price is of 2025-11-23, more than a year before the run of 2026-11-24: look it up again"
            )
        );
        assert_eq!(
            warning("2026-11-25", RUN).as_deref(),
            Some("the price is of 2026-11-25, after the run of 2026-11-24: check the date")
        );
        // 2025-02-28 and 2025-03-01, midnight UTC.
        assert_eq!(warning("2024-02-29", 1_740_700_800), None);
        assert!(warning("2024-02-29", 1_740_787_200).is_some());
    }
}
