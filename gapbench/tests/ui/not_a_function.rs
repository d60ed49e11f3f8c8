use gapbench::prelude::*;

#[gap_bench]
pub struct Model;

fn main() {}
