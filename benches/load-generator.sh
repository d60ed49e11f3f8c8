#!/usr/bin/env bash
# What sending costs beside MLPerf LoadGen and oha, and whether what is measured is true. See README.md.
#
# usage: benches/load-generator.sh [ROUNDS [CLASS [PART...]]]
#   CLASS: ordinary (default), realtime
#   PART: senders, grain (both beside LoadGen), memory, http (beside oha; ordinary class only), queues; all by default
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
rounds=${1:-3}
class=${2:-ordinary}
parts=("${@:3}")
[[ $# -ge 3 ]] || parts=(senders grain memory http queues)
usage="usage: load-generator.sh [ROUNDS [ordinary|realtime [senders|grain|memory|http|queues ...]]]"
[[ $rounds =~ ^[1-9][0-9]*$ && $class =~ ^(ordinary|realtime)$ ]] || misuse "$usage"
for part in "${parts[@]}"; do
    [[ $part =~ ^(senders|grain|memory|http|queues)$ ]] || misuse "$usage"
done
wants() { [[ " ${parts[*]} " =~ \ ($1)\  ]]; }
sources=$here/load-generator

# LoadGen's C++ source is in its Python package; its Python interface would add the interpreter to every request.
loadgen=6.0.17
if wants 'senders|grain'; then
    command -v g++ >/dev/null || misuse "needs g++"
    python3 -m venv "$scratch/venv"
    "$scratch/venv/bin/pip" download --quiet --no-deps --no-binary mlcommons-loadgen --dest "$scratch" "mlcommons-loadgen==$loadgen" ||
        misuse "needs the source of mlcommons-loadgen $loadgen from the package index"
    tar -xzf "$scratch/mlcommons_loadgen-$loadgen.tar.gz" -C "$scratch"
    source_of_loadgen=$scratch/mlcommons_loadgen-$loadgen
    g++ -O3 -std=c++17 -pthread -I"$source_of_loadgen" "$sources/peer.cc" "$source_of_loadgen"/*.cc \
        "$source_of_loadgen/generated/version_generated.cc" -o "$scratch/peer" 2>"$scratch/peer.log" || {
        tail -20 "$scratch/peer.log" >&2
        misuse "LoadGen did not compile"
    }
fi

# oha is built once: it takes ten minutes of processor time.
oha=1.16.0
tools=$built/tools
if wants http; then
    [[ $("$tools/bin/oha" --version 2>/dev/null) == "oha $oha" ]] ||
        nice cargo install oha --version "$oha" --locked --root "$tools" --quiet || misuse "needs oha $oha from the package index"
fi

crate load "$with_load
ureq = { version = \"3\", default-features = false }" null server http queues
cp "$sources"/{null,server,http,queues}.rs "$scratch/load/benches/"
executables load >"$scratch/programs"

machine
python3 "$here/load-generator.py" "$scratch" "$tools/bin/oha" "$rounds" "$class" "${parts[@]}"
