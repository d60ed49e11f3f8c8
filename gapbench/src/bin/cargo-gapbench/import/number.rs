//! Numbers as sources print them. The digits stay; what is no plain decimal number is refused with the reason. Knows
//! nothing of what is counted.

/// A number as printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Written {
    /// Decimal digits as TOML can hold them.
    pub(super) value: String,
    /// What stands behind `±`.
    pub(super) plus_minus: Option<String>,
    /// Whether a `%` stands behind it.
    pub(super) percent: bool,
    /// What was changed.
    pub(super) note: Option<String>,
}

/// Reads `85.3`, `85.3 %`, `20.0 ± 1.2` or `20.0 +/- 1.2`.
///
/// # Errors
/// Why it is none of these.
pub(super) fn read(text: &str) -> Result<Written, String> {
    let text = text.trim();
    let (text, percent) = match text.strip_suffix('%') {
        Some(rest) => (rest.trim_end(), true),
        None => (text, false),
    };
    let parts = ["±", "+/-", "+-"].iter().find_map(|mark| text.split_once(mark));
    let (value, plus_minus) = match parts {
        Some((value, width)) => (value, Some(width)),
        None => (text, None),
    };
    let (value, value_percent) = match value.trim().strip_suffix('%') {
        Some(rest) => (rest.trim_end(), true),
        None => (value.trim(), false),
    };
    let (value, note) = decimal(value)?;
    let plus_minus = match plus_minus {
        Some(width) => {
            let (width, _) = decimal(width.trim()).map_err(|why| format!("what stands behind `±` {why}"))?;
            if width.starts_with('-') {
                return Err("has a negative number behind `±`".to_owned());
            }
            Some(width)
        }
        None => None,
    };
    Ok(Written { value, plus_minus, percent: percent || value_percent, note })
}

/// The digits, and what was changed about them.
fn decimal(text: &str) -> Result<(String, Option<String>), String> {
    let bare = text.trim_start_matches(['+', '-']);
    let lower = bare.trim_start_matches('.').to_ascii_lowercase();
    if text.is_empty() {
        return Err("is empty; no number was published".to_owned());
    }
    if matches!(lower.as_str(), "nan" | "inf" | "infinity" | "n/a" | "na" | "none" | "null") {
        return Err("is not a number; what was not measured is no claim".to_owned());
    }
    if text.len() > 60 {
        return Err(format!("is longer than a number, {} bytes", text.len()));
    }
    if bare.contains(',') {
        return Err("has a comma, which parts thousands for some and decimals for others".to_owned());
    }
    let sign = text.strip_suffix(bare).unwrap_or("");
    let (mantissa, exponent) = match bare.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (bare, None),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, decimals) = match mantissa.split_once('.') {
        Some((whole, decimals)) => (whole, Some(decimals)),
        None => (mantissa, None),
    };
    let good = (digits(whole) || (whole.is_empty() && decimals.is_some_and(digits)))
        && decimals.is_none_or(|decimals| decimals.is_empty() || digits(decimals))
        && exponent.is_none_or(|exponent| digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)))
        && sign.len() <= 1;
    if !good {
        return Err("is not a decimal number".to_owned());
    }
    // TOML wants a digit on both sides of the point and no zeros before the number.
    let trimmed = whole.trim_start_matches('0');
    let whole = if trimmed.is_empty() { "0" } else { trimmed };
    let mut written = format!("{sign}{whole}");
    if let Some(decimals) = decimals.filter(|decimals| !decimals.is_empty()) {
        written.push('.');
        written.push_str(decimals);
    }
    if let Some(exponent) = exponent {
        written.push('e');
        written.push_str(exponent);
    }
    let same = written.eq_ignore_ascii_case(text);
    let note = (!same).then(|| format!("{text} is written {written}, as TOML wants it"));
    Ok((if same { text.to_owned() } else { written }, note))
}

/// The value as a float; only for comparisons, never for what is written.
pub(super) fn float(digits: &str) -> f64 {
    digits.parse().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_stay() {
        for text in ["85.30", "1e-05", "-0.5", "+3", "740", "0", "12.1E3", "847797350766"] {
            let written = read(text).unwrap();
            assert_eq!((written.value.as_str(), written.note), (text, None));
        }
        for (text, toml) in
            [(".5", "0.5"), ("5.", "5"), ("007", "7"), ("-.25e1", "-0.25e1"), ("00.50", "0.50")]
        {
            let written = read(text).unwrap();
            assert_eq!(written.value, toml);
            assert!(written.note.unwrap().contains(text));
        }
    }

    #[test]
    fn what_stands_beside_the_number() {
        let spread = |text: &str| {
            let written = read(text).unwrap();
            (written.value, written.plus_minus, written.percent)
        };
        let width = |text: &str| Some(text.to_owned());
        assert_eq!(spread("20.0 ± 1.2"), ("20.0".to_owned(), width("1.2"), false));
        assert_eq!(spread("7.56 +/- 2.71"), ("7.56".to_owned(), width("2.71"), false));
        assert_eq!(spread("85.3%"), ("85.3".to_owned(), None, true));
        assert_eq!(spread("85.3 % ± 1 %"), ("85.3".to_owned(), width("1"), true));
    }

    #[test]
    fn what_is_no_number_says_why() {
        for (text, why) in [
            ("", "is empty"),
            ("NaN", "not measured"),
            ("-inf", "not measured"),
            ("nan +/- nan", "not measured"),
            (".nan", "not measured"),
            ("1,234.5", "comma"),
            ("0x1F", "not a decimal"),
            ("1_000", "not a decimal"),
            ("20.0 ± -1", "negative"),
            ("20 ± x", "behind `±`"),
            ("1e", "not a decimal"),
            ("--1", "not a decimal"),
            (".", "not a decimal"),
            ("about 5", "not a decimal"),
        ] {
            assert!(read(text).unwrap_err().contains(why), "{text}: {:?}", read(text));
        }
        assert!(read(&"9".repeat(400)).unwrap_err().contains("400 bytes"));
    }
}
