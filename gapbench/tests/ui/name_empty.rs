use gapbench::prelude::*;

#[gap_bench(name = "")]
fn f(_bench: &mut Bencher) {}

fn main() {}
