"""Processor and wall time per case of a bench binary, against plain spawns.

usage: child_cost.py ROUNDS SPAWN PLAIN CRITERION PEER   (executables: the spawner, gapbench's bench without and with
criterion, and criterion's own)
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CASES = 100
PEER_CASES = 20
# As short as can be asked for: what is left is the smallest number of observations.
TINY = ["--bench", "--warm-up-time", "0.000001", "--measurement-time", "0.000001"]
PEER_TINY = ["--bench", "--warm-up-time", "0.001", "--measurement-time", "0.001"]


def spend(command, home):
    """Processor and wall seconds of a command with all it starts."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    environment = dict(os.environ, GAPBENCH_HOME=str(home / "gapbench"), CRITERION_HOME=str(home / "criterion"))
    subprocess.run(
        command, env=environment, cwd=home, check=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    wall, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall


def per_case(cases, way, home):
    """The difference of many cases and one, shared out: what is spent once per run is not in it."""
    # The short one first, so that what the long one leaves behind costs it nothing.
    (cpu_one, wall_one), (cpu, wall) = way(home, True), way(home, False)
    return (cpu - cpu_one) / (cases - 1), (wall - wall_one) / (cases - 1), cpu_one, wall_one


def own_work(home):
    """Processor seconds of the measuring loop of a case: the benchmark's own work, mean over the last run."""
    records = sorted((home / "gapbench" / "runs").glob("*/record.jsonl"), key=lambda path: path.stat().st_mtime)
    rows = [json.loads(line).get("row") for line in records[-1].read_text().splitlines()]
    spent = [row["timing"]["cpu_seconds"] for row in rows if row and row.get("timing")]
    return statistics.mean(spent)


def main():
    if len(sys.argv) != 6:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    rounds, spawn, plain, criterion, peer = int(sys.argv[1]), *sys.argv[2:]

    def spawning(*command):
        return CASES, rounds, lambda home, one: spend([spawn, "1" if one else str(CASES), *command], home)

    def gapbench(binary, words, rounds=rounds):
        only = ["--exact", "cases::trivial::value=1"]
        return CASES, rounds, lambda home, one: spend([binary, *words, *(only if one else [])], home)

    def alone(words):
        return PEER_CASES, 1, lambda home, one: spend([peer, *words, *(["trivial-1-"] if one else [])], home)

    # Criterion takes a large part of a second per case for its pages, so one round says enough.
    ways = {
        "spawn of `/bin/true`": spawning("/bin/true"),
        "spawn of the bench binary with `--list`": spawning(plain, "--list", "--exact", "none"),
        "gapbench, `cargo test` mode": gapbench(plain, []),
        "gapbench, `cargo test` mode, criterion linked": gapbench(criterion, []),
        "gapbench, tiny budget, without criterion": gapbench(plain, TINY),
        "gapbench, tiny budget, default features, `--noplot`": gapbench(criterion, [*TINY, "--noplot"], 1),
        "gapbench, tiny budget, default features": gapbench(criterion, TINY, 1),
        "criterion alone, tiny budget, `--noplot`": alone([*PEER_TINY, "--noplot"]),
        "criterion alone, tiny budget": alone(PEER_TINY),
    }
    seen, own = {name: [] for name in ways}, {}
    with tempfile.TemporaryDirectory() as scratch:
        for number in range(rounds):
            for name, (cases, times, way) in ways.items():
                if number < times:
                    home = Path(tempfile.mkdtemp(dir=scratch))
                    seen[name].append(per_case(cases, way, home))
                    if (home / "gapbench" / "runs").is_dir():
                        own[name] = own_work(home)
    print(f"Per case, from a run of {CASES} cases ({PEER_CASES} of criterion's) less a run of one:\n")
    print("| what | rounds | CPU ms, median | of it the measuring loop | wall ms | a run of one case: CPU ms | wall ms |")
    print("|---|---|---|---|---|---|---|")
    for name, measured in seen.items():
        cpu, wall, cpu_one, wall_one = (statistics.median(column) * 1e3 for column in zip(*measured))
        work = f"{own[name] * 1e3:.2f}" if name in own else ""
        print(f"| {name} | {len(measured)} | {cpu:.2f} | {work} | {wall:.2f} | {cpu_one:.1f} | {wall_one:.1f} |")


if __name__ == "__main__":
    main()
