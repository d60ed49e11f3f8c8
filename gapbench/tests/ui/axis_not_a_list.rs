#![allow(unused_variables)]

use gapbench::prelude::*;

#[gap_bench(rows = 2048)]
fn f(_bench: &mut Bencher, rows: usize) {}

fn main() {}
