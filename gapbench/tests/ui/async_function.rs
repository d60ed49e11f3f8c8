use gapbench::prelude::*;

#[gap_bench]
async fn f(_bench: &mut Bencher) {}

fn main() {}
