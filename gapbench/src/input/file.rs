//! The strict reader of input sets: JSON Lines, one input per line.

use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// A longer line is refused: no model takes such an input, and a file without line breaks must not fill the memory.
pub const LONGEST_LINE: usize = 16 << 20;

/// So many bad lines are named at once; more are mostly the same mistake again.
const MOST_PROBLEMS: usize = 20;

/// One input of a set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Input {
    /// Unique in its file; the line number where the file gives none.
    pub id: String,
    /// What the model is asked.
    pub text: String,
    /// The right answer, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// When it came, in milliseconds from the first one; for loads that replay the arrivals of production.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrival_ms: Option<f64>,
}

/// An input set.
#[derive(Clone, Debug, PartialEq)]
pub struct InputFile {
    /// The file's name without folder and ending: `eval` of `data/eval.jsonl`.
    pub name: String,
    /// Where it was read from.
    pub path: PathBuf,
    /// Its inputs, in the order of the file; never empty.
    pub items: Vec<Input>,
}

/// A bad line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Line, from 1.
    pub line: usize,
    /// What was found, what is expected, what to do.
    pub message: String,
}

/// What can be wrong with an input set.
#[derive(Debug)]
pub enum InputError {
    /// The file cannot be read.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The path is a folder.
    Folder {
        /// The folder.
        path: PathBuf,
    },
    /// The file has no inputs.
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// Some lines are bad.
    Lines {
        /// The file.
        path: PathBuf,
        /// The bad lines in the order of the file, at most 20; never empty.
        problems: Vec<Problem>,
        /// Whether reading stopped because there were so many.
        stopped: bool,
    },
}

impl fmt::Display for InputError {
    /// One `path:line: message` per bad line, or one `path: message`; without a line break at the end.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InputError::Unreadable { path, source } => {
                write!(
                    formatter,
                    "{}: {source}; expected a readable JSON Lines file; check the path",
                    path.display()
                )
            }
            InputError::Folder { path } => {
                write!(
                    formatter,
                    "{}: is a folder; expected a JSON Lines file; name one in it",
                    path.display()
                )
            }
            InputError::Empty { path } => write!(
                formatter,
                "{}: has no inputs; expected one JSON object per line, such as {EXAMPLE}",
                path.display()
            ),
            InputError::Lines { path, problems, stopped } => {
                for (index, Problem { line, message }) in problems.iter().enumerate() {
                    let separator = if index == 0 { "" } else { "\n" };
                    write!(formatter, "{separator}{}:{line}: {message}", path.display())?;
                }
                if *stopped {
                    write!(
                        formatter,
                        "\n{}: these are the first {}; correct them and read it again",
                        path.display(),
                        problems.len()
                    )?;
                }
                Ok(())
            }
        }
    }
}

impl std::error::Error for InputError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            InputError::Unreadable { source, .. } => Some(source),
            _ => None,
        }
    }
}

const EXAMPLE: &str = r#"{"text": "..."}"#;

/// A line as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    id: Option<String>,
    text: String,
    expected: Option<String>,
    arrival_ms: Option<f64>,
}

/// Reads an input set line by line: one JSON object per line with `text` and, where wanted, `id`, `expected` and
/// `arrival_ms`. Blank lines are skipped.
///
/// # Errors
/// [`InputError`]: a file that cannot be read, a folder, no inputs at all, or the first 20 bad lines at once. A line is bad
/// when it is not UTF-8, is longer than [`LONGEST_LINE`] bytes, is no JSON object, has no `text` or a key that is not
/// known, or has the id of a line above.
pub fn read(path: &Path) -> Result<InputFile, InputError> {
    let unreadable = |source: io::Error| InputError::Unreadable { path: path.to_owned(), source };
    let file = File::open(path).map_err(unreadable)?;
    if file.metadata().map_err(unreadable)?.is_dir() {
        return Err(InputError::Folder { path: path.to_owned() });
    }
    let mut reader = BufReader::new(file);
    let mut items: Vec<Input> = Vec::new();
    let mut lines_of_ids: HashMap<String, usize> = HashMap::new();
    let mut problems = Vec::new();
    let mut bytes = Vec::new();
    let mut stopped = false;
    for line in 1.. {
        let size = read_line(&mut reader, &mut bytes).map_err(unreadable)?;
        if size == 0 {
            break;
        }
        let message = match parse(&bytes, size, line) {
            Ok(None) => continue,
            Ok(Some(input)) => match lines_of_ids.get(&input.id) {
                None => {
                    lines_of_ids.insert(input.id.clone(), line);
                    items.push(input);
                    continue;
                }
                Some(first) => duplicate(&input.id, *first),
            },
            Err(message) => message,
        };
        if problems.len() == MOST_PROBLEMS {
            stopped = true;
            break;
        }
        problems.push(Problem { line, message });
    }
    if !problems.is_empty() {
        return Err(InputError::Lines { path: path.to_owned(), problems, stopped });
    }
    if items.is_empty() {
        return Err(InputError::Empty { path: path.to_owned() });
    }
    let name = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    Ok(InputFile { name, path: path.to_owned(), items })
}

/// Reads the next line into `bytes`, without what exceeds [`LONGEST_LINE`]. Returns the line's whole size with its line
/// break, 0 at the end of the file.
pub(super) fn read_line(reader: &mut impl BufRead, bytes: &mut Vec<u8>) -> io::Result<usize> {
    bytes.clear();
    let mut size = reader.by_ref().take(LONGEST_LINE as u64 + 1).read_until(b'\n', bytes)?;
    if size > LONGEST_LINE && !bytes.ends_with(b"\n") {
        size += skip_line(reader)?;
    }
    Ok(size)
}

/// Skips to the start of the next line without keeping anything.
fn skip_line(reader: &mut impl BufRead) -> io::Result<usize> {
    let mut skipped = 0;
    loop {
        let buffer = reader.fill_buf()?;
        let (used, done) = match buffer.iter().position(|byte| *byte == b'\n') {
            Some(index) => (index + 1, true),
            None => (buffer.len(), buffer.is_empty()),
        };
        reader.consume(used);
        skipped += used;
        if done {
            return Ok(skipped);
        }
    }
}

/// The input of a line of `size` bytes, nothing for a blank line, or what is wrong with it.
pub(super) fn parse(bytes: &[u8], size: usize, line: usize) -> Result<Option<Input>, String> {
    if size > LONGEST_LINE + 1 || (size > LONGEST_LINE && !bytes.ends_with(b"\n")) {
        return Err(format!(
            "the line has {size} bytes; expected at most {LONGEST_LINE}; split it, or check that it is the right file"
        ));
    }
    let bytes = if line == 1 { bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes) } else { bytes };
    let text = std::str::from_utf8(bytes).map_err(|error| {
        format!(
            "byte {} of the line is not UTF-8; expected UTF-8 text; convert the file",
            error.valid_up_to() + 1
        )
    })?;
    let text = text.trim_end();
    if text.is_empty() {
        return Ok(None);
    }
    // serde would take a list for an object whose keys are left out.
    if text.trim_start().starts_with('[') {
        return Err(format!(
            "the line is a list; expected one object per line, such as {EXAMPLE}; correct it"
        ));
    }
    let Line { id, text, expected, arrival_ms } =
        serde_json::from_slice(text.as_bytes()).map_err(|error| sentence(&error))?;
    if id.as_deref().is_some_and(|id| id.trim().is_empty()) {
        return Err(
            "`id` is blank; expected a name that is unique in the file; write one or leave it out".to_owned()
        );
    }
    if arrival_ms.is_some_and(|at| !(0.0..1e15).contains(&at)) {
        return Err(
            "`arrival_ms` is no time; expected milliseconds from the first input, 0 or more; correct it"
                .to_owned(),
        );
    }
    Ok(Some(Input { id: id.unwrap_or_else(|| line.to_string()), text, expected, arrival_ms }))
}

/// What is wrong with a line whose id is that of line `first`.
pub(super) fn duplicate(id: &str, first: usize) -> String {
    format!(
        "id `{}` stands in line {first} already; expected another one (a line without `id` is called by its number); \
         rename one",
        id.escape_debug()
    )
}

/// serde's words, without its line, which within one line of the file is always the first.
fn sentence(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    let what = text.strip_suffix(&place).unwrap_or(&text);
    match error.classify() {
        serde_json::error::Category::Data => {
            // serde calls keys fields and our struct by its name.
            let what = what.replace("field `", "key `").replace("struct Line", "a JSON object");
            format!("{what} (column {}); expected a line such as {EXAMPLE}; correct it", error.column())
        }
        _ => format!(
            "not valid JSON: {what} (column {}); expected one object per line, such as {EXAMPLE}; correct it",
            error.column()
        ),
    }
}
