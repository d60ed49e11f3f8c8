//! `cargo gapbench import` in a build without import says what to do.

#![cfg(not(feature = "import"))]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::process::Command;

#[test]
fn the_verb_names_the_feature() {
    for words in [&[][..], &["README.md", "--output", "paper.toml"], &["--help"]] {
        let output =
            Command::new(env!("CARGO_BIN_EXE_cargo-gapbench")).arg("import").args(words).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert_eq!(
            String::from_utf8(output.stderr).unwrap(),
            "gapbench import: this build has no import; expected one with the feature `import`; install it with `cargo \
             install --path gapbench --features import`\n"
        );
    }
}
