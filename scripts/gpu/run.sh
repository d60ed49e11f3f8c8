#!/usr/bin/env bash
# Measures the kernels on this machine's GPU: `run.sh OUT`. It is done in under 9 minutes. Every step has its own time
# limit, and one that fails does not keep the others from running. The last thing printed is the table. The exit code is 1
# where a step failed or was cut off.
#
# SUITE_FILTER   regular expression on the names of the cases (all)
# SUITE_PROFILE  profile of the two runs (quick)
# SUITE_SECONDS  time limit of the whole (530)
# PYTHON         the Python that has PyTorch (python3)
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
log=log.txt
# shellcheck source=steps.sh
source "$here/steps.sh"
filters=()
[[ -z $filter ]] || filters=("$filter")

tracking() {
    "$here/launches" --event-tracking | tee event-tracking.json
}
compared() {
    "$python" "$here/do_bench.py" --launches "$here/launches.json" --ptx "$here/ptx" --out do_bench.json --filter "$filter"
}
export -f tracking compared

step facts 30 0 bash -euo pipefail -c facts
step test 75 0 env GAPBENCH_HOME="$work/test" "$here/kernels" --test --require-device cuda --color never "${filters[@]}"
step "run 1" 170 0 bash -euo pipefail -c 'bench "$@"' bench run1 "$here/kernels" --profile "$profile" --require-device cuda "${filters[@]}"
collect run1
# Its cases fail by design, which is what 101 says.
step faults 75 101 bash -euo pipefail -c 'bench "$@"' bench faults "$here/faulty_kernels" --profile smoke --require-device cuda
collect faults
step "event tracking" 20 0 bash -euo pipefail -c tracking
step do_bench 90 0 bash -euo pipefail -c compared
keep do_bench.json do_bench.json
step "run 2" 170 0 bash -euo pipefail -c 'bench "$@"' bench run2 "$here/kernels" --profile "$profile" --require-device cuda "${filters[@]}"
collect run2
step table "$for_table" 0 "$python" "$here/table.py" "$work" "$out"
((failed == 0))
