#!/usr/bin/env bash
# What a case costs beyond its own work, since each runs in a process of its own. See README.md.
#
# usage: benches/child-cost.sh [ROUNDS]      (default 5)
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
rounds=${1:-5}
[[ $# -le 1 && $rounds =~ ^[1-9][0-9]*$ ]] || misuse "usage: child-cost.sh [ROUNDS]"

crate cases-plain "$without_criterion" cases spawn
crate cases-criterion "$with_criterion" cases
crate cases-peer "$criterion" peer
values=$(seq -s, 100)
cat >"$scratch/cases-plain/benches/cases.rs" <<RUST
use gapbench::prelude::*;

gapbench::main!();

#[gap_bench(value = [$values])]
fn trivial(bench: &mut Bencher, value: u64) {
    bench.iter(|| value);
}
RUST
cp "$scratch/cases-plain/benches/cases.rs" "$scratch/cases-criterion/benches/"
# What criterion spends on a benchmark beyond measuring it.
cat >"$scratch/cases-peer/benches/peer.rs" <<'RUST'
use criterion::{Criterion, criterion_group, criterion_main};

fn trivial(criterion: &mut Criterion) {
    for value in 1..=20_u64 {
        criterion.bench_function(&format!("trivial-{value}-"), |bench| bench.iter(|| value));
    }
}

criterion_group!(benches, trivial);
criterion_main!(benches);
RUST
# The peer of the processes: a program that only starts another one, over and over, as plainly as std can.
cat >"$scratch/cases-plain/benches/spawn.rs" <<'RUST'
use std::process::{Command, Stdio};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let (times, command) = words.split_first().expect("TIMES PROGRAM ARGUMENTS");
    for _ in 0..times.parse().expect("TIMES is a number") {
        let mut child = Command::new(&command[0]);
        child.args(&command[1..]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        assert!(child.status().expect("the program can be started").success());
    }
}
RUST

plain=$(executables cases-plain)
machine
python3 "$here/child_cost.py" "$rounds" "$(awk '$1 == "spawn" { print $2 }' <<<"$plain")" \
    "$(awk '$1 == "cases" { print $2 }' <<<"$plain")" "$(executables cases-criterion | cut -d' ' -f2)" \
    "$(executables cases-peer | cut -d' ' -f2)"
