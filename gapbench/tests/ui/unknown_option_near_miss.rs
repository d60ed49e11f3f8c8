use gapbench::prelude::*;

#[gap_bench(papers = "papers/x.toml")]
fn f(_bench: &mut Bencher) {}

fn main() {}
