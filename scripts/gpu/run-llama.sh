#!/usr/bin/env bash
# Measures the example `llama` on this machine's GPU: `run-llama.sh OUT`. It is done in under 9 minutes, as run.sh is, and is
# meant for a call of its own. Every step has its own time limit, and one that fails does not keep the others from running.
# The last thing printed is the table. The exit code is 1 where a step failed or was cut off.
#
# SUITE_PRESET   shape that is decoded and loaded, written to a folder that is removed at the end (8b, 16 GB)
# SUITE_LARGE    shape with 8-bit matrices that is made in memory (70b, 71 GB: no file, since both do not fit on a disk of 64 GB)
# SUITE_CLIENTS  clients that are served at once (50)
# SUITE_FOLDER   folder with room for the model (a temporary one)
# SUITE_FILTER, SUITE_PROFILE, SUITE_SECONDS, PYTHON: as of run.sh
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
log=llama-log.txt
# shellcheck source=steps.sh
source "$here/steps.sh"

readonly preset=${SUITE_PRESET:-8b}
readonly large=${SUITE_LARGE:-70b}
readonly clients=${SUITE_CLIENTS:-50}
if [[ -n ${SUITE_FOLDER:-} ]]; then
    models=$(mktemp -d "$SUITE_FOLDER/llama.XXXXXX")
    trap 'rm -rf "$work" "$models"' EXIT
else
    models=$work/models
    mkdir "$models"
fi
# The name that the benchmarks look for.
model=$models/llama-$preset-2
# Where the benchmarks look for it.
export LLAMA_MODELS=$models
export models model preset
filters=("${filter:-(decode|prefill)_step_cuda::preset=$preset,}")

write() {
    local begin=$SECONDS
    df -h "$models" | tail -n 1
    "$here/llama" write --preset "$preset" --to "$model"
    printf '{"bytes": %s, "seconds": %s}\n' "$(cat "$model"/*.safetensors | wc -c)" "$((SECONDS - begin))" >written.json
}
export -f write

step facts 30 0 bash -euo pipefail -c facts
step test 60 0 env GAPBENCH_HOME="$work/test" "$here/llama_bench" --test --require-device cuda --color never '(decode|prefill).*_cuda::preset=tiny'
step write 120 0 bash -euo pipefail -c write
step disk 60 0 "$python" "$here/disk.py" "$model" disk.json
# From the disk, since the step before dropped the files from the system's cache.
step served 90 0 "$here/on_device" served "$model" "$clients" served.json
keep served.json on_device-served.json
step run 160 0 bash -euo pipefail -c 'bench "$@"' bench run "$here/llama_bench" --profile "$profile" --require-device cuda "${filters[@]}"
for record in run/runs/*/record.jsonl; do
    [[ ! -f $record ]] || keep "$record" record-llama.jsonl
done
step torch 130 0 "$python" "$here/torch_llama.py" --model "$model" --out torch.json --seconds 100
keep torch.json torch_llama.json
# Room in memory: what the system keeps of these files is of no use any more.
rm -rf "$models"
step memory 120 0 "$here/on_device" memory "$large" memory.json
keep memory.json on_device-memory.json
step table "$for_table" 0 "$python" "$here/llama_table.py" "$work" "$out"
((failed == 0))
