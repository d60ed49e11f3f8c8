#![allow(unused_variables)]

use gapbench::prelude::*;

#[gap_bench(mode::fast)]
fn f(_bench: &mut Bencher, mode: usize) {}

fn main() {}
