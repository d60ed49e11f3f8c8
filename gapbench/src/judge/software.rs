//! Versions and what a paper requires of them.

use std::cmp::Ordering;

/// Whether `version` meets `required`: comma-separated parts, each `>=`, `>`, `<=`, `<`, `=` or `==` and a version, or a
/// bare version, which is a prefix (`1.2` is met by `1.2.3`). Missing components count as zero except in a prefix.
pub(super) fn meets(version: &str, required: &str) -> bool {
    required.split(',').map(str::trim).filter(|part| !part.is_empty()).all(|part| meets_part(version, part))
}

fn meets_part(version: &str, part: &str) -> bool {
    type Test = fn(Ordering) -> bool;
    const OPERATORS: [(&str, Test); 6] = [
        (">=", Ordering::is_ge),
        ("<=", Ordering::is_le),
        ("==", Ordering::is_eq),
        (">", Ordering::is_gt),
        ("<", Ordering::is_lt),
        ("=", Ordering::is_eq),
    ];
    let ours = components(version);
    match OPERATORS.iter().find_map(|(sign, test)| part.strip_prefix(sign).map(|rest| (rest, test))) {
        Some((rest, test)) => test(compare(&ours, &components(rest))),
        None => {
            let prefix = components(part);
            ours.len() >= prefix.len() && prefix.iter().zip(&ours).all(|(theirs, ours)| theirs == ours)
        }
    }
}

/// `v1.20.3b1+cu126` is `1 "", 20 "", 3 "b1"`: a number and the text after it, per dot.
fn components(version: &str) -> Vec<(u64, String)> {
    let version = version.trim().to_lowercase();
    let release = version.split('+').next().unwrap_or_default();
    let release = release.strip_prefix('v').unwrap_or(release);
    release
        .split('.')
        .map(|component| {
            let digits: String = component.chars().take_while(char::is_ascii_digit).collect();
            let rest = component.get(digits.len()..).unwrap_or_default().to_owned();
            (digits.parse().unwrap_or(0), rest)
        })
        .collect()
}

fn compare(ours: &[(u64, String)], theirs: &[(u64, String)]) -> Ordering {
    let zero = (0, String::new());
    (0..ours.len().max(theirs.len()))
        .map(|index| {
            let (a, b) = (ours.get(index).unwrap_or(&zero), theirs.get(index).unwrap_or(&zero));
            // A suffix marks what comes before the release: 3.0.0b1 is older than 3.0.0.
            a.0.cmp(&b.0).then_with(|| match (a.1.is_empty(), b.1.is_empty()) {
                (true, false) => Ordering::Greater,
                (false, true) => Ordering::Less,
                _ => a.1.cmp(&b.1),
            })
        })
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requirements() {
        let table = [
            ("12.4", ">=12.3", true),
            ("12.10", ">=12.9", true),
            ("12.3", ">12.3", false),
            ("12.3.1", ">12.3", true),
            ("11.8", ">=12.3", false),
            ("2.0", "<2.0", false),
            ("1.9.9", "< 2", true),
            ("2", "<=2.0.0", true),
            ("1.2.0", "=1.2", true),
            ("1.2.3", "==1.2", false),
            ("1.2.3", "1.2", true),
            ("1.20", "1.2", false),
            ("1", "1.2", false),
            ("v2.6.0+cu126", "2.6.0", true),
            ("3.0.0b1", "3.0.0b1", true),
            ("3.0.0b1", ">=3.0.0", false),
            ("3.0.0", ">=3.0.0b1", true),
            ("12.5", ">=12.3,<13", true),
            ("13.0", ">=12.3, <13", false),
            ("nightly", "nightly", true),
            ("nightly", "stable", false),
        ];
        for (version, required, expected) in table {
            assert_eq!(meets(version, required), expected, "{version} {required}");
        }
    }
}
