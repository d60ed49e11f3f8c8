#![allow(unused_variables)]

use gapbench::prelude::*;

#[gap_bench(rows = [1] hidden = [2])]
fn f(_bench: &mut Bencher, rows: usize, hidden: usize) {}

fn main() {}
