#![allow(unused_variables)]

use gapbench::prelude::*;

#[gap_bench(rows = [1])]
fn f(_bench: &mut Bencher, #[cfg(all())] rows: usize) {}

fn main() {}
