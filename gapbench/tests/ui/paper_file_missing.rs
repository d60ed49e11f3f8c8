use gapbench::prelude::*;

#[gap_bench(paper = "papers/absent.toml#id")]
fn f(_bench: &mut Bencher) {}

fn main() {}
