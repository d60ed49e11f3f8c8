use gapbench::prelude::*;

#[gap_bench(paper = 740)]
fn f(_bench: &mut Bencher) {}

fn main() {}
