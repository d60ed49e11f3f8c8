//! `#[gap_bench]` in a crate that forbids `unsafe` and denies every lint, and what it records.

#![forbid(unsafe_code)]
#![deny(
    warnings,
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    unused_lifetimes,
    single_use_lifetimes,
    let_underscore_drop,
    clippy::all,
    clippy::pedantic,
    clippy::shadow_reuse,
    clippy::indexing_slicing,
    clippy::unwrap_used
)]

use gapbench::__private::{Declaration, Kind, Options, inventory};
use gapbench::prelude::*;

/// No options.
#[gap_bench]
fn plain(_bench: &mut Bencher) {}

/// Every option.
#[gap_bench(
    name = "all-of-them",
    paper = ["tests/ui/paper.toml", "tests/ui/paper.toml#fast"],
    benchmark = "data/stsb.jsonl",
    inputs = "data/eval.jsonl",
    cold_start,
    memory,
    dtype = ["bf16", "fp32"],
    rows = [1 << 10, usize::MAX],
)]
fn service(serve: &mut Serve, rows: usize, dtype: &'static str) -> Result<()> {
    let _ = (serve, dtype.parse::<u8>()?, rows);
    Ok(())
}

mod inner {
    use super::{Bencher, gap_bench};

    #[gap_bench(size = [1, 2])]
    pub(super) fn in_a_module(_bench: &mut Bencher, size: u8) {
        let _ = size;
    }
}

/// A macro's arguments come in invisible delimiters.
macro_rules! declare {
    ($name:ident, $target:ty, $axis:ident: $ty:ty = $list:expr, $paper:expr) => {
        #[gap_bench(paper = $paper, $axis = $list)]
        fn $name(_bench: &mut $target, $axis: $ty) {
            let _ = $axis;
        }
    };
}

declare!(from_a_macro, Bencher, text: &'static str = ["a", "b"], "tests/ui/paper.toml");

fn declaration(name: &str) -> Option<&'static Declaration> {
    inventory::iter::<Declaration>.into_iter().find(|declaration| declaration.name == name)
}

#[test]
fn every_function_is_registered_once() {
    let mut names: Vec<_> = inventory::iter::<Declaration>.into_iter().map(|one| one.name).collect();
    names.sort_unstable();
    assert_eq!(names, ["all-of-them", "from_a_macro", "in_a_module", "plain"]);
}

#[test]
fn a_plain_function_has_nothing_but_its_place() {
    let plain = declaration("plain").unwrap();
    assert_eq!(plain.path(), "forbid_unsafe::plain");
    assert!(plain.file.ends_with("forbid_unsafe.rs"), "{}", plain.file);
    let line =
        include_str!("forbid_unsafe.rs").lines().position(|line| line.starts_with("fn plain")).unwrap() + 1;
    assert_eq!(plain.line as usize, line, "the line of the function, not of the attribute");
    assert_eq!(plain.manifest_dir, env!("CARGO_MANIFEST_DIR"));
    assert_eq!(plain.kind, Kind::Function);
    assert_eq!(plain.options, Options::NONE);
    assert!(plain.axes.is_empty() && plain.papers.is_empty());
}

#[test]
fn options_and_axes_are_recorded() {
    let service = declaration("all-of-them").unwrap();
    assert_eq!(service.kind, Kind::Service);
    let axes: Vec<_> = service.axes.iter().map(|axis| (axis.name, axis.labels)).collect();
    assert_eq!(
        axes,
        [("rows", &["1<<10", "MAX"][..]), ("dtype", &["bf16", "fp32"][..])],
        "in the order of the parameters, not of the attribute"
    );
    let papers: Vec<_> = service.papers.iter().map(|paper| (paper.path, paper.id)).collect();
    assert_eq!(papers, [("tests/ui/paper.toml", None), ("tests/ui/paper.toml", Some("fast"))]);
    assert_eq!(service.papers.first().unwrap().text, include_bytes!("ui/paper.toml"));
    let options = Options {
        benchmark: Some("data/stsb.jsonl"),
        inputs: Some("data/eval.jsonl"),
        cold_start: &[gapbench::__private::ColdLevel::Process],
        memory: true,
        ..Options::NONE
    };
    assert_eq!(service.options, options);
}

#[test]
fn an_index_without_a_value_is_an_error_and_no_panic() {
    let sized = declaration("in_a_module").unwrap();
    assert_eq!(sized.path(), "forbid_unsafe::inner::in_a_module");
    for index in [&[][..], &[2]] {
        let error = (sized.run)(&mut (), index).unwrap_err();
        assert_eq!(error.to_string(), "axis `size` has no value at the index of this case");
    }
}

#[test]
fn a_macro_can_write_the_attribute() {
    let written = declaration("from_a_macro").unwrap();
    let axes: Vec<_> = written.axes.iter().map(|axis| (axis.name, axis.labels)).collect();
    assert_eq!(axes, [("text", &["a", "b"][..])]);
    assert_eq!(written.papers.first().unwrap().path, "tests/ui/paper.toml");
}
