use gapbench::prelude::*;

struct Broken;

#[gap_bench]
fn f(_bench: &mut Bencher) -> std::result::Result<(), Broken> {
    Err(Broken)
}

fn main() {}
