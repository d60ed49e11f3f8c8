use gapbench::prelude::*;

#[gap_bench(load(clients = [0, 8, 8, 2.5], rates = [0, -1.0], arrivals = uniform, client = [1]), slo(p99 = "800", p101 = "1s", ttft_p95 = 3))]
fn everything(_serve: &mut Serve) {}

#[gap_bench(load)]
fn nothing(_serve: &mut Serve) {}

#[gap_bench(load())]
fn empty(_serve: &mut Serve) {}

#[gap_bench(load(clients = [1], arrivals = gamma(0)))]
fn gaps_of_nothing(_serve: &mut Serve) {}

#[gap_bench(load(rates = [1], think = "1s"))]
fn nobody_thinks(_serve: &mut Serve) {}

#[gap_bench(load(search))]
fn search_for_nothing(_serve: &mut Serve) {}

#[gap_bench(slo(p99 = "1s"))]
fn asked_of_nothing(_serve: &mut Serve) {}

#[gap_bench(load(clients = [1]))]
fn no_service(_bench: &mut Bencher) {}

fn main() {}
