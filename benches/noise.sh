#!/usr/bin/env bash
# What noise costs: bytes per second of each operator, and the memory of a large set.
#
# usage: benches/noise.sh [ROUNDS]
#
# Goals: every operator by itself changes at least 50 MB of text per second of processor time, and `cargo gapbench noise
# --output` holds less than 200 MB for a set of a million items. The texts are messages of 60 to 160 characters, English
# with quotes, numbers and a few letters that are not ASCII. The peer is nlpaug 1.1.11 (Python), where pip finds it.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
rounds=${1:-3}
[[ $# -le 1 && $rounds =~ ^[1-9][0-9]*$ ]] || misuse "usage: noise.sh [ROUNDS]"

crate noise "gapbench = { path = \"$root/gapbench\", default-features = false, features = [\"service\"] }
rustix = { version = \"1.1\", features = [\"time\"] }" noise
cat >"$scratch/noise/benches/noise.rs" <<'RUST'
//! usage: noise set FILE ITEMS | noise speed FILE ROUNDS
use std::io::Write;

use gapbench::input::perturb::{Registry, Severity};
use gapbench::stats::SplitMix64;

const WORDS: &[&str] = &[
    "please", "the", "order", "is", "not", "here", "card", "machine", "account", "of", "office", "in", "transfer", "was",
    "for", "flight", "didn't", "my", "20", "confirmation", "and", "\"urgent\"", "can", "you", "café", "different", "file",
    "this", "payment", "to", "address", "from", "that", "because", "I'd", "-", "refund", "customer", "with", "statement",
];

fn message(random: &mut SplitMix64) -> String {
    let length = 60 + random.below(100) as usize;
    let mut text = String::new();
    while text.len() < length {
        text.push_str(WORDS[random.below(WORDS.len() as u64) as usize]);
        text.push(if random.below(12) == 0 { ',' } else { ' ' });
        if text.ends_with(',') {
            text.push(' ');
        }
    }
    format!("{}.", text.trim_end_matches([' ', ',']))
}

fn cpu_seconds() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let count: usize = words[2].parse().unwrap();
    if words[0] == "set" {
        let mut random = SplitMix64::new(1);
        let mut file = std::io::BufWriter::new(std::fs::File::create(&words[1]).unwrap());
        for item in 0..count {
            let text = message(&mut random).replace('"', "\\\"");
            writeln!(file, "{{\"id\": \"message-{item}\", \"text\": \"{text}\", \"expected\": \"refund\"}}").unwrap();
        }
        return;
    }
    let items = gapbench::input::read(words[1].as_ref()).unwrap().items;
    let bytes: usize = items.iter().map(|item| item.text.len()).sum();
    let registry = Registry::standard();
    for operator in registry.operators() {
        let chain = registry.chain(operator.name()).unwrap();
        let speeds = Severity::ALL.iter().map(|severity| {
            let best = (0..count).map(|_| {
                let before = cpu_seconds();
                for item in &items {
                    std::hint::black_box(chain.apply(&item.text, *severity, 42, &item.id));
                }
                cpu_seconds() - before
            });
            let mut all: Vec<f64> = best.collect();
            all.sort_by(f64::total_cmp);
            format!("{:.1}", bytes as f64 / all[all.len() / 2] / 1e6)
        });
        println!("{} {}", operator.name(), speeds.collect::<Vec<_>>().join(" "));
    }
}
RUST
ours=$(executables noise | cut -d' ' -f2)
"$ours" set "$scratch/speed.jsonl" 50000
"$ours" set "$scratch/large.jsonl" 1000000

(cd "$root" && CARGO_TARGET_DIR="$built" nice cargo build --quiet --offline --release -p gapbench --no-default-features \
    --features service --bin cargo-gapbench) || misuse "cargo-gapbench did not build"
verb=$built/release/cargo-gapbench

python3 -m venv "$scratch/venv"
peer=$scratch/venv/bin/python
"$scratch/venv/bin/pip" install --quiet nlpaug==1.1.11 2>"$scratch/pip.log" || peer=

machine
python3 "$here/noise.py" "$ours" "$verb" "$scratch" "$rounds" $peer
