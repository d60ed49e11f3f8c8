use gapbench::prelude::*;

#[gap_bench(name = "one")]
#[gap_bench(name = "two")]
fn f(_bench: &mut Bencher) {}

fn main() {}
