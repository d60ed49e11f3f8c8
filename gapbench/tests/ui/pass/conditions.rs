use gapbench::prelude::*;

#[gap_bench]
#[cfg(any())]
fn never_compiled(_bench: &mut NoSuchType) {}

#[cfg(any())]
#[gap_bench]
fn never_seen(_bench: &mut NoSuchType) {}

#[gap_bench(rows = [1])]
#[cfg(all())]
#[inline(never)]
#[allow(dead_code)]
fn compiled(_bench: &mut Bencher, rows: usize) {
    let _ = rows;
}

fn main() {}
