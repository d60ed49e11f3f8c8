"""Runs gapbench's generator and LoadGen in turn and prints both and their ratios.

usage: load-generator.py OURS PEER FOLDER ROUNDS CLASS
"""

import re
import statistics
import subprocess
import sys

ours, peer, folder, rounds, scheduling = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5]

# Scenario, requests, requests/s, microseconds of service, microseconds of our grain.
CASES = [
    ("null system, one stream", "single", 2_000_000, 1, 0, 0),
    ("null system, 1,000/s", "server", 3_000, 1_000, 0, 0),
    ("null system, 10,000/s", "server", 30_000, 10_000, 0, 0),
    ("null system, 100,000/s", "server", 300_000, 100_000, 0, 0),
    ("null system, 100,000/s, grain 100 us", "server", 300_000, 100_000, 0, 100),
    ("null system, 100,000/s, grain 250 us", "server", 300_000, 100_000, 0, 250),
    ("200 us of waiting, one stream", "single", 5_000, 1, 200, 0),
    ("200 us of waiting, 1,000/s", "server", 3_000, 1_000, 200, 0),
]
MEMORY = [("offline, one worker", "offline"), ("all due in 1 ms, two workers", "shared")]
MEMORY_REQUESTS = 10_000_000


def run_ours(scenario, requests, rate, service, grain=0):
    command = [ours, scenario, str(requests), str(rate), str(service), scheduling, str(grain)]
    words = subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder).stdout.split(None, 8)
    issued, cpu, per_second, p50, p99, lag50, lag99, peak = (float(word) for word in words[:8])
    assert issued == requests, words
    return {"rate": per_second, "cpu": cpu / issued * 1e6, "p50": p50 / 1e3, "p99": p99 / 1e3,
            "lag50": lag50 / 1e3, "lag99": lag99 / 1e3, "peak": peak / 1024, "class": words[8].strip()}


def run_peer(scenario, requests, rate, service):
    command = [peer, scenario, str(requests), str(rate), str(service)]
    if scheduling == "realtime":
        command = ["chrt", "-f", "1", *command]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder)
    issued, cpu = done.stdout.split()[-2:]
    with open(f"{folder}/mlperf_log_summary.txt", encoding="utf-8") as file:
        summary = file.read()

    def number(name):
        found = re.search(rf"^{name}\s*:\s*([0-9.]+)", summary, re.MULTILINE)
        return float(found.group(1)) if found else float("nan")

    per_second = number("QPS w/ loadgen overhead") if scenario == "single" else number("Completed samples per second")
    return {"rate": per_second, "cpu": float(cpu) / float(issued) * 1e6,
            "p50": number(r"50.00 percentile latency \(ns\)") / 1e3,
            "p99": number(r"99.00 percentile latency \(ns\)") / 1e3}


print(f"Medians of {rounds} rounds, in turn; {scheduling} class. CPU is of the whole process, per request.\n")
print("| case | requests/s | LoadGen | ratio | CPU us | LoadGen | ratio | latency p50, p99 us | LoadGen | our send lag p50, p99 us |")
print("|---|---|---|---|---|---|---|---|---|---|")
got = set()
for name, *case in CASES:
    us, them = [], []
    for _ in range(rounds):
        us.append(run_ours(*case))
        them.append(run_peer(*case[:4]))
    got |= {one["class"] for one in us}
    a = {key: statistics.median(one[key] for one in us) for key in us[0] if key != "class"}
    b = {key: statistics.median(one[key] for one in them) for key in them[0]}
    print(f"| {name} | {a['rate']:,.0f} | {b['rate']:,.0f} | {a['rate'] / b['rate']:.2f} "
          f"| {a['cpu']:.2f} | {b['cpu']:.2f} | {a['cpu'] / b['cpu']:.2f} "
          f"| {a['p50']:,.1f}, {a['p99']:,.1f} | {b['p50']:,.1f}, {b['p99']:,.1f} "
          f"| {a['lag50']:,.1f}, {a['lag99']:,.1f} |", flush=True)
print(f"\nScheduling class got: {', '.join(sorted(got))}\n")
print(f"| {MEMORY_REQUESTS:,} requests to a null system | peak MiB | requests/s |")
print("|---|---|---|")
for name, scenario in MEMORY:
    seen = run_ours(scenario, MEMORY_REQUESTS, 1e10, 0)
    print(f"| {name} | {seen['peak']:.0f} | {seen['rate']:,.0f} |", flush=True)
