//! A size in bytes as a person writes it: `80GiB`.
//!
//! Knows nothing of what has that size.

use super::FootprintError;
use super::error::quoted;
use crate::units::{Family, Unit};

/// The largest size that is taken for meant: 2^60 bytes, one exbibyte.
const LARGEST: f64 = 1_152_921_504_606_846_976.0;

/// The bytes that `text` says: a number above 0 and a unit of size, with or without a blank between (`80GiB`, `0.5 GB`).
/// `MB` is 10^6 bytes, `MiB` is 2^20. `name` is what a message calls it.
///
/// # Errors
/// [`FootprintError::Demand`] for a number that is not above 0 or above 2^60 bytes, and for a unit outside the vocabulary.
pub fn parse_bytes(name: &'static str, text: &str) -> Result<u64, FootprintError> {
    let fault = |expected: String| FootprintError::Demand { name, found: quoted(text), expected };
    let trimmed = text.trim();
    let end = trimmed.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(trimmed.len());
    let (digits, unit) = trimmed.split_at(end);
    let units = Family::Bytes.names().join(", ");
    let number: f64 = digits
        .parse()
        .map_err(|_| fault(format!("a number above 0 and one of the units {units}, such as 80GiB")))?;
    let unit = match Unit::parse(unit.trim_start()) {
        Ok(unit) if unit.family == Family::Bytes => unit,
        _ => return Err(fault(format!("one of the units {units} after the number, such as 80GiB"))),
    };
    let bytes = (number * unit.factor).round();
    if !(1.0..=LARGEST).contains(&bytes) {
        return Err(fault("a size from 1 byte to 2^60 bytes".to_owned()));
    }
    // The cast is exact: a whole number within 64 bits.
    Ok(bytes as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_a_number_and_a_unit() {
        assert_eq!(parse_bytes("memory", "80GiB"), Ok(85_899_345_920));
        assert_eq!(parse_bytes("memory", " 23.58 GiB "), Ok(25_318_832_210));
        assert_eq!(parse_bytes("stated", "80 MB"), Ok(80_000_000));
        assert_eq!(parse_bytes("stated", "1B"), Ok(1));
    }

    #[test]
    fn anything_else_says_what_is_allowed() {
        let said = |text: &str| parse_bytes("memory", text).unwrap_err().to_string();
        assert_eq!(
            said("80G"),
            "plan the memory: memory is `80G`; expected one of the units B, kB, MB, GB, KiB, MiB, GiB after the number, \
             such as 80GiB"
        );
        for text in [
            "80",
            "",
            "GiB",
            "-1GiB",
            "0GiB",
            "1e3GiB",
            "80 gib",
            "80GiB x",
            "1.2.3GB",
            "99999999999GiB",
            "5 s",
        ] {
            assert!(said(text).contains("expected"), "{text}");
        }
    }
}
