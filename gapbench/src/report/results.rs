//! The canonical `results.json`: every bench target's latest run, judged. All other reports are derived from it.
//!
//! Knows nothing of raw observations: those stay in the record that each entry names.

use std::fmt;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::judge::Judgement;
use crate::record::{
    CaseId, Header, LoadRow, NoiseRow, Note, Outcome, Record, SearchRow, Target, Timing, write_atomically,
};

use crate::stats::Sample;

use super::finite;

/// The schema's name.
pub const SCHEMA: &str = "gapbench.results";
/// The schema's version.
pub const VERSION: u32 = 1;

/// The whole file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// Always [`VERSION`] when written; a reader refuses newer ones.
    pub version: u32,
    /// When the file was written, in seconds since 1970-01-01 UTC.
    pub generated_unix: u64,
    /// One entry per bench target, sorted by target.
    pub targets: Vec<TargetResults>,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Every planned case has its row.
    Complete,
    /// The user stopped it.
    Interrupted,
    /// It ended without saying so, or rows are missing.
    CutShort,
}

impl Status {
    /// The words a report uses.
    pub const fn words(self) -> &'static str {
        match self {
            Status::Complete => "complete",
            Status::Interrupted => "interrupted",
            Status::CutShort => "cut short",
        }
    }
}

/// The latest run of one bench target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TargetResults {
    /// What ran, where and when.
    pub header: Header,
    /// How it ended.
    pub status: Status,
    /// Seconds the run took; absent when it was cut short.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wall_seconds: Option<f64>,
    /// The cases, in the order run.
    pub cases: Vec<CaseResult>,
    /// Path of the raw record, relative to the folder of this file, with `/` between its parts.
    pub record: String,
    /// Verdicts, changes and all measured numbers.
    pub judgement: Judgement,
}

/// One case without its raw observations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CaseResult {
    /// Which case.
    pub case: CaseId,
    /// `module::function` of its declaration.
    pub function: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Cold-start phases, where measured.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub phases: Vec<PhaseResult>,
    /// Kinds of noise in the order measured, where any were.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub noise: Vec<NoiseRow>,
    /// Loads in the order sent, where any were.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub loads: Vec<LoadRow>,
    /// What a search for the largest rate found, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<SearchRow>,
    /// Contention of the measured loop, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timing: Option<Timing>,
    /// What a reader should know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
    /// Seconds the whole case took, processes included.
    pub wall_seconds: f64,
}

/// A named stretch of a cold start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PhaseResult {
    /// The author's name, or ours.
    pub name: String,
    /// Median of `seconds`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub median: Option<f64>,
    /// Seconds, one per fresh process.
    pub seconds: Vec<f64>,
}

impl TargetResults {
    /// What of `record` and its judgement is worth showing. `record_path` is relative to the results folder.
    pub fn new(record: &Record, judgement: Judgement, record_path: &Path) -> TargetResults {
        let interrupted = record.end.as_ref().is_some_and(|end| end.status == "interrupted");
        let cases = record.rows.iter().map(|row| CaseResult {
            case: row.case.clone(),
            function: row.function.clone(),
            outcome: row.outcome.clone(),
            phases: row.phases.iter().map(|phase| phase_result(&phase.title(), &phase.seconds)).collect(),
            noise: row.noise.clone(),
            loads: row.loads.clone(),
            search: row.search.clone(),
            timing: row.timing,
            notes: row.notes.clone(),
            wall_seconds: finite::number(row.wall_seconds).unwrap_or_default(),
        });
        TargetResults {
            header: record.header.clone(),
            status: match (record.is_complete(), interrupted) {
                (true, _) => Status::Complete,
                (false, true) => Status::Interrupted,
                (false, false) => Status::CutShort,
            },
            wall_seconds: record.end.as_ref().and_then(|end| finite::number(end.wall_seconds)),
            cases: cases.collect(),
            record: record_path
                .components()
                .map(|part| part.as_os_str().to_string_lossy())
                .collect::<Vec<_>>()
                .join("/"),
            judgement: finite::judgement(judgement),
        }
    }
}

fn phase_result(name: &str, seconds: &[f64]) -> PhaseResult {
    let seconds: Vec<f64> = seconds.iter().copied().filter_map(finite::number).collect();
    PhaseResult {
        name: name.to_owned(),
        median: Sample::new(seconds.clone()).ok().map(|sample| sample.quantile(0.5)),
        seconds,
    }
}

/// Why results cannot be read or written.
#[derive(Debug)]
pub enum ResultsError {
    /// There is no such file.
    Missing(PathBuf),
    /// The file system refused.
    Io(PathBuf, io::Error),
    /// A newer gapbench wrote it.
    Newer(PathBuf, u64),
    /// It is no results file of ours.
    Broken(PathBuf, String),
}

impl fmt::Display for ResultsError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ResultsError::Missing(path) => {
                write!(formatter, "{}: no such file; `cargo bench` writes it", path.display())
            }
            ResultsError::Io(path, error) => write!(formatter, "{}: {error}", path.display()),
            ResultsError::Newer(path, version) => write!(
                formatter,
                "{}: written by a newer gapbench (format {version}, this one reads {VERSION}); \
                 update gapbench or move the file away",
                path.display()
            ),
            ResultsError::Broken(path, reason) => {
                write!(formatter, "{}: not a gapbench results file: {reason}", path.display())
            }
        }
    }
}

impl std::error::Error for ResultsError {}

/// Reads a results file.
///
/// # Errors
/// [`ResultsError`]: missing, unreadable, newer than this version, or something else altogether.
// Compiled where it is called. A bench binary never is such a place: code that reads every verdict back is much of what
// it would cost to build.
#[inline]
pub fn read(path: &Path) -> Result<Results, ResultsError> {
    let bytes = bytes(path)?;
    serde_json::from_slice(&bytes).map_err(|error| broken(path, error))
}

/// The content of a results file of ours that this version reads.
#[doc(hidden)]
pub fn bytes(path: &Path) -> Result<Vec<u8>, ResultsError> {
    /// What says how to read the rest: a newer file may differ anywhere else.
    #[derive(Deserialize)]
    struct Head {
        schema: Option<String>,
        version: Option<u64>,
    }
    let bytes = fs::read(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => ResultsError::Missing(path.to_owned()),
        _ => ResultsError::Io(path.to_owned(), error),
    })?;
    let head: Head = serde_json::from_slice(&bytes).map_err(|error| broken(path, error))?;
    if head.schema.as_deref() != Some(SCHEMA) {
        return Err(broken(path, format!("its `schema` is not \"{SCHEMA}\"")));
    }
    match head.version {
        Some(version) if version > u64::from(VERSION) => Err(ResultsError::Newer(path.to_owned(), version)),
        Some(_) => Ok(bytes),
        None => Err(broken(path, "it has no `version`")),
    }
}

#[doc(hidden)]
pub fn broken(path: &Path, reason: impl fmt::Display) -> ResultsError {
    ResultsError::Broken(path.to_owned(), reason.to_string())
}

/// Which run of a target the file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The bench target.
    pub target: Target,
    /// Path of its raw record, relative to the folder of the file.
    pub record: String,
}

/// A target's results as they stand in the file, of which only [`Listed`] is understood.
struct Entry {
    listed: Listed,
    json: Box<RawValue>,
}

impl Entry {
    fn new(json: Box<RawValue>) -> serde_json::Result<Entry> {
        #[derive(Deserialize)]
        struct Outline {
            header: OutlineHeader,
            record: String,
        }
        #[derive(Deserialize)]
        struct OutlineHeader {
            target: Target,
        }
        let outline: Outline = serde_json::from_slice(json.get().as_bytes())?;
        Ok(Entry { listed: Listed { target: outline.header.target, record: outline.record }, json })
    }
}

fn entries(path: &Path) -> Result<Vec<Entry>, ResultsError> {
    #[derive(Deserialize)]
    struct Targets {
        targets: Vec<Box<RawValue>>,
    }
    let all: Targets = serde_json::from_slice(&bytes(path)?).map_err(|error| broken(path, error))?;
    all.targets.into_iter().map(|json| Entry::new(json).map_err(|error| broken(path, error))).collect()
}

/// The runs that the file holds.
///
/// # Errors
/// Those of [`read`].
pub fn list(path: &Path) -> Result<Vec<Listed>, ResultsError> {
    Ok(entries(path)?.into_iter().map(|entry| entry.listed).collect())
}

/// What [`update`] did.
#[derive(Clone, Debug, PartialEq)]
pub struct Updated {
    /// The runs that the file now holds, sorted by target.
    pub runs: Vec<Listed>,
    /// What the user should know, each a sentence.
    pub warnings: Vec<String>,
}

/// Puts `target` into the file at `path`, in place of an earlier run of the same bench target; creates the file.
///
/// Holds an exclusive lock on `<path>.lock` meanwhile, so that bench targets that end together lose nothing, and
/// replaces the file atomically. A broken file is moved aside, never overwritten. `now_unix` is in seconds since
/// 1970-01-01 UTC.
///
/// # Errors
/// [`ResultsError`]: the file is from a newer version, or the file system refused. The file is then untouched.
pub fn update(path: &Path, target: &TargetResults, now_unix: u64) -> Result<Updated, ResultsError> {
    let refused = |path: &Path| {
        let path = path.to_owned();
        move |error| ResultsError::Io(path.clone(), error)
    };
    let mut warnings = Vec::new();
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(refused(folder))?;
    }
    let lock_path = beside(path, ".lock");
    let lock = File::create(&lock_path).map_err(refused(&lock_path))?;
    match lock.lock() {
        Err(error) if error.kind() == io::ErrorKind::Unsupported => warnings.push(format!(
            "{}: this file system has no locks; bench targets that end together may overwrite each other",
            lock_path.display()
        )),
        outcome => outcome.map_err(refused(&lock_path))?,
    }
    let mut entries = match entries(path) {
        Ok(entries) => entries,
        Err(ResultsError::Missing(_)) => Vec::new(),
        Err(ResultsError::Broken(_, reason)) => {
            let aside = free_name(path);
            fs::rename(path, &aside).map_err(refused(path))?;
            warnings.push(format!(
                "{} was no gapbench results file ({reason}); moved to {}",
                path.display(),
                aside.display()
            ));
            Vec::new()
        }
        Err(error) => return Err(error),
    };
    let written = serde_json::to_vec(target)
        .and_then(|json| serde_json::from_slice(&json))
        .and_then(Entry::new)
        .map_err(|error| broken(path, error))?;
    entries.retain(|other| other.listed.target != written.listed.target);
    entries.push(written);
    entries.sort_by(|a, b| a.listed.target.cmp(&b.listed.target));
    // One target per line: the file is read by programs, and by people who look for a line.
    let targets: Vec<&str> = entries.iter().map(|entry| entry.json.get()).collect();
    let text = format!(
        "{{\"schema\":\"{SCHEMA}\",\"version\":{VERSION},\"generated_unix\":{now_unix},\"targets\":[\n{}\n]}}\n",
        targets.join(",\n")
    );
    write_atomically(path, text.as_bytes())
        .map_err(|error| ResultsError::Io(path.to_owned(), error.source))?;
    Ok(Updated { runs: entries.into_iter().map(|entry| entry.listed).collect(), warnings })
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn free_name(path: &Path) -> PathBuf {
    let mut aside = beside(path, ".broken");
    let mut count = 1_u32;
    while aside.exists() {
        count += 1;
        aside = beside(path, &format!(".broken.{count}"));
    }
    aside
}
