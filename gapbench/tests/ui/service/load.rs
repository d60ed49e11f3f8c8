use gapbench::prelude::*;

#[gap_bench(inputs = "data/eval.jsonl", load(clients = [1, 8]))]
fn f(_serve: &mut Serve) {}

fn main() {}
