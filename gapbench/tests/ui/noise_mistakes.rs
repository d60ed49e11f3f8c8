use gapbench::prelude::*;

#[gap_bench(noise = [mild, medium, medium, 0.1, ""])]
fn severities(_serve: &mut Serve) {}

#[gap_bench(noise)]
fn nothing(_serve: &mut Serve) {}

#[gap_bench(noise = medium)]
fn no_list(_serve: &mut Serve) {}

#[gap_bench(noise = [])]
fn empty(_serve: &mut Serve) {}

fn main() {}
