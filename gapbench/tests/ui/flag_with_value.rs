use gapbench::prelude::*;

#[gap_bench(cold_start = true)]
fn f(_serve: &mut Serve) {}

fn main() {}
