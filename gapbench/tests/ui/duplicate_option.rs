use gapbench::prelude::*;

#[gap_bench(name = "a", name = "b")]
fn f(_bench: &mut Bencher) {}

fn main() {}
