#![allow(unused_variables)]

use gapbench::prelude::*;

#[gap_bench(rows = [1], rows = [2])]
fn f(_bench: &mut Bencher, rows: usize) {}

fn main() {}
