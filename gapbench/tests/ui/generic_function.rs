use gapbench::prelude::*;

#[gap_bench]
fn f<T>(_bench: &mut Bencher) {}

fn main() {}
