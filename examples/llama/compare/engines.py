"""Three engines on the same weights, one thread each: this one, llama2.c and PyTorch, in tokens per second of processor time.

Each engine decodes greedily from the begin of text with a cache of keys and values; the engines take turns, and the best
of the turns counts. Processor time, so that other work on the machine matters less; caches are still shared with it.

    cargo build --release -p llama --example greedy
    python3 -m venv venv && venv/bin/pip install torch numpy safetensors
    venv/bin/python compare/engines.py

llama2.c is compiled from `run.c`: given with --run-c, or fetched into a temporary folder; where neither works it is
skipped. Needs Linux. Writes compare/measured.json.
"""

import argparse
import json
import os
import platform
import re
import resource
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request
from datetime import date
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy  # noqa: E402
import safetensors.numpy  # noqa: E402
import torch  # noqa: E402

from eager import Llama  # noqa: E402

EXAMPLE = Path(__file__).resolve().parent.parent
RUN_C = "https://raw.githubusercontent.com/karpathy/llama2.c/350e04fe35433e6d2941dce5a1f53308f87058eb/run.c"
PROMPT = 256  # tokens of the timed prefill


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    target = Path(os.environ.get("CARGO_TARGET_DIR", EXAMPLE.parent.parent / "target"))
    stories = EXAMPLE.parent.parent.parent / "shared/data/stories260K"
    parser.add_argument("--rust", type=Path, default=target / "release/examples/greedy", help="the Rust program")
    parser.add_argument("--stories", type=Path, default=stories, help="folder of stories260K")
    parser.add_argument("--run-c", type=Path, help="llama2.c's run.c")
    parser.add_argument("--turns", type=int, default=5, help="turns of each engine")
    return parser.parse_args()


def write_random(folder: Path) -> None:
    """Random weights in the shape of stories15M, as Hugging Face and llama2.c store them."""
    dim, hidden, layers, heads, vocabulary, context = 288, 768, 6, 6, 32000, 256
    config = dict(
        model_type="llama", hidden_act="silu", hidden_size=dim, intermediate_size=hidden, num_hidden_layers=layers,
        num_attention_heads=heads, num_key_value_heads=heads, vocab_size=vocabulary, max_position_embeddings=context,
        rms_norm_eps=1e-5, rope_theta=10000.0, tie_word_embeddings=True,
    )
    (folder / "config.json").write_text(json.dumps(config))
    random = numpy.random.default_rng(1)

    def matrix(rows: int, columns: int) -> numpy.ndarray:
        return (random.standard_normal((rows, columns)) / columns**0.5).astype(numpy.float32)

    ones = numpy.ones(dim, numpy.float32)
    tensors = {"model.embed_tokens.weight": matrix(vocabulary, dim), "model.norm.weight": ones}
    for layer in range(layers):
        part = f"model.layers.{layer}."
        for name in ("q", "k", "v", "o"):
            tensors[f"{part}self_attn.{name}_proj.weight"] = matrix(dim, dim)
        for name in ("gate", "up"):
            tensors[f"{part}mlp.{name}_proj.weight"] = matrix(hidden, dim)
        tensors[f"{part}mlp.down_proj.weight"] = matrix(dim, hidden)
        for name in ("input", "post_attention"):
            tensors[f"{part}{name}_layernorm.weight"] = ones
    safetensors.numpy.save_file(tensors, folder / "model.safetensors")

    def interleaved(weight: numpy.ndarray) -> numpy.ndarray:
        """Rows from half-rotation to llama2.c's order, where the two numbers of a pair are neighbours."""
        return weight.reshape(heads, 2, -1, dim).transpose(0, 2, 1, 3).reshape(dim, dim)

    def every(name: str, change=lambda weight: weight) -> list[numpy.ndarray]:
        return [change(tensors[f"model.layers.{layer}.{name}.weight"]) for layer in range(layers)]

    order = [tensors["model.embed_tokens.weight"]]
    order += every("input_layernorm")
    order += every("self_attn.q_proj", interleaved) + every("self_attn.k_proj", interleaved)
    order += every("self_attn.v_proj") + every("self_attn.o_proj") + every("post_attention_layernorm")
    order += every("mlp.gate_proj") + every("mlp.down_proj") + every("mlp.up_proj") + [ones]
    # What follows are tables of sines and cosines that run.c passes over.
    order.append(numpy.zeros(context * dim // heads, numpy.float32))
    with open(folder / "model.bin", "wb") as file:
        file.write(struct.pack("7i", dim, hidden, layers, heads, heads, vocabulary, context))
        for part in order:
            file.write(numpy.ascontiguousarray(part).tobytes())
    # A vocabulary with the bytes that run.c looks for; the other tokens have no text of their own.
    with open(folder / "tokenizer.bin", "wb") as file:
        file.write(struct.pack("i", 8))
        for token in range(vocabulary):
            text = f"t{token}".encode()
            file.write(struct.pack("fi", 0.0, len(text)) + text)


def build_llama2c(given: Path | None, folder: Path, flags: list[str]) -> Path | None:
    source = folder / "run.c"
    if not source.exists():
        try:
            text = given.read_bytes() if given else urllib.request.urlopen(RUN_C, timeout=20).read()
        except OSError as error:
            print(f"skipped llama2.c: no run.c ({error})")
            return None
        # A model with random weights may say the token that ends a text at any moment.
        source.write_bytes(text.replace(b"if (next == 1) { break; }", b""))
    program = folder / ("run" + "".join(flags))
    subprocess.run(["gcc", *flags, "-o", program, source, "-lm"], check=True)
    return program


def children_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def llama2c(program: Path, model: Path, tokenizer: Path, tokens: int) -> dict[str, float]:
    """Starting costs the same for one token as for many, so it is subtracted."""

    def seconds(steps: int) -> float:
        before = children_seconds()
        command = [program, model, "-z", tokenizer, "-t", "0", "-n", str(steps)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return children_seconds() - before

    repeats = max(1, round(20_000_000 / model.stat().st_size))
    many = sum(seconds(tokens + 1) for _ in range(repeats))
    one = sum(seconds(1) for _ in range(repeats))
    return {"decode": repeats * tokens / (many - one)}


def rust(program: Path, model: Path, tokens: int) -> tuple[dict[str, float], list[int]]:
    def lines(answer: int, prompt: int) -> list[list[str]]:
        command = [program, model, str(answer), "5", str(prompt)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        return [line.split() for line in done.stdout.splitlines()]

    decoded = lines(tokens, 1)
    decode = max(tokens / int(line[1]) * 1e9 for line in decoded)
    # The sum of several, since the kernel counts processor time in coarse steps.
    prefilled = lines(1, PROMPT - 1)
    prefill = len(prefilled) * (PROMPT - 1) / sum(int(line[0]) for line in prefilled) * 1e9
    return {"decode": decode, "prefill": prefill}, [int(token) for token in decoded[-1][2].split(",")]


def eager(model: Llama, tokens: int) -> tuple[dict[str, float], list[int]]:
    answer = []
    cache = model.empty_cache(tokens + 1)
    start = time.process_time()
    logits = model(torch.tensor([1]), cache)
    for _ in range(tokens):
        answer.append(int(logits.argmax()))
        logits = model(torch.tensor(answer[-1:]), cache)
    decode = tokens / (time.process_time() - start)
    prompt = torch.tensor([(1 + 37 * position) % model.vocabulary for position in range(PROMPT - 1)])
    start = time.process_time()
    for _ in range(5):
        model(prompt, model.empty_cache(PROMPT))
    return {"decode": decode, "prefill": 5 * len(prompt) / (time.process_time() - start)}, answer


def compare(args: argparse.Namespace, folder: Path, model: Path, binary: Path, tokenizer: Path, tokens: int) -> dict:
    engines = {"this": lambda: rust(args.rust, model, tokens)}
    for flags in (["-O3"], ["-Ofast", "-march=native"]):
        if program := build_llama2c(args.run_c, folder, flags):
            name = "llama2.c " + " ".join(flags)
            engines[name] = lambda program=program: (llama2c(program, binary, tokenizer, tokens), None)
    network = Llama(model)
    engines["torch eager"] = lambda: eager(network, tokens)
    best: dict[str, dict[str, float]] = {}
    answers = {}
    for turn in range(args.turns):
        order = list(engines.items())
        for name, run in order if turn % 2 == 0 else reversed(order):
            speeds, answers[name] = run()
            for what, speed in speeds.items():
                best.setdefault(name, {})[what] = max(speed, best.get(name, {}).get(what, 0.0))
    same = next((i for i, (a, b) in enumerate(zip(answers["this"], answers["torch eager"])) if a != b), tokens)
    return {"tokens": tokens, "equal_tokens_this_and_torch": same, "tokens_per_cpu_second": best}


def processor() -> str:
    found = re.search(r"model name\s*:\s*(.*)", Path("/proc/cpuinfo").read_text())
    return found.group(1) if found else platform.machine()


def main() -> None:
    args = arguments()
    # One core for all: programs that are started inherit it.
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    torch.set_num_threads(1)
    results = {}
    with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
        folder = Path(folder)
        if args.stories.exists():
            hf, binary, tokenizer = (args.stories / name for name in ("hf", "stories260K.bin", "tok512.bin"))
            results["stories260K"] = compare(args, folder, hf, binary, tokenizer, 255)
        else:
            print(f"skipped stories260K: no {args.stories}")
        write_random(folder)
        binary, tokenizer = folder / "model.bin", folder / "tokenizer.bin"
        results["random, shape of stories15M"] = compare(args, folder, folder, binary, tokenizer, 120)
    for model, result in results.items():
        speeds = result["tokens_per_cpu_second"]
        print(f"\n{model}: {result['tokens']} tokens, the first {result['equal_tokens_this_and_torch']} equal\n")
        print("| engine | decode, tokens per cpu-second | this / it | prefill, tokens per cpu-second | this / it |")
        print("|---|---|---|---|---|")
        for name, speed in speeds.items():
            cells = [name]
            for what in ("decode", "prefill"):
                known = what in speed
                cells += [f"{speed[what]:,.0f}", f"{speeds['this'][what] / speed[what]:.2f}"] if known else ["-", "-"]
            print("| " + " | ".join(cells) + " |")
    record = {
        "date": date.today().isoformat(), "processor": processor(), "cores": os.cpu_count(), "threads": 1,
        "torch": torch.__version__, "python": platform.python_version(), "turns": args.turns, "models": results,
    }
    (EXAMPLE / "compare/measured.json").write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
