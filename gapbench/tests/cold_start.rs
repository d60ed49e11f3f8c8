//! Cold starts of known phases, and colder ones than a fresh process: what was taken away is really gone.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that cannot go on fails"
)]

mod bench;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use gapbench::record::{CaseRow, ColdLevel, Condition, ConditionValue, Data, Metric, Phase, Series};

/// Bytes of the model's file.
const MODEL: usize = 16 << 20;

/// Bytes that no file system can store in less. Knuth's multiplier for 64 bits.
fn noise() -> Vec<u8> {
    let mut state = 1_u64;
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 32).to_le_bytes()[0]
    };
    std::iter::repeat_with(next).take(MODEL).collect()
}

/// The only row of a run of the fixture with a model's file in this folder.
fn run(folder: &Path, words: &[&str]) -> CaseRow {
    let file = folder.join(format!("weights-{}", words.join("-").replace([':', ' '], "_")));
    fs::write(&file, noise()).unwrap();
    let caches = file.with_extension("cache");
    fs::create_dir_all(caches.join("first")).unwrap();
    fs::create_dir_all(caches.join("second")).unwrap();
    fs::write(caches.join("first/kernel"), b"code").unwrap();
    let home = tempfile::tempdir().unwrap();
    let output = Command::new(bench::program("cold"))
        .arg("--bench")
        .args(words)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("GAPBENCH_HOME", home.path())
        .env("CRITERION_HOME", home.path().join("criterion"))
        .env("GAPBENCH_NOPLOT", "1")
        .env("COLD_MODEL_FILE", &file)
        .output()
        .unwrap();
    fs::remove_file(&file).unwrap();
    fs::remove_dir_all(&caches).unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    let run = fs::read_dir(home.path().join("runs")).unwrap_or_else(|error| panic!("{error}: {stderr}"));
    let record = run.map(|run| run.unwrap().path().join("record.jsonl")).next().unwrap();
    let mut rows = gapbench::record::read(&record).unwrap().rows;
    assert_eq!(rows.len(), 1, "{stderr}");
    rows.remove(0)
}

fn phases_of(row: &CaseRow, level: ColdLevel) -> Vec<&Phase> {
    row.phases.iter().filter(|phase| phase.level == level).collect()
}

fn phase<'a>(row: &'a CaseRow, level: ColdLevel, name: &str) -> &'a Phase {
    phases_of(row, level)
        .into_iter()
        .find(|phase| phase.name == name)
        .unwrap_or_else(|| panic!("no `{name}` of {level}: {:?}, {:?}", row.phases, row.notes))
}

fn cold_series(row: &CaseRow, metric: Metric, level: ColdLevel) -> Option<&Series> {
    let cold = ConditionValue::from(level.name());
    row.series
        .iter()
        .find(|series| series.metric == metric && series.conditions.get(Condition::Cold) == Some(&cold))
}

fn values(series: &Series) -> &[f64] {
    match &series.data {
        Data::Values { values, .. } => values,
        other => panic!("{other:?}"),
    }
}

fn cold_notes(row: &CaseRow) -> Vec<&str> {
    row.notes.iter().filter(|note| note.code == "not_cold").map(|note| &*note.text).collect()
}

/// Sleeps take at least as long as they are told to; all stretches sum to the total; and nearly all of it has a name.
#[test]
fn phases_have_their_times_and_sum_to_the_total() {
    let row = run(
        Path::new(env!("CARGO_TARGET_TMPDIR")),
        &["--profile", "quick", "--only", "cold-start", "phases"],
    );
    let at_least = [
        ("tokenizer", 20e-3),
        ("weights", 25e-3),
        ("upload", 15e-3),
        ("elsewhere", 10e-3),
        ("lazily", 10e-3),
        ("first answer", 5e-3),
    ];
    for (name, seconds) in at_least {
        let phase = phase(&row, ColdLevel::Process, name);
        assert_eq!(phase.seconds.len(), 7, "{phase:?}");
        assert!(phase.seconds.iter().all(|time| *time >= seconds), "{phase:?}");
    }
    let first_inference = values(cold_series(&row, Metric::ColdFirstInference, ColdLevel::Process).unwrap());
    assert!(
        first_inference.iter().all(|time| *time >= 15e-3),
        "all of the first answer: {first_inference:?}"
    );
    let totals = values(cold_series(&row, Metric::ColdTotal, ColdLevel::Process).unwrap());
    for (start, total) in totals.iter().enumerate() {
        let sum: f64 = row.phases.iter().map(|phase| phase.seconds[start]).sum();
        assert!((sum - total).abs() < 1e-9, "phases sum to {sum} s, the total is {total} s");
    }
    // The machine's other work can only add to what has no name, so the least disturbed start shows what is ours.
    let rest = &phase(&row, ColdLevel::Process, "unaccounted").seconds;
    let least = rest.iter().zip(totals).map(|(rest, total)| rest / total).fold(f64::INFINITY, f64::min);
    assert!(least <= 0.01, "at least {least} of each start has no name: {rest:?} of {totals:?}");
    let names: Vec<&str> = row.phases.iter().map(|phase| &*phase.name).collect();
    assert_eq!(&names[..3], ["spawn to main", "reading the job", "tokenizer"]);
    assert_eq!(names.last(), Some(&"unaccounted"));
}

/// The steady state of the same inputs can be found beside a first answer: the same conditions, but for how cold it was.
#[test]
fn the_steady_state_stands_beside_the_first_answer() {
    let row = run(Path::new(env!("CARGO_TARGET_TMPDIR")), &["--profile", "smoke", "phases"]);
    let first = cold_series(&row, Metric::ColdFirstInference, ColdLevel::Process).unwrap();
    let mut expected = first.conditions.clone().with(Condition::Warm, true);
    expected.known.remove(&Condition::Cold);
    let steady = row.series.iter().find(|series| {
        series.metric == Metric::LatencyE2e && series.inputs == first.inputs && series.conditions == expected
    });
    let steady = values(steady.expect("a steady latency"));
    assert!(steady.iter().all(|time| *time >= 5e-3));
    assert!(values(first)[0] >= 15e-3, "the first one loads besides");
}

/// Each level lacks what the one before it lacks, and is a series of its own.
#[test]
fn colder_levels_lack_compiled_code_and_files() {
    let row = run(
        Path::new(env!("CARGO_TARGET_TMPDIR")),
        &["--profile", "smoke", "--only", "cold-start", "levels"],
    );
    for level in [ColdLevel::Process, ColdLevel::Jit] {
        let total = cold_series(&row, Metric::ColdTotal, level).unwrap();
        assert_eq!(values(total).len(), 1);
        assert_eq!(total.conditions.get(Condition::Warm), Some(&false.into()));
        assert!(cold_series(&row, Metric::ColdDiskBytes, level).is_none());
        phase(&row, level, "weights");
    }
    phase(&row, ColdLevel::Process, "code found");
    phase(&row, ColdLevel::Jit, "code compiled");
    phase(&row, ColdLevel::Process, "first cache used");
    for name in ["first cache filled", "second cache filled"] {
        phase(&row, ColdLevel::Jit, name);
    }
    if let [why] = cold_notes(&row)[..] {
        println!("SKIPPED the level `disk` of colder_levels_lack_compiled_code_and_files: {why}");
        return;
    }
    phase(&row, ColdLevel::Disk, "code compiled");
    let fetched = values(cold_series(&row, Metric::ColdDiskBytes, ColdLevel::Disk).unwrap());
    assert!(fetched.iter().all(|bytes| *bytes >= MODEL as f64), "{fetched:?} of {MODEL} bytes were fetched");
    let sum: f64 = phases_of(&row, ColdLevel::Disk).iter().map(|phase| phase.seconds[0]).sum();
    let total = values(cold_series(&row, Metric::ColdTotal, ColdLevel::Disk).unwrap())[0];
    assert!((sum - total).abs() < 1e-9, "phases sum to {sum} s, the total is {total} s");
}

/// Where only the coldest level is asked for, a process that is not measured says which the files are.
#[test]
fn the_disk_level_alone_learns_which_files_to_drop() {
    let row = run(
        Path::new(env!("CARGO_TARGET_TMPDIR")),
        &["--profile", "smoke", "--only", "cold-start", "disk_alone"],
    );
    assert!(row.phases.iter().all(|phase| phase.level == ColdLevel::Disk), "{:?}", row.phases);
    if let [why] = cold_notes(&row)[..] {
        println!("SKIPPED the_disk_level_alone_learns_which_files_to_drop: {why}");
        return;
    }
    let fetched = values(cold_series(&row, Metric::ColdDiskBytes, ColdLevel::Disk).unwrap());
    assert!(fetched.len() == 1 && fetched[0] >= MODEL as f64, "{fetched:?}");
}

/// A file in memory cannot be read from storage: there is no number, and the row says why.
#[test]
fn a_file_that_stays_in_memory_has_no_disk_level() {
    let memory = PathBuf::from("/dev/shm");
    let Ok(folder) = tempfile::tempdir_in(&memory) else {
        println!("SKIPPED a_file_that_stays_in_memory_has_no_disk_level: no {}", memory.display());
        return;
    };
    let row = run(folder.path(), &["--profile", "quick", "--only", "cold-start", "levels"]);
    assert_eq!(row.outcome, gapbench::record::Outcome::Measured);
    assert_eq!(values(cold_series(&row, Metric::ColdTotal, ColdLevel::Jit).unwrap()).len(), 7);
    assert!(cold_series(&row, Metric::ColdTotal, ColdLevel::Disk).is_none());
    assert_eq!(phases_of(&row, ColdLevel::Disk), Vec::<&Phase>::new());
    let notes = cold_notes(&row);
    let [note] = notes[..] else { panic!("one note for all of them: {notes:?}") };
    assert!(note.contains("level `disk`") && note.contains("/dev/shm") && note.contains("a tmpfs"), "{note}");
}

/// The warmest first, since a colder one takes away what a warmer one should find.
#[test]
fn levels_are_run_from_the_warmest_to_the_coldest() {
    let home = tempfile::tempdir().unwrap();
    let words = ["--bench", "--explain", "--only", "cold-start,memory", "levels|disk_alone|held.*=64"];
    let output = bench::bench_in(home.path(), "cold", &words);
    let text = String::from_utf8(output.stdout).unwrap();
    let steps: Vec<(&str, &str)> = text
        .lines()
        .filter_map(|line| line.strip_prefix("    "))
        .map(|line| line.split_once("; ended after").unwrap().0.split_once(": ").unwrap())
        .collect();
    let many = "7 fresh processes";
    let cold = |level| format!("from start to the first answer, cold level {level}");
    let (process, jit, disk) = (cold("process"), cold("jit"), cold("disk"));
    let levels = [(many, &*process), (many, &*jit), (many, &*disk)];
    // Only to learn which files are the model's; and only for the memory.
    let plain = "to the first answer";
    let others = [("1 fresh process", plain), (many, &*disk), (many, plain)];
    assert_eq!(steps, [&levels[..], &others[..]].concat(), "{text}");
}
