use gapbench::prelude::*;

#[gap_bench(colour = "red")]
fn f(_bench: &mut Bencher) {}

fn main() {}
