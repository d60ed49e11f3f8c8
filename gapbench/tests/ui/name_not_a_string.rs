use gapbench::prelude::*;

#[gap_bench(name = rms_norm)]
fn f(_bench: &mut Bencher) {}

fn main() {}
