//! Whole runs of a bench binary on a simulated device: each fault is one failed row with its reason and the other cases
//! are measured; known times come out as they are; a simulated number is held against nothing.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests"
)]
#![allow(unsafe_code, reason = "of the shared helpers, which ask the simulator")]

mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// The fixture, which cargo builds beside the tests.
fn fixture() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.parent().unwrap().parent().unwrap().join("examples").join("faulty_kernels")
}

/// Runs the fixture with these words under a script of the simulator; `libraries` is where it looks for CUDA.
fn bench_with(home: &Path, words: &[&str], script: &str, libraries: &Path) -> Output {
    let mut command = Command::new(fixture());
    // Nothing else, so that neither a real driver nor an option of whoever runs the tests plays a part.
    command.env_clear().args(["--bench", "--profile", "smoke", "--noplot"]).args(words);
    command.env("GAPBENCH_HOME", home).env("CRITERION_HOME", home.join("criterion"));
    command.env("GAPBENCH_CUDA_PATH", libraries).env("CUDA_SIMULATOR", script);
    command.current_dir(home).output().expect("`cargo build -p gapbench-cuda --examples` makes the fixture")
}

struct Run {
    /// The only target of `results.json`.
    target: Value,
    text: String,
    code: i32,
    _home: tempfile::TempDir,
}

fn bench(words: &[&str], script: &str) -> Run {
    let home = tempfile::tempdir().unwrap();
    let output = bench_with(home.path(), words, script, &support::simulated());
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let results = std::fs::read(home.path().join("results.json"));
    let results =
        results.unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    let mut results: Value = serde_json::from_slice(&results).unwrap();
    Run { target: results["targets"][0].take(), text, code: output.status.code().unwrap(), _home: home }
}

impl Run {
    fn case(&self, name: &str) -> &Value {
        let id = format!("faulty_kernels::{name}");
        self.target["cases"].as_array().unwrap().iter().find(|case| case["case"] == id.as_str()).unwrap()
    }

    /// The point estimate of a metric of a case.
    fn number(&self, name: &str, metric: &str) -> Option<f64> {
        let id = format!("faulty_kernels::{name}");
        let measured = self.target["judgement"]["measured"].as_array().unwrap();
        let found =
            measured.iter().find(|found| found["case"] == id.as_str() && found["metric"] == metric)?;
        found["estimate"]["interval"]["value"].as_f64()
    }

    fn notes(&self, name: &str) -> String {
        let notes = self.case(name)["notes"].as_array().cloned().unwrap_or_default();
        notes.iter().map(|note| format!("{}: {}\n", note["code"], note["text"])).collect()
    }
}

#[test]
fn each_fault_is_a_row_with_its_reason_and_the_others_are_measured() {
    let run = bench(&[], "hang never_ends");
    let table = [
        ("ptx_of_tomorrow", "error", "the PTX is newer than the driver"),
        ("damaged_ptx", "error", "the PTX has an error"),
        ("damaged_cubin", "error", "the cubin is cut off"),
        ("no_such_kernel", "error", "find the kernel sclae: the image has scale, "),
        ("too_few_arguments", "error", "launch scale: it takes 3 arguments, and 2 were given"),
        (
            "argument_of_another_size",
            "error",
            "parameter 2 (counted from 0) has 4 bytes, and the argument has 8",
        ),
        ("grid_too_large", "error", "4096x1x1 threads: at most 1024 threads along x"),
        ("out_of_bounds", "error", "CUDA_ERROR_ILLEGAL_ADDRESS (700)"),
        ("traps", "error", "CUDA_ERROR_LAUNCH_FAILED (719)"),
        ("waits_for_itself", "error", "the launch waits for the stream"),
        (
            "wrong_output",
            "wrong_answer",
            "1 of 16384 values differ from the reference; the worst is value 16383",
        ),
        (
            "writes_nothing",
            "wrong_answer",
            "output 1 still holds the pattern that was put there after the first launch",
        ),
        (
            "replays",
            "wrong_answer",
            "output 1 still holds the pattern that was put there after a batch of launches",
        ),
        ("hangs", "error", "the kernel launched last is never_ends"),
        ("too_much_memory", "error", "allocate 4398046511104 bytes of the device: "),
        ("never_launched", "error", "never called `launch`"),
        ("never_checked", "error", "the output was never checked"),
        ("names_no_output", "error", "no output is known"),
    ];
    for (case, kind, reason) in table {
        let outcome = &run.case(case)["outcome"];
        assert_eq!(
            (&outcome["status"], &outcome["kind"]),
            (&"failed".into(), &kind.into()),
            "{case}: {outcome}"
        );
        assert!(outcome["reason"].as_str().unwrap().contains(reason), "{case}: {outcome}");
    }
    let measured = ["healthy", "in_place", "still_healthy", "on_the_host"];
    for case in measured {
        assert_eq!(run.case(case)["outcome"]["status"], "measured", "{case}: {}", run.text);
    }
    assert_eq!(run.target["cases"].as_array().unwrap().len(), table.len() + measured.len());
    // The line and the thread of a fault are in what the driver printed.
    let tail = run.case("out_of_bounds")["outcome"]["stderr_tail"].to_string();
    assert!(tail.contains("thread (0,0,0) of block (0,0,0): write of 4 bytes at"), "{tail}");
    assert_eq!(run.code, 101, "a failed case has libtest's code");
}

#[test]
fn times_that_are_known_come_out_as_they_are() {
    let script = "cost scale 100000; cost gapbench_empty 4000";
    let run = bench(&["::healthy"], script);
    let known = [
        ("latency.kernel", 1e-4),
        ("latency.kernel_hot", 1e-4),
        ("latency.launch_floor", 4e-6),
        // Two buffers of 2^14 elements of 4 bytes, and 2^14 operations.
        ("throughput.bytes", 131_072.0 / 1e-4),
        ("throughput.flops", 16_384.0 / 1e-4),
        ("throughput.samples", 16_384.0 / 1e-4),
    ];
    for (metric, expected) in known {
        // The driver gives an elapsed time as an f32.
        let found = run.number("healthy", metric).unwrap();
        assert!((found / expected - 1.0).abs() < 1e-6, "{metric}: {found}\n{}", run.text);
    }
    // Both peaks were measured, and the larger of the two times is the roofline.
    let device = &run.target["header"]["environment"]["device"];
    let peak = |metric: &str, dtype: Option<&str>| {
        let peaks = device["peaks"].as_array().unwrap();
        peaks.iter().find(|peak| peak["metric"] == metric && peak["dtype"].as_str() == dtype).unwrap()["value"]
            .as_f64()
            .unwrap()
    };
    let moving = 131_072.0 / peak("throughput.bytes", None);
    let computing = 16_384.0 / peak("throughput.flops", Some("f32"));
    let share = run.number("healthy", "roofline.share").unwrap();
    assert!((share * 1e-4 / moving.max(computing) - 1.0).abs() < 1e-6, "{share}");
    // The pool's peak: two buffers of 64 KiB, exactly.
    assert_eq!(run.number("healthy", "memory.device_peak"), Some(131_072.0));
    assert_eq!(run.number("healthy", "memory.device_reserved"), Some(33_554_432.0));
    assert!(run.number("healthy", "memory.device_delta").unwrap() > 33_554_432.0, "the context counts too");
}

#[test]
fn a_simulated_number_is_held_against_nothing() {
    let run = bench(&["::healthy"], "cost scale 100000");
    let claim = &run.target["judgement"]["claims"][0];
    assert_eq!(claim["verdict"], "not-comparable");
    assert!(claim["reason"].as_str().unwrap().contains("whose times come from a model"), "{claim}");
    assert_eq!(run.target["header"]["environment"]["device"]["simulated"], true);
    assert_eq!(run.case("healthy")["device"], Value::Null, "results hold the run's device once");
    assert!(run.text.contains("SIMULATED: times come from a model"), "{}", run.text);
}

#[test]
fn a_kernel_of_less_than_three_empty_launches_has_no_verdict() {
    let run = bench(&["::healthy"], "cost scale 5000");
    let reason = run.target["judgement"]["claims"][0]["reason"].to_string();
    assert!(reason.contains("less than 3 empty launches of 2.00 µs each"), "{reason}");
}

#[test]
fn a_throttled_device_is_waited_for_and_then_named() {
    // The survey and the floor are done by then: about 80 launches of the stand's own, three per observation.
    let healthy = |script: &str| bench(&["::still_healthy"], script);
    let always = healthy("throttle 2 0x40");
    let notes = always.notes("still_healthy");
    assert!(notes.contains("after 20 were thrown away for it"), "{notes}");
    assert!(notes.contains("hardware thermal slowdown"), "{notes}");
    let never = healthy("");
    assert!(!never.notes("still_healthy").contains("throttled"), "{}", never.notes("still_healthy"));
    let [slow, fast] = [&always, &never].map(|run| run.number("still_healthy", "latency.kernel").unwrap());
    assert!((slow / fast - 2.0).abs() < 0.01, "{slow} {fast}");
}

#[test]
fn an_answer_that_no_header_knows_ends_one_case() {
    let run = bench(&["healthy"], "fail cuLaunchKernel at 1 with 917 always");
    for case in ["healthy", "still_healthy"] {
        let reason = run.case(case)["outcome"]["reason"].to_string();
        assert!(reason.contains("code 917"), "{reason}");
    }
}

#[test]
fn without_a_device_every_kernel_is_skipped_with_the_reason() {
    let home = tempfile::tempdir().unwrap();
    let nowhere = home.path().join("nowhere");
    let output = bench_with(home.path(), &[], "", &nowhere);
    let text = String::from_utf8_lossy(&output.stdout);
    if text.contains("faulty_kernels::healthy") && !text.contains("no CUDA driver found") {
        println!("SKIPPED: this machine has a CUDA driver");
        return;
    }
    assert!(text.contains("1 case measured, 21 skipped"), "{text}");
    let output = bench_with(home.path(), &["--require-device", "cuda"], "", &nowhere);
    assert_eq!(output.status.code(), Some(101));
    let no_device = bench(&["::healthy"], "no-device");
    let outcome = &no_device.case("healthy")["outcome"];
    assert_eq!(outcome["absent_device"], "cuda", "{outcome}");
}

#[test]
fn what_is_in_nobodys_environment_is_needed_by_nobody() {
    // As `env -i`: the binary starts, lists and explains where there is nothing of CUDA.
    let output = Command::new(fixture()).env_clear().args(["--list", "--format", "terse"]).output().unwrap();
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).contains("faulty_kernels::healthy: benchmark"));
}
