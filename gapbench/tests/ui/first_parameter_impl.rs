use gapbench::prelude::*;

#[gap_bench]
fn f(_bench: &mut impl Sized) {}

fn main() {}
