#!/usr/bin/env bash
# How much memory the parent, its children and the report child hold for 1,000 cases. See README.md.
#
# usage: benches/parent-memory.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
[[ $# -eq 0 ]] || misuse "usage: parent-memory.sh"

crate many-plain "$without_criterion" many
crate many-criterion "$with_criterion" many
# Every process writes its peak when its `main` returns. The bench's own `main` is what `gapbench::main!` defines.
cat >"$scratch/many-plain/benches/many.rs" <<'RUST'
use std::io::Write;
use std::process::ExitCode;

mod bench {
    use gapbench::prelude::*;

    gapbench::main!();

    #[gap_bench(thousands = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], tens = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
                ones = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])]
    fn trivial(bench: &mut Bencher, thousands: u64, tens: u64, ones: u64) {
        bench.iter(|| std::hint::black_box(thousands) ^ std::hint::black_box(tens) ^ ones);
    }

    pub fn run() -> std::process::ExitCode {
        main()
    }
}

fn main() -> ExitCode {
    let code = bench::run();
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak").trim();
    let role = if std::env::var_os("GAPBENCH_CHILD_JOB").is_some() {
        "child"
    } else if std::env::var_os("GAPBENCH_REPLAY_JOB").is_some() {
        "criterion's child"
    } else {
        "parent"
    };
    if let Some(file) = std::env::var_os("PEAKS") {
        let mut file = std::fs::OpenOptions::new().append(true).create(true).open(file).expect("the peaks' file");
        file.write_all(format!("{role}\t{peak}\n").as_bytes()).expect("a peak can be written");
    }
    code
}
RUST
cp "$scratch/many-plain/benches/many.rs" "$scratch/many-criterion/benches/"
plain=$(executables many-plain | cut -d' ' -f2)
criterion=$(executables many-criterion | cut -d' ' -f2)

# Largest peak of each role, MiB.
peaks() {
    python3 -c '
import sys
largest = {}
for line in open(sys.argv[1]):
    role, peak = line.rstrip("\n").split("\t")
    largest[role] = max(largest.get(role, 0.0), float(peak.split()[0]) / 1024)
print(" | ".join(f"{largest[role]:.1f}" if role in largest else "" for role in ["parent", "child", "criterion\x27s child"]))' "$1"
}

mebibytes() {
    awk '{ printf "%.1f", $1 / 1048576 }'
}

# measure WHAT PROGRAM ARGUMENTS...: a row. Runs after another one compare with it; `forget` prevents that.
measure() {
    local what=$1 program=$2
    shift 2
    rm -rf "$scratch/peaks" "$scratch/run/output"
    mkdir -p "$scratch/run"
    : >"$scratch/begun"
    (cd "$scratch/run" && PEAKS=$scratch/peaks GAPBENCH_HOME=$scratch/run/gapbench CRITERION_HOME=$scratch/run/criterion \
        "$program" "$@" >"$scratch/run/output" 2>&1) || {
        tail -20 "$scratch/run/output" >&2
        misuse "$what did not run"
    }
    local record results
    record=$(find "$scratch/run" -name record.jsonl -newer "$scratch/begun" -exec wc -c {} + | mebibytes)
    results=$(find "$scratch/run" -name results.json -newer "$scratch/begun" -exec wc -c {} + | mebibytes)
    grep '^warning' "$scratch/run/output" >&2 || true
    echo "| $what | $(peaks "$scratch/peaks") | $record | $results |"
}

forget() {
    rm -rf "$scratch/run"
}

machine
one=(thousands=0,tens=0,ones=0)
short=(--bench --warm-up-time 0.001 --measurement-time 0.001)
echo "Largest peak of resident memory (VmHWM), MiB, and the size of the files:"
echo
echo "| 1,000 cases | parent | a measuring child | criterion's child | record.jsonl | results.json |"
echo "|---|---|---|---|---|---|"
for features in "without criterion:$plain" "default features:$criterion"; do
    name=${features%%:*} program=${features#*:}
    measure "test, 1 case, $name" "$program" "${one[@]}"
    measure "test, $name" "$program"
    measure "bench, 1 case, $name" "$program" "${short[@]}" --noplot "${one[@]}"
    forget
    measure "bench, 1 ms each, $name" "$program" "${short[@]}" --noplot
    measure "the same again, compared with the first, $name" "$program" "${short[@]}" --noplot
    forget
    # Some thousand observations for each case; a record may keep 10,000 of each.
    measure "bench, 50 ms each, $name" "$program" --bench --profile full --warm-up-time 0.001 \
        --measurement-time 0.05 --noplot
    measure "the same again, compared with the first, $name" "$program" --bench --profile full --warm-up-time 0.001 \
        --measurement-time 0.05 --noplot
    forget
done
