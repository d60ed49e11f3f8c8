use gapbench::prelude::*;

#[gap_bench]
fn f() {}

fn main() {}
