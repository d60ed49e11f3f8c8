use gapbench::prelude::*;

struct Model;

impl Model {
    #[gap_bench]
    fn f(&mut self) {}
}

fn main() {}
