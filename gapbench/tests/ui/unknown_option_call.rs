use gapbench::prelude::*;

#[gap_bench(serving(clients = [1, 8]))]
fn f(_serve: &mut Serve) {}

fn main() {}
