use gapbench::prelude::*;

#[gap_bench]
fn f(_bench: &mut Bencher) -> usize {
    1
}

fn main() {}
