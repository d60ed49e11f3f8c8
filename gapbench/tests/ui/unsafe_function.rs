use gapbench::prelude::*;

#[gap_bench]
unsafe fn f(_bench: &mut Bencher) {}

fn main() {}
