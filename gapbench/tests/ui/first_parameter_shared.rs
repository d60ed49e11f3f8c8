use gapbench::prelude::*;

#[gap_bench]
fn f(_bench: &Bencher) {}

fn main() {}
