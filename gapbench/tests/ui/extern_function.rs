use gapbench::prelude::*;

#[gap_bench]
extern "C" fn f(_bench: &mut Bencher) {}

fn main() {}
