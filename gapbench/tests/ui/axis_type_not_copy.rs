#![allow(unused_variables)]

use gapbench::prelude::*;

#[derive(Debug)]
struct Size(usize);

#[gap_bench(rows = [Size(1)])]
fn f(_bench: &mut Bencher, rows: Size) {}

fn main() {}
