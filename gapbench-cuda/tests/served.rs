//! Whole runs of a served model on a simulated device: where its cold start goes, and what it takes of the device.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests"
)]
#![allow(unsafe_code, reason = "of the shared helpers, which ask the simulator")]

mod support;

use std::process::Command;

use gapbench::record::{CaseRow, ColdLevel, Condition, Data, Metric};

fn run() -> CaseRow {
    let test = std::env::current_exe().unwrap();
    let fixture = test.parent().unwrap().parent().unwrap().join("examples").join("served");
    let home = tempfile::tempdir().unwrap();
    // Nothing else, so that neither a real driver nor an option of whoever runs the tests plays a part.
    let output = Command::new(fixture)
        .env_clear()
        .args(["--bench", "--profile", "smoke", "--noplot", "--only", "cold-start,memory"])
        .env("GAPBENCH_HOME", home.path())
        .env("CRITERION_HOME", home.path().join("criterion"))
        .env("GAPBENCH_CUDA_PATH", support::simulated())
        .current_dir(home.path())
        .output()
        .expect("`cargo build -p gapbench-cuda --examples` makes the fixture");
    let stderr = String::from_utf8_lossy(&output.stderr);
    let runs =
        std::fs::read_dir(home.path().join("runs")).unwrap_or_else(|error| panic!("{error}: {stderr}"));
    let record = runs.map(|run| run.unwrap().path().join("record.jsonl")).next().unwrap();
    gapbench::record::read(&record).unwrap().rows.remove(0)
}

#[test]
fn a_served_model_tells_its_phases_and_its_memory() {
    let row = run();
    let number = |metric| {
        let series = row.series.iter().find(|series| series.metric == metric);
        let series = series.unwrap_or_else(|| panic!("no {metric}: {:?}", row.outcome));
        let Data::Values { values, .. } = &series.data else { panic!("{series:?}") };
        assert_eq!(values.len(), 1, "of the first process only");
        values[0]
    };
    // To the byte: what is held, with the staged weights, and with both buffers of a request.
    assert_eq!(number(Metric::MemoryDeviceSteady), f64::from(1 << 20));
    assert_eq!(number(Metric::MemoryDevicePeak), f64::from(3 << 20));
    assert_eq!(number(Metric::MemoryDeviceRequest), f64::from((1 << 20) + (128 << 10)));
    // The pool takes 32 MiB at a time; the context counts too.
    assert_eq!(number(Metric::MemoryDeviceReserved), f64::from(32 << 20));
    assert!(number(Metric::MemoryDeviceDelta) > f64::from(32 << 20));

    for level in [ColdLevel::Process, ColdLevel::Jit] {
        let of_level = || row.phases.iter().filter(move |phase| phase.level == level);
        let names: Vec<&str> = of_level().map(|phase| &*phase.name).collect();
        let code = if level == ColdLevel::Jit { "no compiled code" } else { "compiled code" };
        let with_memory = level == ColdLevel::Process;
        let mut expected = vec!["spawn to main", "reading the job", "device library"];
        // What a process takes is looked at once.
        expected.extend(with_memory.then_some("device memory"));
        expected.extend(["context", "weights", "upload", code, "reading inputs"]);
        expected.extend(with_memory.then_some("reading memory"));
        expected.extend(["first answer", "module", "unaccounted"]);
        assert_eq!(names, expected);
        let total = row.series.iter().find(|series| {
            series.metric == Metric::ColdTotal
                && series.conditions.get(Condition::Cold) == Some(&level.name().into())
        });
        let Data::Values { values, .. } = &total.unwrap().data else { panic!("{total:?}") };
        let sum: f64 = of_level().map(|phase| phase.seconds[0]).sum();
        assert!((sum - values[0]).abs() < 1e-9, "phases sum to {sum} s, the total is {} s", values[0]);
    }
}
