use gapbench::prelude::*;

#[gap_bench(paper)]
fn f(_bench: &mut Bencher) {}

fn main() {}
