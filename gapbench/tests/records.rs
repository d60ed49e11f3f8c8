//! The file of a record: what is written, what is read back, and what a killed run leaves.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

use gapbench::record::{
    Batch, CaseId, CaseRow, ColdLevel, Condition, Conditions, Data, Device, End, Environment, Failure,
    FailureKind, Header, Index, InputSet, Metric, Note, Outcome, Peak, Phase, Record, Rows, SCHEMA, Series,
    Target, Timing, VERSION, Writer, read,
};

fn golden_path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/record-v1.jsonl")
}

fn environment() -> Environment {
    Environment {
        gapbench: "0.1.0".to_owned(),
        system: "linux x86_64".to_owned(),
        kernel: Some("6.1.0".to_owned()),
        cpu: Some("AMD EPYC 7B13".to_owned()),
        cores: 2,
        memory_bytes: Some(8_589_934_592),
        device: None,
        debug_build: false,
        revision: Some("1a2b3c4+".to_owned()),
    }
}

fn row(name: &str, outcome: Outcome, series: Vec<Series>) -> CaseRow {
    CaseRow {
        case: CaseId(format!("paper::{name}")),
        function: format!("paper::{}", name.split("::").next().unwrap()),
        outcome,
        series,
        phases: Vec::new(),
        noise: Vec::new(),
        loads: Vec::new(),
        search: None,
        timing: None,
        device: None,
        notes: Vec::new(),
        wall_seconds: 0.25,
    }
}

fn series(metric: Metric, data: Data) -> Series {
    Series { metric, inputs: None, conditions: Conditions::default(), data }
}

/// A record that uses every shape of the format.
fn example() -> Record {
    let header = Header {
        schema: SCHEMA.to_owned(),
        version: VERSION,
        run_id: "20261124T213005-4711".to_owned(),
        target: Target { package: "embedder".to_owned(), bench: "paper".to_owned() },
        started_unix: 1_795_555_805,
        profile: "quick".to_owned(),
        seed: 42,
        planned: 3,
        environment: environment(),
    };
    let mut conditions = Conditions::default()
        .with(Condition::Batch, 8.0)
        .with(Condition::Load, "closed")
        .with(Condition::Warm, true);
    conditions.software.insert("onnxruntime".to_owned(), "1.20".to_owned());
    let latency = Series {
        metric: Metric::LatencyE2e,
        inputs: Some(InputSet::Own),
        conditions,
        // 0.1 + 0.2 and the smallest double have no short decimal form: they have to come back bit for bit.
        data: Data::Values { values: vec![0.1 + 0.2, 1e-9, f64::from_bits(1)], calls_per_value: 1 },
    };
    let batches = vec![Batch { work: 64.0, seconds: 0.5 }, Batch { work: 61.0, seconds: 0.51 }];
    let mut measured = row(
        "embedder::clients=8",
        Outcome::Measured,
        vec![
            latency,
            series(Metric::ThroughputRequests, Data::Rates { batches }),
            series(Metric::QualityAccuracy, Data::Counts { successes: 922, trials: 1000 }),
            series(Metric::MemoryModelBytes, Data::Exact { value: 90_868_376.0 }),
        ],
    );
    measured.phases =
        vec![Phase { level: ColdLevel::Process, name: "weights".to_owned(), seconds: vec![0.031, 0.029] }];
    measured.timing = Some(Timing {
        wall_seconds: 2.0,
        cpu_seconds: 1.99,
        waited_seconds: Some(0.004),
        involuntary_switches: 3,
    });
    measured.notes =
        vec![Note { code: "batched".to_owned(), text: "a call is too short to time".to_owned() }];
    let failure = Failure {
        kind: FailureKind::Panic,
        reason: "line one\nline \"two\" \u{1F4A5}".to_owned(),
        stderr_tail: vec!["thread 'main' panicked".to_owned()],
    };
    let skipped = Outcome::Skipped {
        reason: "no CUDA driver found".to_owned(),
        absent_device: Some("cuda".to_owned()),
    };
    let rows = vec![
        measured,
        row("broken", Outcome::Failed(failure), Vec::new()),
        row("kernel", skipped, Vec::new()),
    ];
    Record { header, rows, end: Some(End { status: "complete".to_owned(), wall_seconds: 12.5 }) }
}

fn write(record: &Record, path: &Path) {
    let mut writer = Writer::create(path, &record.header).unwrap();
    assert_eq!(writer.path(), path);
    for row in &record.rows {
        writer.append(row).unwrap();
    }
    if let Some(end) = &record.end {
        writer.finish(end).unwrap();
    }
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

/// Writes `bytes` to a file and returns what reading it says, with the folder's name removed.
fn said(bytes: impl AsRef<[u8]>) -> String {
    let folder = folder();
    let path = folder.path().join("record.jsonl");
    fs::write(&path, bytes).unwrap();
    let text = read(&path).unwrap_err().to_string();
    text.replace(&format!("{}/", folder.path().display()), "")
}

/// The format, pinned. A change of these bytes needs a new version; `GAPBENCH_BLESS=1` writes them anew.
#[test]
fn version_one_is_read_and_written_byte_for_byte() {
    let folder = folder();
    let fresh = folder.path().join("fresh.jsonl");
    write(&example(), &fresh);
    if std::env::var_os("GAPBENCH_BLESS").is_some() {
        fs::create_dir_all(golden_path().parent().unwrap()).unwrap();
        fs::copy(&fresh, golden_path()).unwrap();
    }
    let golden = fs::read_to_string(golden_path()).unwrap();
    assert_eq!(fs::read_to_string(&fresh).unwrap(), golden);
    let record = read(&golden_path()).unwrap();
    assert_eq!(record, example());
    assert!(record.is_complete());
    let again = folder.path().join("a/b/again.jsonl");
    write(&record, &again);
    assert_eq!(fs::read_to_string(&again).unwrap(), golden);
}

/// A process can be killed after any byte. Whole lines survive, and what is left never reads as complete.
#[test]
fn a_run_that_was_cut_anywhere_keeps_its_whole_rows() {
    let folder = folder();
    let path = folder.path().join("record.jsonl");
    let golden = fs::read(golden_path()).unwrap();
    let header = golden.iter().position(|byte| *byte == b'\n').unwrap();
    for end in 0..golden.len() {
        fs::write(&path, &golden[..end]).unwrap();
        match read(&path) {
            Err(error) => assert!(end < header && error.to_string().contains("cut off"), "{end}: {error}"),
            Ok(record) => {
                assert!(end >= header);
                let whole =
                    golden[header + 1..end.max(header + 1)].iter().filter(|byte| **byte == b'\n').count();
                // A line that only lacks its line break is there too.
                assert!(record.rows.len() == whole || record.rows.len() == whole + 1 || record.end.is_some());
                assert_eq!(record.rows, example().rows[..record.rows.len()]);
                assert!(!record.is_complete() || end == golden.len() - 1);
            }
        }
    }
}

#[test]
fn a_record_without_end_is_incomplete() {
    let folder = folder();
    let path = folder.path().join("record.jsonl");
    write(&Record { end: None, ..example() }, &path);
    let record = read(&path).unwrap();
    assert_eq!((record.rows.len(), &record.end), (3, &None));
    assert!(!record.is_complete());
}

#[test]
fn nothing_is_overwritten() {
    let folder = folder();
    let path = folder.path().join("record.jsonl");
    fs::write(&path, "mine").unwrap();
    let said = Writer::create(&path, &example().header).unwrap_err().to_string();
    assert_eq!(
        said,
        format!(
            "create the record {}: something stands there already; a record is never overwritten, \
             so remove it or choose another folder",
            path.display()
        )
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
}

#[test]
fn a_folder_that_cannot_be_is_named() {
    let folder = folder();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    for path in [file.join("record.jsonl"), file.join("deeper/record.jsonl")] {
        let said = Writer::create(&path, &example().header).unwrap_err().to_string();
        assert!(said.starts_with(&format!("create the record {}: ", path.display())), "{said}");
        assert!(said.ends_with("; check that its folder is writable and has space"), "{said}");
    }
}

/// JSON would turn these into `null`: an observation that was made would read as one that was not.
#[test]
fn numbers_that_json_cannot_hold_are_refused_and_the_record_goes_on() {
    let folder = folder();
    let path = folder.path().join("record.jsonl");
    let mut writer = Writer::create(&path, &example().header).unwrap();
    let values = |values| Data::Values { values, calls_per_value: 1 };
    let batch = |work, seconds| Data::Rates { batches: vec![Batch { work, seconds }] };
    let measured = |series| row("f", Outcome::Measured, vec![series]);
    let mut condition = measured(series(Metric::LatencyTtft, values(vec![1.0])));
    condition.series[0].conditions = Conditions::default().with(Condition::Rate, f64::INFINITY);
    let plain = || row("f", Outcome::Measured, Vec::new());
    let phases =
        vec![Phase { level: ColdLevel::Process, name: "weights".to_owned(), seconds: vec![f64::NAN] }];
    let timing = Some(Timing { cpu_seconds: f64::NAN, ..Timing::default() });
    let peak = Peak { metric: Metric::ThroughputBytes, dtype: None, value: f64::NAN };
    let device = Some(Device { peaks: vec![peak], ..Device::default() });
    let table = [
        (
            measured(series(Metric::LatencyE2e, values(vec![1.0, f64::NAN]))),
            "observation 2 of latency.e2e is NaN",
        ),
        (
            measured(series(Metric::ThroughputTokens, batch(f64::INFINITY, 1.0))),
            "observation 1 of throughput.tokens is inf",
        ),
        (
            measured(series(Metric::ThroughputTokens, batch(1.0, f64::NAN))),
            "observation 1 of throughput.tokens is NaN",
        ),
        (
            measured(series(Metric::QualityNll, Data::Exact { value: f64::NEG_INFINITY })),
            "observation 1 of quality.nll is -inf",
        ),
        (condition, "condition rate of latency.ttft is inf"),
        (CaseRow { phases, ..plain() }, "a time of phase `weights` is NaN"),
        (CaseRow { timing, ..plain() }, "timing.cpu_seconds is NaN"),
        (CaseRow { device, ..plain() }, "the device's peak throughput.bytes is NaN"),
        (CaseRow { wall_seconds: f64::NAN, ..plain() }, "wall_seconds is NaN"),
    ];
    for (row, what) in table {
        assert_eq!(
            writer.append(&row).unwrap_err().to_string(),
            format!(
                "append `paper::f` to the record {}: {what}; a number that was not measured has to be absent",
                path.display()
            )
        );
    }
    writer.append(&plain()).unwrap();
    let end = End { status: "complete".to_owned(), wall_seconds: f64::NAN };
    assert!(writer.finish(&end).unwrap_err().to_string().contains("append `end` to the record"));
    let record = read(&path).unwrap();
    assert_eq!((record.rows.len(), record.end), (1, None));
}

#[test]
fn what_is_no_record_is_refused() {
    let golden = fs::read_to_string(golden_path()).unwrap();
    let lines: Vec<&str> = golden.lines().collect();
    let empty = "read the record record.jsonl: it is empty; \
                 the run was cut off before its first line, so run it again";
    assert_eq!(said(""), empty);
    assert_eq!(said("\n"), empty);
    assert_eq!(
        said(&golden[..40]),
        "read the record record.jsonl: its first line is torn; \
         the run was cut off before its first line, so run it again"
    );
    let foreign = "read the record record.jsonl: line 1 is no header with `\"schema\": \"gapbench.record\"`; \
                   check that it is the right file";
    assert_eq!(said("# Heading\n"), foreign);
    assert_eq!(said(b"\x7FELF\x02\x01\x01\x00"), foreign);
    assert_eq!(said(format!("{}\n", lines[1])), foreign);
    assert_eq!(said(vec![b'['; 3 << 20]), foreign);
    assert_eq!(
        said("{\"schema\": \"other.tool\", \"version\": 9}\n"),
        "read the record record.jsonl: line 1 names the schema `other.tool`, expected `gapbench.record`; \
         check that it is the right file"
    );
    let newer = golden.replacen("\"version\":1", "\"version\":2", 1);
    assert_eq!(
        said(newer),
        "read the record record.jsonl: it has version 2 and this gapbench understands versions up to 1; \
         update gapbench"
    );
    assert_eq!(
        said("{\"schema\": \"gapbench.record\", \"version\": 1}\n"),
        "read the record record.jsonl: line 1: column 43: missing field `run_id`; \
         the file is damaged, so run the benchmarks again"
    );
}

#[test]
fn damage_in_the_middle_is_named_with_its_line() {
    let golden = fs::read_to_string(golden_path()).unwrap();
    let lines: Vec<&str> = golden.lines().collect();
    let with = |line: &str| format!("{}\n{}\n{line}\n{}\n", lines[0], lines[1], lines[2]);
    let damaged = "the file is damaged, so run the benchmarks again";
    assert_eq!(
        said(with("garbage")),
        format!("read the record record.jsonl: line 3: column 1: expected value; {damaged}")
    );
    assert_eq!(said(with("")), format!("read the record record.jsonl: line 3: it is blank; {damaged}"));
    assert_eq!(
        said(with("{\"column\": 1}")),
        format!(
            "read the record record.jsonl: line 3: column 9: unknown variant `column`, \
             expected `row` or `end`; {damaged}"
        )
    );
    assert_eq!(
        said(with(lines[4])),
        format!("read the record record.jsonl: line 4: it follows the end of the record; {damaged}")
    );
    let nulled = golden.replacen("1e-9", "null", 1);
    assert!(said(nulled).starts_with("read the record record.jsonl: line 2: column "));
}

#[test]
fn what_cannot_be_read_is_named() {
    let folder = folder();
    let absent = folder.path().join("absent.jsonl");
    assert_eq!(
        read(&absent).unwrap_err().to_string(),
        format!(
            "read the record {}: No such file or directory (os error 2); \
             check the path and that the file is readable",
            absent.display()
        )
    );
    let said = read(folder.path()).unwrap_err().to_string();
    assert!(said.contains("Is a directory"), "{said}");
}

/// Row by row, and by case, a record gives what it gives as a whole.
#[test]
fn rows_can_be_read_one_at_a_time() {
    let path = golden_path();
    let whole = read(&path).unwrap();
    let mut rows = Rows::open(&path).unwrap();
    assert_eq!(*rows.header(), whole.header);
    assert_eq!(rows.by_ref().map(Result::unwrap).collect::<Vec<_>>(), whole.rows);
    assert_eq!(rows.end().cloned(), whole.end);
    let index = Index::read(&path).unwrap();
    for row in &whole.rows {
        assert_eq!(index.row(&row.case).as_ref(), Some(row));
    }
    assert_eq!(index.row(&CaseId("no such case".to_owned())), None);

    let outline = whole.rows[0].clone().outline();
    assert_eq!(outline.series.len(), whole.rows[0].series.len());
    assert!(outline.series.iter().all(|series| match &series.data {
        Data::Values { values, .. } => values.is_empty(),
        Data::Rates { batches } => batches.is_empty(),
        Data::Pairs { ours, theirs } => ours.is_empty() && theirs.is_empty(),
        Data::Counts { .. } | Data::Exact { .. } => true,
    }));
}

/// A record of one level says nothing of levels, as records did before there were any.
#[test]
fn a_phase_without_a_level_is_of_a_fresh_process() {
    let phase = |level| Phase { name: "weights".to_owned(), level, seconds: vec![0.5] };
    let old = r#"{"name":"weights","seconds":[0.5]}"#;
    assert_eq!(serde_json::from_str::<Phase>(old).unwrap(), phase(ColdLevel::Process));
    assert_eq!(serde_json::to_string(&phase(ColdLevel::Process)).unwrap(), old);
    let disk = r#"{"name":"weights","level":"disk","seconds":[0.5]}"#;
    assert_eq!(serde_json::to_string(&phase(ColdLevel::Disk)).unwrap(), disk);
    assert_eq!(serde_json::from_str::<Phase>(disk).unwrap(), phase(ColdLevel::Disk));
    assert_eq!(
        [ColdLevel::Process, ColdLevel::Disk].map(|level| phase(level).title()),
        ["weights", "disk: weights"]
    );
}
