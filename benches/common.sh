# Sourced by the scripts of this folder: a scratch folder that goes away, and small crates in it.
set -euo pipefail
export LC_ALL=C

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
built=${CARGO_TARGET_DIR:-$root/target}/speed
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cp "$root/rust-toolchain.toml" "$scratch/"
unset CARGO_TARGET_DIR CARGO_BUILD_TARGET_DIR RUSTFLAGS GAPBENCH_HOME CRITERION_HOME

# The dependency lines of a crate that uses gapbench with its defaults, without criterion, and of one that uses criterion.
with_criterion="gapbench = { path = \"$root/gapbench\" }"
without_criterion="gapbench = { path = \"$root/gapbench\", default-features = false }"
with_load="gapbench = { path = \"$root/gapbench\", default-features = false, features = [\"service\"] }"
criterion='criterion = "=0.8.2"'

misuse() {
    echo "$(basename "$0"): $1" >&2
    exit 2
}

for tool in cargo python3 nice; do
    command -v "$tool" >/dev/null || misuse "needs $tool"
done

# crate NAME DEPENDENCIES BENCH...: a crate of its own in the scratch folder. Its lock file starts as the workspace's, so
# that all crates get the same versions. The caller writes benches/BENCH.rs.
crate() {
    local name=$1 dependencies=$2 bench
    shift 2
    mkdir -p "$scratch/$name/src" "$scratch/$name/benches"
    : >"$scratch/$name/src/lib.rs"
    cp "$root/Cargo.lock" "$scratch/$name/"
    {
        printf '[package]\nname = "%s"\nedition = "2024"\n\n[workspace]\n\n[lib]\nbench = false\n\n' "$name"
        printf '[dev-dependencies]\n%s\n\n' "$dependencies"
        for bench; do printf '[[bench]]\nname = "%s"\nharness = false\n\n' "$bench"; done
    } >"$scratch/$name/Cargo.toml"
    for bench; do : >"$scratch/$name/benches/$bench.rs"; done
    # Keeps what the lock file knows and downloads what is not here yet.
    (cd "$scratch/$name" && cargo fetch --quiet)
}

# executables NAME: builds the crate's benches with optimisation; prints "BENCH PATH" for each.
executables() {
    (cd "$scratch/$1" && CARGO_TARGET_DIR="$built" nice cargo bench --offline --no-run --message-format=json-render-diagnostics) \
        2>"$scratch/build.log" |
        python3 -c '
import json, sys
for line in sys.stdin:
    message = json.loads(line)
    if message.get("executable"):
        print(message["target"]["name"], message["executable"])' || {
        cat "$scratch/build.log" >&2
        misuse "the fixture did not build"
    }
}

machine() {
    printf 'machine: %s, %s cores, load %s; %s; %s\n\n' \
        "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1)" "$(nproc)" "$(cut -d' ' -f1 /proc/loadavg)" \
        "$(rustc --version | cut -d' ' -f1-2)" "$(date +%F)"
}
