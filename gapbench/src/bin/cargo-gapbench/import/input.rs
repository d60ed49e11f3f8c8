//! A file as text, or why not. Knows no format.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::document::{Refusal, place_of};

/// Larger files are not results: a table of all of a project's kernels has less than 10 MiB.
const MOST_BYTES: u64 = 64 << 20;

/// The text of the file at `path`, without a byte order mark.
///
/// # Errors
/// A file that cannot be opened, is too large, is empty or is not UTF-8, the last with its place.
pub(super) fn read(path: &Path) -> Result<String, Refusal> {
    let failed = |error: std::io::Error| Refusal::whole(format!("cannot be read: {error}"));
    let mut bytes = Vec::new();
    File::open(path).map_err(failed)?.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MOST_BYTES {
        let message = format!("has more than {MOST_BYTES} bytes; check that it is the right file");
        return Err(Refusal::whole(message));
    }
    text(bytes)
}

fn text(bytes: Vec<u8>) -> Result<String, Refusal> {
    let utf16 = bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF");
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let before = String::from_utf8_lossy(error.as_bytes().get(..valid).unwrap_or_default()).into_owned();
        let what = if utf16 { "is UTF-16" } else { "is not UTF-8" };
        Refusal::at(place_of(&before, before.len()), format!("{what} (byte {valid}); save it as UTF-8"))
    })?;
    let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
    if text.trim().is_empty() {
        return Err(Refusal::whole("is empty"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::document::Place;

    #[test]
    fn what_is_no_text_is_refused_at_its_place() {
        assert_eq!(text(b"\xEF\xBB\xBFa".to_vec()), Ok("a".to_owned()));
        assert_eq!(text(b"a\nb\xE4".to_vec()).unwrap_err().at, Some(Place { line: 2, column: 2 }));
        assert!(text(b"\xFF\xFEa\0".to_vec()).unwrap_err().message.contains("UTF-16"));
        assert_eq!(text(b" \n".to_vec()).unwrap_err().message, "is empty");
    }
}
