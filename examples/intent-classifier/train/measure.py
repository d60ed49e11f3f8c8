"""Measures the model in the framework it was trained with, and declares the paper's claims from that.

Written: train/measured.json, and papers/intent-classifier.toml with the numbers from it and from the model card.

Latency is that of one message at a time on one thread: text in, intent out, tokenization included, torch eager in
inference mode. Each run is a fresh process; of several runs the one with the lowest median is kept, because other
work on the machine can only make a run slower.
"""

import argparse
import json
import platform
import re
import statistics
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

EXAMPLE = Path(__file__).resolve().parent.parent


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--model", type=Path, default=EXAMPLE / "model", help="model folder")
    parser.add_argument("--data", type=Path, default=EXAMPLE / "data/benchmark.jsonl", help="messages to answer")
    parser.add_argument("--out", type=Path, default=EXAMPLE / "train/measured.json", help="file for the measurements")
    parser.add_argument("--paper", type=Path, default=EXAMPLE / "papers/intent-classifier.toml", help="file for the claims")
    parser.add_argument("--runs", type=int, default=3, help="runs, of which the best is kept")
    parser.add_argument("--calls", type=int, default=2000, help="fewest timed calls in a run")
    parser.add_argument("--warmup", type=int, default=200, help="calls before the timed ones")
    parser.add_argument("--declare-only", action="store_true", help="measure nothing, write the claims anew")
    parser.add_argument("--child", choices=["latency", "memory"], help=argparse.SUPPRESS)
    return parser.parse_args()


def answerer(folder: Path):
    """A function from text to label, on one thread."""
    import torch
    from model import encode_text, load

    torch.set_num_threads(1)
    config, tokenizer, model = load(folder)

    @torch.inference_mode()
    def answer(text: str) -> str:
        ids, _ = encode_text(tokenizer, config, text)
        return config.labels[int(model(torch.tensor([ids])).argmax())]

    return answer


def peak_memory() -> int:
    """The most memory this process has held, in bytes."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(re.search(r"VmHWM:\s+(\d+) kB", status)[1])


def child_memory(args: argparse.Namespace) -> dict:
    answerer(args.model)("Where is my parcel?")
    return {"peak_bytes": peak_memory()}


def child_latency(args: argparse.Namespace) -> dict:
    from model import read_texts

    answer = answerer(args.model)
    messages = read_texts(args.data)
    right = sum(answer(message["text"]) == message["expected"] for message in messages)
    for call in range(args.warmup):
        answer(messages[call % len(messages)]["text"])
    times = []
    # Whole passes, so that every message counts equally often.
    for _ in range(-(-args.calls // len(messages))):
        for message in messages:
            start = time.perf_counter_ns()
            answer(message["text"])
            times.append((time.perf_counter_ns() - start) / 1e6)
    return {
        "calls": len(times),
        "median_ms": statistics.median(times),
        "p99_ms": statistics.quantiles(times, n=100, method="inclusive")[98],
        "mean_ms": statistics.fmean(times),
        "requests_per_second": 1000 * len(times) / sum(times),
        "right": right,
        "messages": len(messages),
    }


def in_fresh_process(kind: str, args: argparse.Namespace) -> dict:
    options = ["--model", args.model, "--data", args.data, "--calls", args.calls, "--warmup", args.warmup]
    command = [sys.executable, __file__, "--child", kind, *map(str, options)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def measure(args: argparse.Namespace) -> dict:
    import tokenizers
    import torch

    runs = []
    for number in range(args.runs):
        runs.append(in_fresh_process("latency", args) | in_fresh_process("memory", args))
        print(f"run {number + 1}: " + json.dumps(runs[-1]), flush=True)
    best = min(runs, key=lambda run: run["median_ms"])
    cpuinfo = Path("/proc/cpuinfo").read_text()
    return {
        "date": date.today().isoformat(),
        "machine": {
            "processor": re.search(r"model name\s*: (.*)", cpuinfo)[1].strip(),
            "cores": len(re.findall(r"^processor\s*:", cpuinfo, re.MULTILINE)),
            "python": platform.python_version(),
            "torch": torch.__version__,
            "tokenizers": tokenizers.__version__,
        },
        "method": f"torch eager, inference mode, 1 thread, batch 1, tokenization included; "
        f"best of {args.runs} runs by median",
        "latency_ms": {name: round(best[f"{name}_ms"], 4) for name in ("median", "p99", "mean")},
        "calls": best["calls"],
        "throughput_requests_per_second": round(best["requests_per_second"], 1),
        "memory_peak_bytes": statistics.median_low([run["peak_bytes"] for run in runs]),
        "model_bytes": (args.model / "model.safetensors").stat().st_size,
        "accuracy": {"right": best["right"], "messages": best["messages"]},
        "runs": [{name: round(value, 4) for name, value in run.items()} for run in runs],
    }


def claims(measured: dict) -> str:
    """The paper: what the training run and the measurements claim."""
    machine, latency, accuracy = measured["machine"], measured["latency_ms"], measured["accuracy"]
    runs = measured["runs"]
    torch_version = ".".join(machine["torch"].split(".")[:2])
    on_machine = f"""hardware = "{machine["processor"]}"
count = {machine["cores"]}
dtype = "f16"
batch = 1
concurrency = 1
load = "single-stream"
dataset = "benchmark"
software = {{ torch = "{torch_version}" }}
model = "intent-classifier-1m"
"""

    def run_log(locator: str) -> str:
        return f"""kind = "run-log"
url = "../train/measured.json"
locator = "{locator}"
retrieved = "{measured["date"]}"
verified = "self-reported"
"""

    def spread(name: str, digits: int, unit: float = 1.0) -> str:
        values = [run[name] / unit for run in runs]
        return f'spread = {{ kind = "range", lo = {min(values):.{digits}f}, hi = {max(values):.{digits}f} }}'

    return f"""# What the model's own training run and measurements claim. Written by train/measure.py.
schema = 1

[paper]
id = "intent-classifier"
title = "intent-classifier-1m: model card and training run"
url = "../model/README.md"
version = "1"
date = "{measured["date"]}"
code = "../train/train.py"

[policy]
discount = 0.20
fail_below = 0.75
equivalence = 0.05
alpha = 0.05
gate = ["fail"]
scale = "none"

# What a machine with as many cores as the service uses costs by the hour: m7g.large, 2 vCPU, Linux, us-east-1, on demand.
# It is not the machine of the measurements, which nobody named.
[cost]
price = 0.0816
unit = "USD/machine-hour"
date = 2026-06-17
source = "https://www.factualminds.com/blog/amazon-ec2-on-demand-pricing-instance-families-2026/"

[[result]]
id = "accuracy"
metric = "quality.accuracy"
value = {100 * accuracy["right"] / accuracy["messages"]:.4f}
unit = "%"
statistic = "mean"
n = {accuracy["messages"]}
claim = "exact"
[result.conditions]
dataset = "benchmark"
dtype = "f16"
model = "intent-classifier-1m"
[result.source]
kind = "model-card"
url = "../model/README.md"
locator = "Scores"
retrieved = "{measured["date"]}"
verified = "self-reported"

[[result]]
id = "latency-median"
metric = "latency.e2e"
value = {latency["median"]}
unit = "ms"
statistic = "median"
n = {measured["calls"]}
claim = "exact"
{spread("median_ms", 4)}
[result.conditions]
{on_machine}[result.source]
{run_log("latency_ms.median")}
[[result]]
id = "latency-p99"
metric = "latency.e2e"
value = {latency["p99"]}
unit = "ms"
statistic = "p99"
n = {measured["calls"]}
claim = "exact"
{spread("p99_ms", 4)}
[result.conditions]
{on_machine}[result.source]
{run_log("latency_ms.p99")}
[[result]]
id = "throughput"
metric = "throughput.requests"
value = {measured["throughput_requests_per_second"]}
unit = "requests/s"
statistic = "mean"
n = {measured["calls"]}
claim = "exact"
{spread("requests_per_second", 1)}
[result.conditions]
{on_machine}[result.source]
{run_log("throughput_requests_per_second")}
[[result]]
id = "size"
metric = "memory.model_bytes"
value = {measured["model_bytes"]}
unit = "B"
statistic = "median"
claim = "exact"
[result.conditions]
dtype = "f16"
model = "intent-classifier-1m"
[result.source]
kind = "model-card"
url = "../model/README.md"
locator = "Model, weights"
retrieved = "{measured["date"]}"
verified = "self-reported"

[[result]]
id = "memory"
metric = "memory.host_peak"
value = {measured["memory_peak_bytes"] / 2**20:.1f}
unit = "MiB"
statistic = "median"
n = {len(runs)}
claim = "exact"
{spread("peak_bytes", 1, 2**20)}
[result.conditions]
{on_machine}[result.source]
{run_log("memory_peak_bytes")}
# Somebody else's number, on other data: it must come out as not comparable.
[[result]]
id = "clinc150-bert"
metric = "quality.accuracy"
value = 96.9
unit = "%"
statistic = "mean"
n = 4500
claim = "exact"
[result.conditions]
dataset = "clinc150"
split = "test"
model = "bert"
[result.source]
kind = "paper"
url = "https://aclanthology.org/D19-1131/"
locator = "Larson et al. 2019, An Evaluation Dataset for Intent Classification and Out-of-Scope Prediction, Table 2, BERT, in-scope accuracy, Full"
retrieved = "{measured["date"]}"
verified = "self-reported"
"""


def main() -> None:
    args = arguments()
    if args.child:
        print(json.dumps({"latency": child_latency, "memory": child_memory}[args.child](args)))
        return
    if not args.declare_only:
        args.out.write_text(json.dumps(measure(args), indent=2) + "\n")
    args.paper.parent.mkdir(parents=True, exist_ok=True)
    args.paper.write_text(claims(json.loads(args.out.read_text())))
    print(f"wrote {args.paper}")


if __name__ == "__main__":
    main()
