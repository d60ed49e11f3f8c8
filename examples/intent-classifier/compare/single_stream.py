"""PyTorch and the Rust engine side by side: one message at a time, the same messages, one thread each.

The two take turns, a whole pass over the data set each, on the same processor core; so both meet whatever else
the machine is doing. Build the Rust side first: cargo build --release -p intent-classifier --example single_stream
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

EXAMPLE = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(EXAMPLE / "train"))

from measure import answerer, peak_memory  # noqa: E402
from model import read_texts  # noqa: E402


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    target = Path(os.environ.get("CARGO_TARGET_DIR", EXAMPLE.parent.parent / "target"))
    parser.add_argument("--rust", type=Path, default=target / "release/examples/single_stream", help="the Rust program")
    parser.add_argument("--model", type=Path, default=EXAMPLE / "model", help="model folder")
    parser.add_argument("--data", type=Path, default=EXAMPLE / "data/benchmark.jsonl", help="messages to answer")
    parser.add_argument("--passes", type=int, default=10, help="timed passes over the data, per engine")
    return parser.parse_args()


def main() -> None:
    args = arguments()
    # One core for both: the Rust process inherits it.
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    texts = [message["text"] for message in read_texts(args.data)]
    answer = answerer(args.model)
    rust = subprocess.Popen([args.rust, args.model, args.data], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(request: str) -> list[str]:
        rust.stdin.write(request + "\n")
        rust.stdin.flush()
        return rust.stdout.readline().split()

    def rust_pass() -> list[float]:
        return [int(nanoseconds) / 1e6 for nanoseconds in ask("time")]

    def torch_pass() -> list[float]:
        times = []
        for text in texts:
            start = time.perf_counter_ns()
            answer(text)
            times.append((time.perf_counter_ns() - start) / 1e6)
        return times

    differing = sum(here != there for here, there in zip([answer(text) for text in texts], ask("answers"), strict=True))
    times: dict[str, list[float]] = {"torch": [], "Rust": []}
    ratios = []
    torch_pass(), rust_pass()
    for number in range(args.passes):
        turns = [("torch", torch_pass), ("Rust", rust_pass)]
        block = {name: one_pass() for name, one_pass in (turns if number % 2 == 0 else reversed(turns))}
        for name, passed in block.items():
            times[name] += passed
        ratios.append(statistics.median(block["torch"]) / statistics.median(block["Rust"]))
    peak = {"torch": peak_memory() / 2**20, "Rust": int(ask("peak")[0]) / 2**10}
    rust.stdin.close()
    rust.wait()

    print(f"{len(texts)} messages x {args.passes} passes, taking turns on one core; {differing} answers differ\n")
    print("| engine | median, ms | p99, ms | mean, ms | messages/s | peak memory, MiB |")
    print("|---|---|---|---|---|---|")
    for name, all_times in times.items():
        p99 = statistics.quantiles(all_times, n=100, method="inclusive")[98]
        mean = statistics.fmean(all_times)
        print(f"| {name} | {statistics.median(all_times):.3f} | {p99:.3f} | {mean:.3f} | {1000 / mean:.0f} | {peak[name]:.0f} |")
    print(
        f"\ntorch / Rust, by median latency: {statistics.median(times['torch']) / statistics.median(times['Rust']):.2f}"
        f" (of single passes: {min(ratios):.2f} to {max(ratios):.2f})"
    )


if __name__ == "__main__":
    main()
