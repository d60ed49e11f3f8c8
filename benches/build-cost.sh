#!/usr/bin/env bash
# What a clean `cargo bench --no-run` costs with one empty bench: gapbench against criterion. See README.md.
#
# usage: benches/build-cost.sh [ROUNDS]      (default 2; each builds three crates from nothing)
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
rounds=${1:-2}
[[ $# -le 1 && $rounds =~ ^[1-9][0-9]*$ ]] || misuse "usage: build-cost.sh [ROUNDS]"

crate gapbench-default "$with_criterion" empty
crate gapbench-plain "$without_criterion" empty
crate criterion-alone "$criterion" empty
for name in gapbench-default gapbench-plain; do
    cat >"$scratch/$name/benches/empty.rs" <<'RUST'
use gapbench::prelude::*;

gapbench::main!();

#[gap_bench]
fn empty(bench: &mut Bencher) {
    bench.iter(|| ());
}
RUST
done
cat >"$scratch/criterion-alone/benches/empty.rs" <<'RUST'
use criterion::{Criterion, criterion_group, criterion_main};

fn empty(criterion: &mut Criterion) {
    criterion.bench_function("empty", |bench| bench.iter(|| ()));
}

criterion_group!(benches, empty);
criterion_main!(benches);
RUST

machine
python3 "$here/build_cost.py" "$scratch" "$rounds" criterion-alone gapbench-default gapbench-plain
