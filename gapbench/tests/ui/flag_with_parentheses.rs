use gapbench::prelude::*;

#[gap_bench(memory(peak))]
fn f(_serve: &mut Serve) {}

fn main() {}
