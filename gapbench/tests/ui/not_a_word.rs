use gapbench::prelude::*;

#[gap_bench("papers/x.toml")]
fn f(_bench: &mut Bencher) {}

fn main() {}
