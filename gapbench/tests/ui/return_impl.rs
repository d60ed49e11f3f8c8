use gapbench::prelude::*;

#[gap_bench]
fn f(_bench: &mut Bencher) -> impl Sized {}

fn main() {}
