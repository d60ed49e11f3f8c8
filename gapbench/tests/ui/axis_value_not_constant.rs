#![allow(unused_variables)]

use gapbench::prelude::*;

fn size() -> usize {
    2048
}

#[gap_bench(rows = [size()])]
fn f(_bench: &mut Bencher, rows: usize) {}

fn main() {}
