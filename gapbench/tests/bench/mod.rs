//! Runs the bench binaries of `fixtures/`, each time with a results folder of its own.

#![allow(dead_code)]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

/// A finished run.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) home: TempDir,
}

/// A run in progress.
pub(crate) struct Started {
    child: Child,
    home: TempDir,
}

/// The bench binary of this name. `cargo test` builds examples before it runs tests; `cargo test --test x` does not.
pub(crate) fn program(name: &str) -> PathBuf {
    let deps = std::env::current_exe().unwrap();
    let program = deps.parent().unwrap().parent().unwrap().join("examples").join(name);
    assert!(program.exists(), "{} is not built; run `cargo build --examples` first", program.display());
    program
}

/// Runs a fixture in a fresh results folder.
pub(crate) fn bench(name: &str, words: &[&str]) -> Run {
    Run::start(name, words).finish()
}

/// Runs a fixture in a given results folder.
pub(crate) fn bench_in(home: &Path, name: &str, words: &[&str]) -> Output {
    command(home, name, words).output().unwrap()
}

fn command(home: &Path, name: &str, words: &[&str]) -> Command {
    let mut command = Command::new(program(name));
    command
        .args(words)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("GAPBENCH_HOME", home)
        .env("CRITERION_HOME", home.join("criterion"))
        // An unoptimised criterion draws slowly, and what it draws is looked at in `report_criterion.rs`.
        .env("GAPBENCH_NOPLOT", "1")
        .env_remove("GITHUB_STEP_SUMMARY")
        .stdin(Stdio::null());
    command
}

impl Run {
    pub(crate) fn start(name: &str, words: &[&str]) -> Started {
        let home = tempfile::tempdir().unwrap();
        let child =
            command(home.path(), name, words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        Started { child, home }
    }

    /// `results.json`.
    pub(crate) fn results(&self) -> Value {
        let text = std::fs::read_to_string(self.home.path().join("results.json"))
            .unwrap_or_else(|error| panic!("{error}\n{}\n{}", self.stdout, self.stderr));
        serde_json::from_str(&text).unwrap()
    }

    /// The raw record of the only run.
    pub(crate) fn only_record(&self) -> PathBuf {
        let mut runs = std::fs::read_dir(self.home.path().join("runs")).unwrap();
        let run = runs.next().unwrap().unwrap().path();
        assert!(runs.next().is_none(), "one run only");
        run.join("record.jsonl")
    }
}

impl Started {
    /// The process of the child that is at work on `case`, once there is one.
    pub(crate) fn wait_for_child_of(&mut self, case: &str) -> u32 {
        for _ in 0..500 {
            if let Some(child) = self.child_of(case) {
                return child;
            }
            std::thread::park_timeout(Duration::from_millis(10));
        }
        panic!("no child for {case} after 5 s");
    }

    fn child_of(&self, case: &str) -> Option<u32> {
        let id = self.child.id();
        let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).ok()?;
        let child: u32 = children.split_whitespace().next()?.parse().ok()?;
        let variables = std::fs::read(format!("/proc/{child}/environ")).ok()?;
        let job = variables
            .split(|byte| *byte == 0)
            .find_map(|pair| pair.strip_prefix(b"GAPBENCH_CHILD_JOB=").map(<[u8]>::to_vec))?;
        let job = std::fs::read_to_string(String::from_utf8(job).ok()?).ok()?;
        job.contains(&format!("\"{case}\"")).then_some(child)
    }

    pub(crate) fn signal(&mut self, name: &str) {
        let status =
            Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status().unwrap();
        assert!(status.success());
    }

    pub(crate) fn finish(self) -> Run {
        let Output { status, stdout, stderr } = self.child.wait_with_output().unwrap();
        Run {
            code: status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&stdout).into_owned(),
            stderr: String::from_utf8_lossy(&stderr).into_owned(),
            home: self.home,
        }
    }
}
