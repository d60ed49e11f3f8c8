#![allow(unused_variables)]

use gapbench::prelude::*;

#[gap_bench(memory = [1, 2])]
fn f(_serve: &mut Serve, memory: usize) {}

fn main() {}
