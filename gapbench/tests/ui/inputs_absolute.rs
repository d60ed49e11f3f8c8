use gapbench::prelude::*;

#[gap_bench(inputs = "/data/eval.jsonl")]
fn f(_serve: &mut Serve) {}

fn main() {}
