#![allow(unused_variables)]

use gapbench::prelude::*;

const SIZES: [usize; 2] = [1, 2];

#[gap_bench(rows = SIZES)]
fn f(_bench: &mut Bencher, rows: usize) {}

fn main() {}
