use gapbench::prelude::*;

#[gap_bench]
fn f(_bench: &mut String) {}

fn main() {}
