use gapbench::prelude::*;

#[gap_bench(paper = ["/papers/liger.toml", 740, ""])]
fn f(_bench: &mut Bencher) {}

fn main() {}
