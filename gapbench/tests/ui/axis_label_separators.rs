#![allow(unused_variables)]

use gapbench::prelude::*;

#[gap_bench(text = ["a b", "a,b", "a=b", "a::b", ""], size = [1 as usize, usize::max_value()])]
fn f(_bench: &mut Bencher, text: &str, size: usize) {}

fn main() {}
