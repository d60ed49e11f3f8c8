//! What the attribute says about mistakes, pinned: each file in `ui/` has one mistake, and its `.stderr` is the answer.
//!
//! After a change of a sentence, `TRYBUILD=overwrite cargo test -p gapbench --test ui` writes the files again; read the diff.

#[test]
fn mistakes_are_answered_at_their_tokens() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/pass/*.rs");
    cases.compile_fail("tests/ui/*.rs");
    if cfg!(feature = "service") {
        cases.pass("tests/ui/service/*.rs");
    } else {
        cases.compile_fail("tests/ui/service/*.rs");
    }
}
