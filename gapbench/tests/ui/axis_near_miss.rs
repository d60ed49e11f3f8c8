#![allow(unused_variables)]

use gapbench::prelude::*;

#[gap_bench(row = [1, 2])]
fn f(_bench: &mut Bencher, rows: usize) {}

fn main() {}
