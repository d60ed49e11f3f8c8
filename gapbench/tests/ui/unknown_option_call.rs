use gapbench::prelude::*;

#[gap_bench(load(clients = [1, 8]))]
fn f(_serve: &mut Serve) {}

fn main() {}
