use gapbench::prelude::*;

#[gap_bench]
const fn f(_bench: &mut Bencher) {}

fn main() {}
