//! Numbers as a person reads them: a fitting prefix and few digits.

use super::Family;

/// `value` in the canonical unit of `family`, with a prefix that keeps one to three digits before the point.
///
/// Three significant digits.
pub fn show(value: f64, family: Family) -> String {
    let (scale, name) = prefix(value.abs(), family);
    if name.is_empty() {
        show_significant(value * scale, 3)
    } else if name == "%" {
        format!("{} %", show_significant(value * scale, 3))
    } else if name == "$" {
        format!("${}", show_significant(value * scale, 3))
    } else {
        format!("{} {name}", show_significant(value * scale, 3))
    }
}

/// The interval `[lower, upper]` in the unit that fits `value`; an end that the sample cannot bound is shown as `?`. The
/// ends have three significant digits, and as many more, up to six, as tell them apart.
pub fn show_interval(value: f64, lower: Option<f64>, upper: Option<f64>, family: Family) -> String {
    let (scale, _) = prefix(value.abs(), family);
    let end = |bound: Option<f64>, digits| {
        bound.map_or_else(|| "?".to_owned(), |bound| show_significant(bound * scale, digits))
    };
    let apart = |digits: &usize| lower == upper || end(lower, *digits) != end(upper, *digits);
    let digits = (3..=6).find(apart).unwrap_or(6);
    format!("{}..{}", end(lower, digits), end(upper, digits))
}

/// A share as a percentage with one decimal: `0.117` is `11.7 %`.
pub fn show_percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// `value` rounded to a whole number, thousands separated by commas, as libtest prints nanoseconds.
pub fn show_integer(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if value <= -0.5 { format!("-{grouped}") } else { grouped }
}

/// `value` with `digits` significant digits and no exponent between 0.001 and 10^15.
pub fn show_significant(value: f64, digits: usize) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let magnitude = value.abs().log10().floor();
    if !(-4.0..15.0).contains(&magnitude) {
        return format!("{value:.precision$e}", precision = digits.saturating_sub(1));
    }
    // The cast cannot truncate: magnitude lies in [-4, 15).
    let decimals = (digits as i32 - 1 - magnitude as i32).max(0) as usize;
    format!("{value:.decimals$}")
}

fn prefix(magnitude: f64, family: Family) -> (f64, &'static str) {
    let steps: &[(f64, f64, &str)] = match family {
        Family::Time => &[(1.0, 1.0, "s"), (1e-3, 1e3, "ms"), (1e-6, 1e6, "µs"), (0.0, 1e9, "ns")],
        Family::Rate => &[(1e6, 1e-6, "M/s"), (1e4, 1e-3, "k/s"), (0.0, 1.0, "/s")],
        Family::Flops => &[(1e12, 1e-12, "TFLOP/s"), (1e9, 1e-9, "GFLOP/s"), (0.0, 1e-6, "MFLOP/s")],
        Family::ByteRate => &[(1e12, 1e-12, "TB/s"), (1e9, 1e-9, "GB/s"), (0.0, 1e-6, "MB/s")],
        Family::Bytes => &[
            (1_073_741_824.0, 1.0 / 1_073_741_824.0, "GiB"),
            (1_048_576.0, 1.0 / 1_048_576.0, "MiB"),
            (1024.0, 1.0 / 1024.0, "KiB"),
            (0.0, 1.0, "B"),
        ],
        Family::Fraction => &[(0.0, 100.0, "%")],
        Family::Number => &[(0.0, 1.0, "")],
        Family::Usd => &[(0.0, 1.0, "$")],
    };
    steps.iter().find(|(from, ..)| magnitude >= *from).map_or((1.0, ""), |(_, scale, name)| (*scale, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_and_digits() {
        assert_eq!(show(0.000_312_4, Family::Time), "312 µs");
        assert_eq!(show(1.5, Family::Time), "1.50 s");
        assert_eq!(show(0.921, Family::Fraction), "92.1 %");
        assert_eq!(show(740e12, Family::Flops), "740 TFLOP/s");
        assert_eq!(show(2_250_000.0, Family::Bytes), "2.15 MiB");
        assert_eq!(show(0.0, Family::Time), "0 ns");
        assert_eq!(show(3120.4, Family::Rate), "3120 /s");
        assert_eq!(show_interval(0.0003, Some(0.00029), None, Family::Time), "290..?");
        assert_eq!(show_interval(3.1e-3, Some(3.1121e-3), Some(3.1144e-3), Family::Time), "3.112..3.114");
        assert_eq!(show_interval(0.5, Some(0.5), Some(0.5), Family::Fraction), "50.0..50.0");
        assert_eq!(show_percent(0.1174), "11.7 %");
        assert_eq!(
            ["0", "999", "1,000", "-1,234,567"],
            [0.4, 999.0, 1000.0, -1_234_567.0].map(show_integer).each_ref().map(String::as_str)
        );
    }
}
