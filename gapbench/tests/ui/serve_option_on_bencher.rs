use gapbench::prelude::*;

#[gap_bench(cold_start, inputs = "data/eval.jsonl")]
fn f(_bench: &mut Bencher) {}

fn main() {}
