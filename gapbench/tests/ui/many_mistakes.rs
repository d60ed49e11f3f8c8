#![allow(unused_variables)]

use gapbench::prelude::*;

#[gap_bench(papers = "a.toml", name = "two words", rows = [], rows = [1], memory = false cold_start, depth = [2])]
async fn f<T>(_bench: &Bencher, rows: usize, hidden: usize) {}

fn main() {}
