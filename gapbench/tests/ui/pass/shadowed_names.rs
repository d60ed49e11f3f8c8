// Names of the author's that the expansion also needs: none of them may be taken for the other.
use gapbench::prelude::{Bencher, gap_bench};

#[allow(non_camel_case_types, dead_code)]
struct usize;
#[allow(dead_code)]
struct Result;
#[allow(dead_code)]
struct Option;
#[allow(dead_code)]
enum Declaration {}

const VALUES: [u8; 2] = [1, 2];

#[gap_bench(session = [VALUES[0], VALUES[1]])]
fn run(_bench: &mut Bencher, session: u8) {
    let _ = session;
}

#[gap_bench(at = [1], index = [2], target = [3])]
fn target(bench: &mut Bencher, target: u8, at: u8, index: u8) {
    let _ = (bench, at, index, target);
}

fn main() {}
