#![allow(unused_variables)]

use gapbench::prelude::*;

#[gap_bench(bench = [1, 2])]
fn f(bench: &mut Bencher) {}

fn main() {}
