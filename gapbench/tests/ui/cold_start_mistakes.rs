use gapbench::prelude::*;

#[gap_bench(cold_start())]
fn nothing(_serve: &mut Serve) {}

#[gap_bench(cold_start(disc, jit, jit, process = 1, machine))]
fn everything(_serve: &mut Serve) {}

#[gap_bench(cold_start = disk)]
fn assigned(_serve: &mut Serve) {}

#[gap_bench(cold_start(jit))]
fn no_service(_bench: &mut Bencher) {}

fn main() {}
