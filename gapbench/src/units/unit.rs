//! A closed vocabulary of units, each with its family and its factor to the family's canonical unit.

use std::fmt;

/// What a unit measures. Two units convert into each other exactly when their families are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// Seconds.
    Time,
    /// Things done per second; what is counted (requests, tokens, samples) belongs to the metric.
    Rate,
    /// Floating-point operations per second.
    Flops,
    /// Bytes per second.
    ByteRate,
    /// Bytes.
    Bytes,
    /// A share of one: 0.5 is one half.
    Fraction,
    /// A pure number without an upper bound, such as a perplexity.
    Number,
    /// United States dollars.
    Usd,
}

impl Family {
    /// The name of the canonical unit, in which every recorded number is kept.
    pub const fn canonical(self) -> &'static str {
        match self {
            Family::Time => "s",
            Family::Rate => "/s",
            Family::Flops => "FLOP/s",
            Family::ByteRate => "B/s",
            Family::Bytes => "B",
            Family::Fraction => "fraction",
            Family::Number => "1",
            Family::Usd => "USD",
        }
    }

    /// Every unit name of this family, for error messages.
    pub fn names(self) -> Vec<&'static str> {
        UNITS.iter().filter(|unit| unit.family == self).map(|unit| unit.name).collect()
    }
}

impl fmt::Display for Family {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Family::Time => "time",
            Family::Rate => "rate",
            Family::Flops => "arithmetic rate",
            Family::ByteRate => "byte rate",
            Family::Bytes => "size",
            Family::Fraction => "share",
            Family::Number => "pure number",
            Family::Usd => "money",
        })
    }
}

/// One unit as an author may write it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unit {
    /// The spelling, case-sensitive: `MB` is 10^6 bytes and `MiB` is 2^20.
    pub name: &'static str,
    /// What it measures.
    pub family: Family,
    /// How many canonical units one of these is.
    pub factor: f64,
}

const fn unit(name: &'static str, family: Family, factor: f64) -> Unit {
    Unit { name, family, factor }
}

/// Decimal prefixes follow SI, binary prefixes IEC 80000-13.
const UNITS: &[Unit] = &[
    unit("s", Family::Time, 1.0),
    unit("ms", Family::Time, 1e-3),
    unit("us", Family::Time, 1e-6),
    unit("µs", Family::Time, 1e-6),
    unit("ns", Family::Time, 1e-9),
    unit("min", Family::Time, 60.0),
    unit("/s", Family::Rate, 1.0),
    unit("requests/s", Family::Rate, 1.0),
    unit("queries/s", Family::Rate, 1.0),
    unit("samples/s", Family::Rate, 1.0),
    unit("sentences/s", Family::Rate, 1.0),
    unit("tokens/s", Family::Rate, 1.0),
    unit("elements/s", Family::Rate, 1.0),
    unit("FLOP/s", Family::Flops, 1.0),
    unit("GFLOP/s", Family::Flops, 1e9),
    unit("TFLOP/s", Family::Flops, 1e12),
    unit("PFLOP/s", Family::Flops, 1e15),
    unit("B/s", Family::ByteRate, 1.0),
    unit("MB/s", Family::ByteRate, 1e6),
    unit("GB/s", Family::ByteRate, 1e9),
    unit("TB/s", Family::ByteRate, 1e12),
    unit("MiB/s", Family::ByteRate, 1_048_576.0),
    unit("GiB/s", Family::ByteRate, 1_073_741_824.0),
    unit("B", Family::Bytes, 1.0),
    unit("kB", Family::Bytes, 1e3),
    unit("MB", Family::Bytes, 1e6),
    unit("GB", Family::Bytes, 1e9),
    unit("KiB", Family::Bytes, 1024.0),
    unit("MiB", Family::Bytes, 1_048_576.0),
    unit("GiB", Family::Bytes, 1_073_741_824.0),
    unit("fraction", Family::Fraction, 1.0),
    unit("%", Family::Fraction, 1e-2),
    unit("1", Family::Number, 1.0),
    unit("USD", Family::Usd, 1.0),
];

impl Unit {
    /// The unit of this exact spelling.
    ///
    /// # Errors
    /// [`UnitError`] with a suggestion when the spelling is not in the vocabulary; a typo never becomes a default.
    pub fn parse(name: &str) -> Result<Unit, UnitError> {
        UNITS.iter().copied().find(|unit| unit.name == name).ok_or_else(|| UnitError {
            found: name.to_owned(),
            nearest: UNITS
                .iter()
                .map(|unit| {
                    (strsim::jaro_winkler(&unit.name.to_lowercase(), &name.to_lowercase()), unit.name)
                })
                .filter(|(score, _)| *score > 0.75)
                .max_by(|a, b| a.0.total_cmp(&b.0))
                .map(|(_, name)| name),
        })
    }
}

/// A unit outside the vocabulary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitError {
    /// What was written.
    pub found: String,
    /// The closest known spelling, if one is close.
    pub nearest: Option<&'static str>,
}

impl fmt::Display for UnitError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "unknown unit `{}`", self.found)?;
        match self.nearest {
            Some(name) => write!(formatter, "; did you mean `{name}`?"),
            None => {
                let names: Vec<_> = UNITS.iter().map(|unit| unit.name).collect();
                write!(formatter, "; known units: {}", names.join(", "))
            }
        }
    }
}

impl std::error::Error for UnitError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spelling_decides() {
        assert_eq!(Unit::parse("MB").unwrap().factor, 1e6);
        assert_eq!(Unit::parse("MiB").unwrap().factor, 1_048_576.0);
        assert_eq!(Unit::parse("%").unwrap().family, Family::Fraction);
        assert_eq!(Unit::parse("Ms").unwrap_err().nearest, Some("ms"));
        assert!(Unit::parse("furlongs").unwrap_err().to_string().contains("known units: s, ms"));
    }

    #[test]
    fn names_are_unique_and_every_family_has_its_canonical_unit() {
        for (index, unit) in UNITS.iter().enumerate() {
            assert!(UNITS[..index].iter().all(|other| other.name != unit.name), "{} twice", unit.name);
            let canonical = Unit::parse(unit.family.canonical()).unwrap();
            assert_eq!((canonical.family, canonical.factor), (unit.family, 1.0));
        }
    }
}
