#!/usr/bin/env bash
# Builds target/gpu-pack: all that a machine with a GPU needs to measure the kernels and the example `llama`, and nothing
# that it lacks. There, `run.sh OUT` and `run-llama.sh OUT` do the rest. No Rust, no network and no CUDA toolkit are needed on that machine.
set -euo pipefail

# The oldest C library that the pack has to start on: Ubuntu 22.04's.
readonly GLIBC=2.35
readonly MOST_MIB=60

fail() {
    echo "pack.sh: $*" >&2
    exit 1
}

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
for tool in cargo python3 strip objdump ldd; do
    command -v "$tool" >/dev/null || fail "$tool is needed and not found"
done
target=${CARGO_TARGET_DIR:-target}
pack=target/gpu-pack
rm -rf "$pack"
mkdir -p "$pack/ptx"

# Builds with the words given, and prints the path of the program of this name.
built() {
    local name=$1
    shift
    cargo "$@" --message-format=json | python3 -c '
import json, sys
name, found = sys.argv[1], None
for line in sys.stdin:
    message = json.loads(line)
    if message.get("executable") and message["target"]["name"] == name:
        found = message["executable"]
if found is None:
    sys.exit(f"cargo built no program called {name}")
print(found)' "$name"
}

# One profile for all, so that their dependencies are compiled once. It is release with line tables, which `strip`
# takes out without changing the code.
declare -A built_at
built_at[kernels]=$(built kernels bench -p kernels --bench kernels --no-run)
built_at[faulty_kernels]=$(built faulty_kernels build --profile bench -p gapbench-cuda --example faulty_kernels)
built_at[launches]=$(built launches build --profile bench -p kernels --example launches)
built_at[llama_bench]=$(built llama bench -p llama --bench llama --no-run)
built_at[llama]=$(built llama build --profile bench -p llama --bin llama)
built_at[on_device]=$(built on_device build --profile bench -p llama --example on_device)
readonly programs=(kernels faulty_kernels launches llama_bench llama on_device)
for name in "${programs[@]}"; do
    strip --strip-all -o "$pack/$name" "${built_at[$name]}"
done

"$pack/launches" >"$pack/launches.json"
cp examples/kernels/kernels/*.ptx "$pack/ptx/"
cp scripts/gpu/*.sh scripts/gpu/*.py "$pack/"
rm "$pack/pack.sh"

# The newest version of the C library that a program asks for.
needs() {
    objdump -T "$1" | grep -o 'GLIBC_[0-9.]*' | sed 's/GLIBC_//' | sort -uV | tail -n 1
}

needed=0
for name in "${programs[@]}"; do
    libraries=$(ldd "$pack/$name")
    if grep -Eiq 'cuda|cublas|nvrtc|nvidia' <<<"$libraries"; then
        fail "$name is linked against a library of CUDA, which a machine need not have: $libraries"
    fi
    own=$(needs "$pack/$name")
    newest=$(printf '%s\n%s\n' "$own" "$GLIBC" | sort -V | tail -n 1)
    [[ $newest == "$GLIBC" ]] || fail "$name needs glibc $own, and the pack has to start on $GLIBC; build it on an older system"
    needed=$(printf '%s\n%s\n' "$own" "$needed" | sort -V | tail -n 1)
done

revision=$(git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
# What is not committed is part of the pack too.
[[ -z $(git status --porcelain 2>/dev/null) ]] || revision+=+
{
    echo "revision: $revision"
    echo "packed: $(date -u +%Y-%m-%dT%H:%M:%SZ)"
    echo "compiler: $(rustc --version)"
    echo "target: $(rustc --version --verbose | sed -n 's/^host: //p'), profile bench, stripped"
    echo "needs: glibc $needed or later, a driver of CUDA 12.0 or later; cuBLAS for the products"
    (cd "$pack" && sha256sum "${programs[@]}" launches.json)
} >"$pack/build.txt"

mib=$(du -sm "$pack" | cut -f 1)
((mib <= MOST_MIB)) || fail "$pack has $mib MiB, and at most $MOST_MIB are meant to be carried"
cat "$pack/build.txt"
echo "size: $mib MiB in $pack (of $target)"
