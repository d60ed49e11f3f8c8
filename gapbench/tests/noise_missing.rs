//! `cargo gapbench noise` in a build without noise says what to do.

#![cfg(not(feature = "service"))]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::process::Command;

#[test]
fn the_verb_names_the_feature() {
    for words in [&[][..], &["--operator", "typo.case", "--file", "in.jsonl"], &["--help"]] {
        let output =
            Command::new(env!("CARGO_BIN_EXE_cargo-gapbench")).arg("noise").args(words).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert_eq!(
            String::from_utf8(output.stderr).unwrap(),
            "gapbench noise: this build has no noise; expected one with the feature `service`; install it with `cargo \
             install --path gapbench --features service`\n"
        );
    }
}
