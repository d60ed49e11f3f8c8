//! What a user types, and what is answered: libtest's protocol, baselines, mistakes.

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
use std::os::unix::fs::PermissionsExt;
use std::process::Output;

use bench::{bench, bench_in};

fn text(output: &Output) -> (i32, String, String) {
    (
        output.status.code().unwrap_or(-1),
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

/// Byte for byte what nextest and libtest's callers expect.
#[test]
fn listing() {
    let home = tempfile::tempdir().unwrap();
    let list = |words: &[&str]| text(&bench_in(home.path(), "known", words));
    let all = "known::sleeps::millis=2: benchmark\nknown::sleeps::millis=4: benchmark\nknown::model: benchmark\n\
               known::unreliable: benchmark\n";
    assert_eq!(list(&["--list", "--format", "terse"]), (0, all.to_owned(), String::new()));
    assert_eq!(list(&["--list", "--format", "terse", "--ignored"]), (0, String::new(), String::new()));
    assert_eq!(list(&["--list", "--exact", "known::model"]).1, "known::model: benchmark\n");
    assert_eq!(list(&["--list", "--skip", "sleeps", "--skip", "un"]).1, "known::model: benchmark\n");
    assert_eq!(list(&["--list", "millis=4$"]).1, "known::sleeps::millis=4: benchmark\n");
    assert!(fs::read_dir(home.path()).unwrap().next().is_none(), "listing writes nothing");
}

#[test]
fn without_bench_each_case_runs_once_as_a_test() {
    let home = tempfile::tempdir().unwrap();
    let (code, out, _) = text(&bench_in(home.path(), "known", &["--skip", "unreliable"]));
    assert_eq!(code, 0, "{out}");
    assert!(out.contains("test known::model ... ok"), "{out}");
    assert!(
        out.contains("test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 1 filtered out"),
        "{out}"
    );
    assert!(fs::read_dir(home.path()).unwrap().next().is_none(), "a test leaves no results");

    let (code, out, _) =
        text(&bench_in(home.path(), "faulty", &["--exact", "faulty::needs_a_device", "--nocapture"]));
    assert_eq!(code, 0);
    assert!(out.contains("test faulty::needs_a_device ... ignored, no CUDA driver found"), "{out}");

    // libtest's answer to a name that does not exist.
    let (code, out, _) = text(&bench_in(home.path(), "known", &["--exact", "known::nothing"]));
    assert_eq!(code, 0);
    assert!(out.contains("0 passed"), "{out}");
}

#[test]
fn a_filter_without_a_match_says_so() {
    let home = tempfile::tempdir().unwrap();
    let (code, _, err) = text(&bench_in(home.path(), "known", &["--bench", "nosuch"]));
    assert_eq!(code, 0, "another bench target may match");
    assert_eq!(err, "known: none of its 4 cases is selected; `--list` shows them\n");
    assert_eq!(text(&bench_in(home.path(), "known", &["--bench", "nosuch", "--gate"])).0, 4);
}

#[test]
fn explain_runs_nothing() {
    let home = tempfile::tempdir().unwrap();
    let (code, out, _) = text(&bench_in(home.path(), "known", &["--bench", "--explain", "model"]));
    assert_eq!(code, 0);
    assert!(
        out.starts_with("1 cases, 3 left out by the filters; profile quick, seed 42\nknown::model"),
        "{out}"
    );
    let steps = out.lines().filter(|line| line.starts_with("    ")).collect::<Vec<_>>();
    let first = "    7 fresh processes: from start to the first answer, cold level process; ended after ";
    assert!(steps[0].starts_with(first), "{out}");
    assert!(fs::read_dir(home.path()).unwrap().next().is_none());
}

#[test]
fn options_have_mirrors_in_the_environment() {
    let home = tempfile::tempdir().unwrap();
    let explain = |profile: &str, words: &[&str]| {
        let mut command = std::process::Command::new(bench::program("known"));
        command.args(["--bench", "--explain"]).args(words).env("GAPBENCH_HOME", home.path());
        text(&command.env("GAPBENCH_PROFILE", profile).output().unwrap())
    };
    assert!(explain("full", &[]).1.contains("profile full"));
    assert!(explain("full", &["--profile", "smoke"]).1.contains("profile smoke"), "the command line wins");
    let (code, _, err) = explain("fast", &[]);
    assert_eq!(code, 2, "a typo in the environment is no default");
    assert!(err.contains("fast") && err.contains("smoke, quick, full"), "{err}");
}

#[test]
fn mistakes_are_usage_errors() {
    let home = tempfile::tempdir().unwrap();
    for (words, part) in [
        (&["--bench", "--nosuch"][..], "--nosuch"),
        (&["--bench", "--profil=full"], "a similar argument exists: '--profile'"),
        (&["--bench", "--partition", "hash:9/4"], "K from 1 to N"),
        (&["--bench", "--baseline", "never-saved"], "there is no baseline `never-saved` of gapbench/known"),
        (&["--bench", "--only", "nothing"], "latency, cold-start, memory, quality"),
    ] {
        let (code, _, err) = text(&bench_in(home.path(), "known", words));
        assert_eq!(code, 2, "{words:?}: {err}");
        assert!(err.contains(part), "{words:?}: {err}");
    }
    assert!(fs::read_dir(home.path()).unwrap().next().is_none(), "a mistake costs nothing that was there");
}

#[test]
fn baselines_are_kept_and_compared() {
    let home = tempfile::tempdir().unwrap();
    let words = |more: &[&'static str]| [&["--bench", "--profile", "smoke", "millis=2"], more].concat();
    let (code, out, err) = text(&bench_in(home.path(), "known", &words(&["--save-baseline", "v1"])));
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("baselines/v1/gapbench-known.jsonl"), "{out}");

    let (code, _, err) = text(&bench_in(home.path(), "known", &words(&["--baseline", "v1"])));
    assert_eq!(code, 0, "{err}");
    let results: serde_json::Value =
        serde_json::from_slice(&fs::read(home.path().join("results.json")).unwrap()).unwrap();
    let changes = results["targets"][0]["judgement"]["changes"].as_array().unwrap().clone();
    let latency = changes.iter().find(|change| change["metric"] == "latency.e2e").unwrap();
    assert!(["same", "ambiguous"].contains(&latency["change"].as_str().unwrap()), "{latency}");

    let (code, _, err) = text(&bench_in(home.path(), "known", &words(&["--baseline", "v2"])));
    assert_eq!(code, 2);
    assert!(err.contains("there are: v1"), "{err}");
    let (code, _, err) = text(&bench_in(home.path(), "known", &words(&["--baseline-lenient", "v2"])));
    assert_eq!(code, 0);
    assert!(err.contains("nothing to compare with"), "{err}");

    // A record of another machine is compared with nothing.
    let kept = home.path().join("baselines/v1/gapbench-known.jsonl");
    let record = fs::read_to_string(&kept).unwrap();
    fs::write(&kept, record.replacen("\"cores\":", "\"cores\":9", 1)).unwrap();
    let (code, _, err) = text(&bench_in(home.path(), "known", &words(&["--baseline", "v1"])));
    assert_eq!(code, 0, "{err}");
    let results = fs::read_to_string(home.path().join("results.json")).unwrap();
    assert!(results.contains("\"change\":\"not-comparable\""), "{results}");

    // A record of the future, and one that is none.
    fs::write(&kept, record.replacen("\"version\":1", "\"version\":99", 1)).unwrap();
    let (code, _, err) = text(&bench_in(home.path(), "known", &words(&["--baseline", "v1"])));
    assert_eq!(code, 2);
    assert!(err.contains("99"), "{err}");
    fs::write(&kept, "{\"mean\": 1}\n").unwrap();
    let (code, _, err) = text(&bench_in(home.path(), "known", &words(&["--baseline", "v1"])));
    assert_eq!(code, 2);
    assert!(err.contains("gapbench-known.jsonl"), "{err}");
}

#[test]
fn bencher_lines_match_the_format_that_ci_services_read() {
    let run = bench("known", &["--bench", "--profile", "smoke", "millis=2", "--output-format", "bencher"]);
    // The expression of github-action-benchmark's `cargo` extractor.
    let line =
        regex::Regex::new(r"(?m)^test (.+)\s+\.\.\. bench:\s+([0-9,.]+) (\w+/\w+) \(\+/- ([0-9,.]+)\)$")
            .unwrap();
    let found = line.captures(&run.stdout).unwrap_or_else(|| panic!("{}", run.stdout));
    assert_eq!(&found[1], "known::sleeps::millis=2");
    let nanos: f64 = found[2].replace(',', "").parse().unwrap();
    assert!((2e6..4e6).contains(&nanos), "{nanos} ns for a sleep of 2 ms");
}

#[test]
fn a_folder_that_cannot_be_written_is_named_before_anything_runs() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("file");
    fs::write(&file, b"").unwrap();
    let (code, _, err) = text(&bench_in(&file, "known", &["--bench", "--profile", "smoke", "millis=2"]));
    assert_eq!(code, 2);
    assert!(err.contains("file/runs") && err.contains("set GAPBENCH_HOME"), "{err}");

    let locked = home.path().join("locked");
    fs::create_dir(&locked).unwrap();
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o555)).unwrap();
    let writable_all_the_same = fs::write(locked.join("probe"), b"").is_ok();
    if writable_all_the_same {
        println!("skipped: this user may write anywhere");
        return;
    }
    let (code, _, err) = text(&bench_in(&locked, "known", &["--bench", "--profile", "smoke", "millis=2"]));
    assert_eq!(code, 2);
    assert!(err.contains("set GAPBENCH_HOME"), "{err}");
}

/// Nothing that was there is lost, not even what gapbench does not understand.
#[test]
fn results_that_are_garbage_are_moved_aside() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("results.json"), "not ours").unwrap();
    let (code, _, err) =
        text(&bench_in(home.path(), "known", &["--bench", "--profile", "smoke", "millis=2"]));
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("results.json.broken"), "{err}");
    assert_eq!(fs::read_to_string(home.path().join("results.json.broken")).unwrap(), "not ours");
}
