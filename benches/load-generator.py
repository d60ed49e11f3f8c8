"""Runs gapbench's generator and its peers in turn and prints tables of medians and ratios.

usage: load-generator.py FOLDER OHA ROUNDS CLASS PART...
"""

import json
import os
import re
import statistics
import subprocess
import sys

folder, oha, rounds, scheduling, parts = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4], sys.argv[5:]
with open(f"{folder}/programs", encoding="utf-8") as file:
    programs = dict(line.split() for line in file)


def median_of(runs):
    """The median of each number of several runs; words are joined."""
    return {key: statistics.median(one[key] for one in runs) if isinstance(runs[0][key], (int, float))
            else ", ".join(sorted({one[key] for one in runs})) for key in runs[0]}


def table(*columns):
    print("| " + " | ".join(columns) + " |")
    print("|" + "---|" * len(columns))


def row(*cells):
    print("| " + " | ".join(cells) + " |", flush=True)


def busy():
    """Load average and the share of processor time that the hypervisor gave to others since the last call."""
    with open("/proc/stat", encoding="ascii") as stat, open("/proc/loadavg", encoding="ascii") as load:
        times = [int(word) for word in stat.readline().split()[1:9]]
        now = load.read().split()[0]
    spent = [new - old for new, old in zip(times, busy.last)]
    busy.last = times
    return f"load {now}, stolen {spent[7] / max(sum(spent), 1):.1%}"


busy.last = [0] * 8


def answered(goal, reached, why):
    row(goal, f"**{'yes' if reached else 'no'}**: {why}")


# --- Against LoadGen ---


def run_ours(scenario, requests, rate, service, grain=0):
    command = [programs["null"], scenario, str(requests), str(rate), str(service), scheduling, str(grain)]
    words = subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder).stdout.split(None, 9)
    issued, cpu, per_second, p50, p99, lag50, lag90, lag99, peak = (float(word) for word in words[:9])
    assert issued == requests, words
    return {"rate": per_second, "cpu": cpu / issued * 1e6, "p50": p50 / 1e3, "p99": p99 / 1e3, "lag50": lag50 / 1e3,
            "lag90": lag90 / 1e3, "lag99": lag99 / 1e3, "peak": peak / 1024, "class": words[9].strip()}


def run_peer(scenario, requests, rate, service):
    command = [f"{folder}/peer", scenario, str(requests), str(rate), str(service)]
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
    percentile = {f"p{p}": number(rf"{p}.00 percentile latency \(ns\)") / 1e3 for p in (50, 90, 99)}
    return {"rate": per_second, "cpu": float(cpu) / float(issued) * 1e6, **percentile}


def senders():
    # Scenario, requests, requests/s, microseconds of service, microseconds of our grain.
    cases = [
        ("null system, one stream", "single", 2_000_000, 1, 0, 0),
        ("null system, 1,000/s", "server", 3_000, 1_000, 0, 0),
        ("null system, 10,000/s", "server", 30_000, 10_000, 0, 0),
        ("null system, 100,000/s", "server", 300_000, 100_000, 0, 0),
        ("null system, 100,000/s, grain 250 us", "server", 300_000, 100_000, 0, 250),
        ("200 us of waiting, one stream", "single", 5_000, 1, 200, 0),
        ("200 us of waiting, 1,000/s", "server", 3_000, 1_000, 200, 0),
    ]
    table("case", "requests/s", "LoadGen", "ratio", "CPU us", "LoadGen", "ratio", "latency p50, p99 us", "LoadGen",
          "our send lag p50, p99 us")
    got = set()
    for name, *case in cases:
        runs = [(run_ours(*case), run_peer(*case[:4])) for _ in range(rounds)]
        a, b = (median_of(side) for side in zip(*runs))
        got.add(a["class"])
        row(name, f"{a['rate']:,.0f}", f"{b['rate']:,.0f}", f"{a['rate'] / b['rate']:.2f}", f"{a['cpu']:.2f}",
            f"{b['cpu']:.2f}", f"{a['cpu'] / b['cpu']:.2f}", f"{a['p50']:,.1f}, {a['p99']:,.1f}",
            f"{b['p50']:,.1f}, {b['p99']:,.1f}", f"{a['lag50']:,.1f}, {a['lag99']:,.1f}")
    print(f"\nScheduling class got: {', '.join(sorted(got))}")


def grain():
    table("null system", "grain us", "CPU us per request", "send lag p50, p90, p99 us")
    goals = []
    for rate in (10_000, 100_000):
        case = ("server", 3 * rate, rate, 0)
        grains = (0, 20, 35, 50, 100, 250)
        # One of each in turn, so that what else the machine does meets all of them.
        seen = [([run_ours(*case, one) for one in grains], run_peer(*case)) for _ in range(rounds)]
        ours = [median_of(runs) for runs in zip(*(one for one, _ in seen))]
        peer = median_of([one for _, one in seen])
        for one, a in zip(grains, ours):
            row(f"{rate:,}/s", str(one), f"{a['cpu']:.2f}", f"{a['lag50']:,.1f}, {a['lag90']:,.1f}, {a['lag99']:,.1f}")
        row(f"{rate:,}/s, LoadGen (latency)", "", f"{peer['cpu']:.2f}",
            f"{peer['p50']:,.1f}, {peer['p90']:,.1f}, {peer['p99']:,.1f}")
        first = ours[0]
        if "Realtime" in first["class"]:
            goals.append((f"{rate:,}/s: p99 of the lag at most 50 us", first["lag99"] <= 50, f"{first['lag99']:,.1f} us"))
        else:
            goals.append((f"{rate:,}/s: p99 of the lag at most a third of LoadGen's p90", first["lag99"] <= peer["p90"] / 3,
                          f"{first['lag99']:,.1f} us against {peer['p90']:,.1f} us; p90 {first['lag90']:,.1f} us"))
        if rate == 100_000:
            both = [str(one) for one, a in zip(grains, ours) if a["cpu"] <= 1 and a["lag99"] <= 50]
            least = min((a["cpu"], one) for one, a in zip(grains, ours) if one <= 50)
            goals.append(("100,000/s: 1 us of CPU with a p99 of the lag of 50 us, by a grain of at most 50 us",
                          bool(both), f"grains {', '.join(both)}" if both
                          else f"the least CPU with such a grain is {least[0]:.2f} us, at {least[1]} us"))
    print()
    table("goal", "reached")
    for goal in goals:
        answered(*goal)
    print(f"\nScheduling class got: {first['class']}")


def memory():
    requests = 10_000_000
    table(f"{requests:,} requests to a null system", "peak MiB", "requests/s")
    for name, scenario in (("offline, one worker", "offline"), ("all due in 1 ms, two workers", "shared")):
        seen = run_ours(scenario, requests, 1e10, 0)
        row(name, f"{seen['peak']:.0f}", f"{seen['rate']:,.0f}")


# --- Against oha ---


class Server:
    """The HTTP server of known times, while this is open."""

    def __init__(self, *words):
        command = [programs["server"], *(str(word) for word in words)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    def end(self):
        """Microseconds that half and 99 % of its requests were inside."""
        self.process.stdin.close()
        count, p50, p99 = (int(word) for word in self.process.stdout.readline().split())
        self.process.wait()
        return {"count": count, "inside50": p50 / 1e3, "inside99": p99 / 1e3}


def start(tool, shape, connections, requests, rate, port):
    if tool.startswith("oha"):
        command = [oha, "--no-tui", "--output-format", "json", "-n", str(requests), "-c", str(connections)]
        if shape == "open":
            command += ["-q", str(rate)]
        if tool.endswith("latency-correction"):
            command.append("--latency-correction")
        command.append(f"http://127.0.0.1:{port}/")
    else:
        command = [programs["http"], shape, str(connections), str(requests), str(rate), str(port), tool.split()[-1]]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=folder)


def finish(tool, process, requests):
    text = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = status
    assert status == 0, (tool, status, text)
    cpu = {"cpu": (usage.ru_utime + usage.ru_stime) / requests * 1e6}
    if tool.startswith("oha"):
        seen = json.loads(text)
        assert seen["statusCodeDistribution"] == {"200": requests}, seen["statusCodeDistribution"]
        percentiles = seen["latencyPercentiles"]
        return {"rate": seen["summary"]["requestsPerSec"], "p50": percentiles["p50"] * 1e6, "p99": percentiles["p99"] * 1e6,
                "valid": "", **cpu}
    rate, p50, p99, service99, lag50, lag99 = (float(word) for word in text.split()[:6])
    return {"rate": rate, "p50": p50 / 1e3, "p99": p99 / 1e3, "service99": service99 / 1e3, "lag50": lag50 / 1e3,
            "lag99": lag99 / 1e3, "valid": "valid" if text.split(None, 6)[6].strip() == "Valid" else "invalid", **cpu}


def http():
    tools = ["ours, socket", "ours, ureq", "oha", "oha --latency-correction"]
    table("case", "tool", "requests/s", "p50, p99 us", "inside the server p50, p99 us", "CPU us per request", "CPU, oha = 1")
    cases = [
        ("1 connection, 1 ms", "closed", 1, 3_000, 0, 1_000),
        ("50 connections, 1 ms", "closed", 50, 100_000, 0, 1_000),
        ("50 connections, 10 ms", "closed", 50, 20_000, 0, 10_000),
        ("1,000/s, 50 connections, 1 ms", "open", 50, 5_000, 1_000, 1_000),
    ]
    for name, shape, connections, requests, rate, service in cases:
        runs = {tool: [] for tool in tools if shape == "open" or not tool.endswith("correction")}
        for _ in range(rounds):
            for tool, seen in runs.items():
                server = Server("parallel", service)
                one = finish(tool, start(tool, shape, connections, requests, rate, server.port), requests)
                seen.append({**one, **server.end()})
        medians = {tool: median_of(seen) for tool, seen in runs.items()}
        for tool, a in medians.items():
            row(name, tool, f"{a['rate']:,.0f}", f"{a['p50']:,.0f}, {a['p99']:,.0f}", f"{a['inside50']:,.0f}, {a['inside99']:,.0f}",
                f"{a['cpu']:.1f}", f"{a['cpu'] / medians['oha']['cpu']:.2f}")
    stall(tools)


def stall(tools):
    # One server of 20 ms at 40/s, which is 80 % of what it can do, for 60 s; it stands still for 2 s after 20 s.
    requests, rate, service, after, length = 2_400, 40, 20_000, 20_000, 2_000
    truth = subprocess.run([programs["http"], "truth", *(str(word) for word in (requests, rate, service, after, length))],
                           capture_output=True, text=True, check=True)
    p50, p99 = (int(word) / 1e6 for word in truth.stdout.split())
    print(f"\nA stall of 2 s; computed from the due times: p50 {p50:,.1f} ms, p99 {p99:,.1f} ms\n")
    table("connections", "tool", "p50 ms", "p99 ms", "of the true p99", "p99 from the sending ms", "CPU us per request")
    for connections in (1, 100):
        runs = {tool: [] for tool in tools}
        for _ in range(rounds):
            # 40 requests/s are little work, so all run at once, each with a server of its own.
            going = []
            for tool in tools:
                server = Server("single", service, after, length)
                going.append((tool, server, start(tool, "open", connections, requests, rate, server.port)))
            for tool, server, process in going:
                runs[tool].append({**finish(tool, process, requests), **server.end()})
        for tool, seen in runs.items():
            a = median_of(seen)
            from_sending = f"{a['service99'] / 1e3:,.1f}" if "service99" in a else ""
            row(str(connections), tool, f"{a['p50'] / 1e3:,.1f}", f"{a['p99'] / 1e3:,.1f}", f"{a['p99'] / 1e3 / p99:.3f}",
                from_sending, f"{a['cpu']:.0f}")


# --- Against queueing ---


def queues():
    table("queue", "services", "computed from the draw ms", "run ms", "excess", "range", "computed from the services that were ms",
          "excess of the run over that", "a service too long by us", "mean send lag us")
    goals = []
    for rate, requests, most in ((400, 4_000, 0.001), (4_000, 20_000, 0.01)):
        for name, servers, time in (("M/M/1", 1, "exponential"), ("M/D/1", 1, "constant"), ("M/M/4", 4, "exponential")):
            for kind in ("plain", "aimed"):
                runs = []
                for seed in range(1, rounds + 1):
                    command = [programs["queues"], str(servers), str(rate), "0.8", time, str(requests), kind, scheduling, str(seed)]
                    words = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split(None, 5)
                    computed, seen, as_served, longer, lag = (float(word) for word in words[:5])
                    runs.append({"computed": computed / 1e6, "seen": seen / 1e6, "excess": seen / computed - 1, "served": as_served / 1e6,
                                 "own": seen / as_served - 1, "longer": longer / 1e3, "lag": lag / 1e3, "class": words[5].strip()})
                a = median_of(runs)
                excesses = [one["excess"] for one in runs]
                row(f"{name}, {rate:,}/s, 80 %", kind, f"{a['computed']:.3f}", f"{a['seen']:.3f}", f"{a['excess']:.2%}",
                    f"{min(excesses):.2%} to {max(excesses):.2%}", f"{a['served']:.3f}", f"{a['own']:.2%}", f"{a['longer']:.1f}",
                    f"{a['lag']:.1f}")
                why = (f"{a['excess']:.2%}; services {a['longer']:.1f} us too long, mean lag {a['lag']:.1f} us of {a['computed']:.2f} ms; "
                       f"{a['own']:.2%} over what was served")
                goals.append((f"{name}, {rate:,}/s, {kind}: within {most:.1%}", abs(a["excess"]) <= most, why))
    print()
    table("goal", "reached")
    for goal in goals:
        answered(*goal)
    print(f"\nScheduling class got: {a['class']}")


print(f"Medians of {rounds} rounds, in turn; {scheduling} class. CPU is of the whole process, per request.")
for part in parts:
    busy()
    print(f"\n### {part}\n")
    {"senders": senders, "grain": grain, "memory": memory, "http": http, "queues": queues}[part]()
    print(f"\nDuring `{part}`: {busy()}")
