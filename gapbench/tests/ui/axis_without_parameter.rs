use gapbench::prelude::*;

#[gap_bench(rows = [1, 2])]
fn f(_bench: &mut Bencher) {}

fn main() {}
