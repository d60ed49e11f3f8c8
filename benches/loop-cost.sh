#!/usr/bin/env bash
# Which instructions run inside the timed loop, by counting every one of them. See README.md.
#
# usage: benches/loop-cost.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
[[ $# -eq 0 ]] || misuse "usage: loop-cost.sh"
command -v valgrind >/dev/null || misuse "needs valgrind"

crate loops-gapbench "$without_criterion" timed
crate loops-raw "" raw
crate loops-criterion "$criterion" peer

# The same six routines everywhere. Each loop stands alone in a function that names it.
cat >"$scratch/work.rs" <<'RUST'
use std::hint::black_box;

#[inline(never)]
fn work_constant(x: u64) -> u64 {
    x.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (x >> 7)
}

#[inline(never)]
fn work_nothing() {
    black_box(());
}

#[inline(never)]
fn work_borrowed(values: &[u64]) -> u64 {
    values[0] ^ values[3]
}

#[inline(never)]
fn work_counter(x: u64) -> u64 {
    x ^ 5
}

#[inline(never)]
fn work_owned(x: u64) -> [u64; 4] {
    [x; 4]
}

#[inline(never)]
fn work_large(x: u64) -> [u64; 64] {
    [x; 64]
}

#[allow(unused)]
fn values() -> Vec<u64> {
    black_box(vec![1, 2, 3, 4])
}
RUST
{
    cat "$scratch/work.rs"
    cat <<'RUST'
use gapbench::prelude::*;

gapbench::main!();

#[gap_bench]
fn constant(bench: &mut Bencher) {
    bench.iter(|| work_constant(black_box(3)));
}

#[gap_bench]
fn nothing(bench: &mut Bencher) {
    bench.iter(|| work_nothing());
}

#[gap_bench]
fn borrowed(bench: &mut Bencher) {
    let values = values();
    bench.iter(|| work_borrowed(black_box(&values)));
}

#[gap_bench]
fn counter(bench: &mut Bencher) {
    let mut count = 0_u64;
    bench.iter(|| {
        count = count.wrapping_add(1);
        work_counter(count)
    });
}

#[gap_bench]
fn owned(bench: &mut Bencher) {
    bench.iter(|| work_owned(black_box(3)));
}

#[gap_bench]
fn large(bench: &mut Bencher) {
    bench.iter(|| work_large(black_box(3)));
}
RUST
} >"$scratch/loops-gapbench/benches/timed.rs"
{
    cat "$scratch/work.rs"
    cat <<'RUST'
#[inline(never)]
fn constant(calls: u64) {
    for _ in 0..calls {
        black_box(work_constant(black_box(3)));
    }
}

#[inline(never)]
fn nothing(calls: u64) {
    for _ in 0..calls {
        black_box(work_nothing());
    }
}

#[inline(never)]
fn borrowed(calls: u64) {
    let values = values();
    for _ in 0..calls {
        black_box(work_borrowed(black_box(&values)));
    }
}

#[inline(never)]
fn counter(calls: u64) {
    let mut count = 0_u64;
    for _ in 0..calls {
        count = count.wrapping_add(1);
        black_box(work_counter(count));
    }
}

#[inline(never)]
fn owned(calls: u64) {
    for _ in 0..calls {
        black_box(work_owned(black_box(3)));
    }
}

#[inline(never)]
fn large(calls: u64) {
    for _ in 0..calls {
        black_box(work_large(black_box(3)));
    }
}

fn main() {
    for run in [constant, nothing, borrowed, counter, owned, large] {
        run(black_box(100_000));
    }
}
RUST
} >"$scratch/loops-raw/benches/raw.rs"
{
    cat "$scratch/work.rs"
    cat <<'RUST'
use criterion::{Criterion, criterion_group, criterion_main};

fn constant(criterion: &mut Criterion) {
    criterion.bench_function("constant", |bench| bench.iter(|| work_constant(black_box(3))));
}

fn nothing(criterion: &mut Criterion) {
    criterion.bench_function("nothing", |bench| bench.iter(|| work_nothing()));
}

fn borrowed(criterion: &mut Criterion) {
    let values = values();
    criterion.bench_function("borrowed", |bench| bench.iter(|| work_borrowed(black_box(&values))));
}

fn counter(criterion: &mut Criterion) {
    let mut count = 0_u64;
    criterion.bench_function("counter", |bench| {
        bench.iter(|| {
            count = count.wrapping_add(1);
            work_counter(count)
        })
    });
}

fn owned(criterion: &mut Criterion) {
    criterion.bench_function("owned", |bench| bench.iter(|| work_owned(black_box(3))));
}

fn large(criterion: &mut Criterion) {
    criterion.bench_function("large", |bench| bench.iter(|| work_large(black_box(3))));
}

criterion_group!(benches, constant, nothing, borrowed, counter, owned, large);
criterion_main!(benches);
RUST
} >"$scratch/loops-criterion/benches/peer.rs"

raw=$(executables loops-raw | cut -d' ' -f2)
timed=$(executables loops-gapbench | cut -d' ' -f2)
peer=$(executables loops-criterion | cut -d' ' -f2)

# count NAME COMMAND...: the counts of each process that the command becomes, one file per process.
count() {
    local name=$1
    shift
    mkdir "$scratch/$name"
    (cd "$scratch/$name" && valgrind --quiet --tool=callgrind --dump-instr=yes --compress-strings=no --compress-pos=no \
        --trace-children=yes --trace-children-skip='*/git' --callgrind-out-file="$scratch/$name/%p.counts" "$@") \
        >"$scratch/$name/output" 2>&1 || {
        cat "$scratch/$name/output" >&2
        misuse "$name did not run under valgrind"
    }
}

machine
count raw "$raw"
# Under valgrind everything is some 50 times slower, and the batch is chosen by time.
GAPBENCH_HOME="$scratch/home" count gapbench "$timed" --bench --warm-up-time 0.02 --measurement-time 0.2
# Runs each routine for about this long and analyses nothing.
CRITERION_HOME="$scratch/criterion" count criterion "$peer" --bench --profile-time 1
python3 "$here/loop_cost.py" "$raw" "$scratch/raw" "$timed" "$scratch/gapbench" "$peer" "$scratch/criterion"
