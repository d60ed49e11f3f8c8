use gapbench::prelude::*;

#[gap_bench(inputs = "data/eval.jsonl", cold_start(process, disk))]
fn f(_serve: &mut Serve) {}

fn main() {}
