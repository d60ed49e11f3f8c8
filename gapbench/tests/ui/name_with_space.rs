use gapbench::prelude::*;

#[gap_bench(name = "rms norm")]
fn f(_bench: &mut Bencher) {}

fn main() {}
