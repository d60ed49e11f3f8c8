use gapbench::prelude::*;

#[gap_bench(size = [1])]
fn f(_bench: &mut Bencher, (_rows, _hidden): (usize, usize)) {}

fn main() {}
