use gapbench::prelude::*;

#[gap_bench(paper = "../papers/liger.toml")]
fn f(_bench: &mut Bencher) {}

fn main() {}
