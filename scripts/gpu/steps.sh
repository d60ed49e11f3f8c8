# shellcheck shell=bash disable=SC2034,SC2154
# What `run.sh` and `run-llama.sh` share: the check of the output folder, a log of all that is printed, steps with time
# limits, and the facts of the machine. Sourced, with `here` and `log` set, by a program that got OUT as its one word.

if (($# != 1)); then
    echo "usage: $(basename "$0") OUT" >&2
    exit 2
fi
# Where results of a real device are kept, nothing of a simulated one is put, its log included.
if [[ $(realpath -m "$1")/ == */results/nvidia-* ]]; then
    IFS=: read -ra folders <<<"${GAPBENCH_CUDA_PATH:-}:${LD_LIBRARY_PATH:-}"
    for folder in "${folders[@]}"; do
        if [[ -n $folder && -f $folder/libcuda.so.1 ]] && grep -q simulator_is_present "$folder/libcuda.so.1"; then
            echo "$(basename "$0"): $folder has the simulated driver, and $1 is for results of a real device" >&2
            exit 2
        fi
    done
fi
mkdir -p "$1"
out=$(cd "$1" && pwd)
if [[ -z ${SUITE_LOGGED:-} ]]; then
    # Once more, with all that is printed kept.
    SUITE_LOGGED=1 "$here/$(basename "$0")" "$out" 2>&1 | tee "$out/$log"
    exit "${PIPESTATUS[0]}"
fi

readonly total=${SUITE_SECONDS:-530}
readonly for_table=15
readonly profile=${SUITE_PROFILE:-quick}
readonly filter=${SUITE_FILTER:-}
readonly python=${PYTHON:-python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export here work out
cd "$work" || exit 1
: >steps.tsv
cp "$here/build.txt" .

# What is kept of a run goes to OUT as soon as it is there, so that a run that is cut short leaves something. A simulated
# device's record never goes where results of a real one are kept.
keep() {
    [[ -s $1 ]] || return 0
    if [[ $out == */results/nvidia-* ]] && grep -q '"simulated": *true' "$1"; then
        echo "not kept: $1 is of a simulated device, and $out is for real ones"
        return 0
    fi
    cp "$1" "$out/$2"
}

failed=0
# step NAME SECONDS CODE COMMAND…: CODE is an exit code that is as good as 0.
step() {
    local name=$1 limit=$2 good=$3 status=0 begin=$SECONDS left
    shift 3
    left=$((total - for_table - SECONDS))
    [[ $name != table ]] || left=$((for_table > limit ? for_table : limit))
    ((left >= limit)) || limit=$left
    echo
    echo "== [$SECONDS s] $name (at most $limit s)"
    if ((limit < 5)); then
        echo "skipped: no time is left"
        printf '%s\tskipped\t0\n' "$name" >>steps.tsv
        return 0
    fi
    timeout --kill-after=5 "$limit" "$@" || status=$?
    local word=ok
    case $status in
        0 | "$good") ;;
        3) word=skipped ;;
        124 | 137) word="cut off after $limit s" ;;
        *) word="failed with $status" ;;
    esac
    [[ $word == ok ]] || echo "-- $name: $word"
    [[ $word == ok || $word == skipped ]] || failed=1
    printf '%s\t%s\t%s\n' "$name" "$word" "$((SECONDS - begin))" >>steps.tsv
}

facts() {
    {
        cat build.txt
        echo "date: $(date -u +%Y-%m-%dT%H:%M:%SZ)"
        echo "system: $(uname -srm), $(getconf GNU_LIBC_VERSION)"
        echo "processor: $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(nproc) cores"
        local fields=name,driver_version,vbios_version,memory.total,clocks.max.sm,clocks.max.memory,power.limit
        fields+=,persistence_mode,ecc.mode.current,pcie.link.gen.max,pcie.link.width.max,mig.mode.current
        if command -v nvidia-smi >/dev/null; then
            echo "nvidia-smi: $fields"
            nvidia-smi --query-gpu="$fields" --format=csv,noheader || echo "nvidia-smi failed"
            nvidia-smi --query-compute-apps=pid,used_memory --format=csv,noheader || true
        else
            echo "nvidia-smi: not found"
        fi
        [[ ! -r /proc/driver/nvidia/version ]] || head -n 1 /proc/driver/nvidia/version
        echo "GAPBENCH_CUDA_PATH: ${GAPBENCH_CUDA_PATH:-not set}"
        echo "VIRTUAL_ENV: ${VIRTUAL_ENV:-not set}"
        local folder
        for folder in /usr/local/nvidia/lib64 /usr/lib/x86_64-linux-gnu /usr/lib64 /usr/local/cuda/lib64 \
            "${VIRTUAL_ENV:-/nonexistent}"/lib/python*/site-packages/nvidia/*/lib; do
            [[ ! -d $folder ]] || find "$folder" -maxdepth 1 \( -name 'libcuda.so.*' -o -name 'libcublas.so.*' \
                -o -name 'libcublasLt.so.*' -o -name 'libnvrtc.so.*' -o -name 'libnvidia-ml.so.*' \) | sort
        done
        "$python" -c '
import sys
print("python:", sys.version.split()[0], sys.executable)
for name in ("torch", "triton", "numpy"):
    try:
        module = __import__(name)
        print(name + ":", module.__version__, getattr(getattr(module, "version", None), "cuda", None) or "")
    except Exception as error:
        print(name + ": not usable:", error)' || echo "$python: not found"
    } | tee facts.txt
}
export python filter
export -f facts

# NVIDIA's packages for Python hold cuBLAS. The programs look into VIRTUAL_ENV; a Python without one names the folders.
if [[ -z ${VIRTUAL_ENV:-} ]] && command -v "$python" >/dev/null; then
    VIRTUAL_ENV=$("$python" -c 'import sys; print(sys.prefix if sys.prefix != sys.base_prefix else "")')
    if [[ -n $VIRTUAL_ENV ]]; then
        export VIRTUAL_ENV
    else
        unset VIRTUAL_ENV
        packages=$("$python" -c '
import glob, site
files = [found for folder in site.getsitepackages() for found in glob.glob(folder + "/nvidia/*/lib/libcublas.so.1[23]")]
print(":".join(sorted({found.rpartition("/")[0] for found in files})))')
        [[ -z $packages ]] || export LD_LIBRARY_PATH="${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$packages"
    fi
fi
# Where containers put the driver's programs.
export PATH=$PATH:/usr/local/nvidia/bin
export CRITERION_HOME=$work/criterion


# A folder of results per run: the programs would take the second for the first's successor.
bench() {
    local folder=$1
    shift
    mkdir -p "$folder"
    env GAPBENCH_HOME="$work/$folder" "$@" --bench --noplot --color never
}
export -f bench

collect() {
    local record
    for record in "$1"/runs/*/record.jsonl; do
        [[ ! -f $record ]] || keep "$record" "record-$1.jsonl"
    done
}
