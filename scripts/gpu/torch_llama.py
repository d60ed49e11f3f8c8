#!/usr/bin/env python3
"""Times a Llama decoder of the same shape as the benchmark `llama`, in PyTorch: `torch_llama.py --model DIR --out FILE`.

The layers are built from DIR's config.json with random weights in bf16, queries, keys and values in one product and gate
and up in one, as the engine has them. Steps are timed as launched one by one, recorded as a CUDA graph, and recorded
after torch.compile made one function of each layer. A variant that fails is a row with a reason, and the others go on.
`--self-test` needs no GPU, and PyTorch only for a part.
"""

import argparse
import dataclasses
import json
import math
import pathlib
import statistics
import sys
import time

# Tokens that each sequence has before a timed step, and those of the timed prompt: as in benches/llama/cuda.rs.
PAST = 512
PROMPT = 2048
BATCHES = (1, 8, 50)
VARIANTS = ("eager", "graph", "compiled graph")
WARM_UP = 3
# Timed calls: at least so many, and for so long.
CALLS = 20
SECONDS = 0.8
MOST_CALLS = 400
SEED = 42
# Exit code of a step that could not be done here.
SKIPPED = 3


@dataclasses.dataclass(frozen=True)
class Shape:
    hidden: int
    inner: int
    layers: int
    heads: int
    key_heads: int
    dim: int
    vocabulary: int
    tied: bool
    epsilon: float
    theta: float

    @property
    def qkv(self):
        return (self.heads + 2 * self.key_heads) * self.dim

    def layer_numbers(self):
        """Of a layer's matrices."""
        return self.hidden * self.qkv + self.heads * self.dim * self.hidden + 3 * self.hidden * self.inner

    def bytes_read(self, tokens, past, sequences):
        """By a step in 16 bits: all matrices once, the rows of the embedding that are looked up, keys and values."""
        matrices = self.layers * self.layer_numbers() + self.vocabulary * self.hidden
        cache = 2 * self.layers * self.key_heads * self.dim * sequences * past
        return 2 * (matrices + tokens * self.hidden + cache)


def shape_of(config):
    """From config.json; KeyError says what is missing."""
    heads = config["num_attention_heads"]
    return Shape(config["hidden_size"], config["intermediate_size"], config["num_hidden_layers"], heads,
                 config["num_key_value_heads"], config.get("head_dim") or config["hidden_size"] // heads, config["vocab_size"],
                 config["tie_word_embeddings"], config["rms_norm_eps"], config["rope_theta"])


# --- the network ----------------------------------------------------------------------------------------------------


def rotated(torch, x, cos, sin):
    """x: batch, heads, tokens, dim; the first half of a head is turned with the second."""
    low, high = x.chunk(2, dim=-1)
    return torch.cat((low * cos - high * sin, high * cos + low * sin), dim=-1)


def layer_function(torch, shape):
    """One layer as a function of tensors alone, so that it is compiled once for all of them."""
    functional = torch.nn.functional
    heads, key_heads, dim = shape.heads, shape.key_heads, shape.dim

    def attention(query, keys, values, causal):
        try:
            return functional.scaled_dot_product_attention(query, keys, values, is_causal=causal, enable_gqa=heads != key_heads)
        except TypeError:
            # Before PyTorch 2.5 every query head has to have its own keys.
            more = [part.repeat_interleave(heads // key_heads, dim=1) for part in (keys, values)]
            return functional.scaled_dot_product_attention(query, *more, is_causal=causal)

    def layer(x, keys, values, cos, sin, norm, qkv, out, second_norm, gate_up, down, first: int, causal: bool):
        batch, tokens, hidden = x.shape
        last = first + tokens
        normed = functional.rms_norm(x, (hidden,), norm, shape.epsilon)
        parts = functional.linear(normed, qkv).view(batch, tokens, heads + 2 * key_heads, dim).transpose(1, 2)
        query, key, value = parts.split((heads, key_heads, key_heads), dim=1)
        keys[:, :, first:last] = rotated(torch, key, cos, sin)
        values[:, :, first:last] = value
        mixed = attention(rotated(torch, query, cos, sin), keys[:, :, :last], values[:, :, :last], causal)
        x = x + functional.linear(mixed.transpose(1, 2).reshape(batch, tokens, heads * dim), out)
        gate, up = functional.linear(functional.rms_norm(x, (hidden,), second_norm, shape.epsilon), gate_up).chunk(2, dim=-1)
        return x + functional.linear(functional.silu(gate) * up, down)

    return layer


class Network:
    def __init__(self, torch, shape, device, dtype):
        self.torch, self.shape, self.device, self.dtype = torch, shape, device, dtype
        self.generator = torch.Generator(device=device).manual_seed(SEED)
        self.embedding = self.matrix(shape.vocabulary, shape.hidden)
        self.head = self.embedding if shape.tied else self.matrix(shape.vocabulary, shape.hidden)
        ones = torch.ones(shape.hidden, device=device, dtype=dtype)
        self.layers = [(ones, self.matrix(shape.qkv, shape.hidden), self.matrix(shape.hidden, shape.heads * shape.dim), ones,
                        self.matrix(2 * shape.inner, shape.hidden), self.matrix(shape.hidden, shape.inner))
                       for _ in range(shape.layers)]
        self.norm = ones

    def matrix(self, rows, columns):
        made = self.torch.empty(rows, columns, device=self.device, dtype=self.dtype)
        return made.normal_(0.0, columns ** -0.5, generator=self.generator)

    def cache(self, sequences, tokens):
        shape = (sequences, self.shape.key_heads, tokens, self.shape.dim)
        def random():
            return self.torch.randn(shape, device=self.device, dtype=self.torch.float32, generator=self.generator).to(self.dtype)
        return [(random(), random()) for _ in range(self.shape.layers)]

    def turns(self, first, tokens):
        torch, half = self.torch, self.shape.dim // 2
        powers = torch.arange(half, device=self.device, dtype=torch.float64) / half
        angles = torch.arange(first, first + tokens, device=self.device, dtype=torch.float64)[:, None] * self.shape.theta ** -powers
        return angles.cos().to(self.dtype), angles.sin().to(self.dtype)

    def step(self, ids, cache, first, layer, causal):
        """A function without arguments: logits after the last of the tokens `ids`, sequences x tokens."""
        cos, sin = self.turns(first, ids.shape[1])
        functional, shape = self.torch.nn.functional, self.shape
        def call():
            x = functional.embedding(ids, self.embedding)
            for weights, (keys, values) in zip(self.layers, cache):
                x = layer(x, keys, values, cos, sin, *weights, first, causal)
            return functional.linear(functional.rms_norm(x[:, -1], (shape.hidden,), self.norm, shape.epsilon), self.head)
        return call


# --- timing ---------------------------------------------------------------------------------------------------------


def timed(torch, call):
    """The median of the seconds between two events around a call, and how many calls there were."""
    for _ in range(WARM_UP):
        call()
    torch.cuda.synchronize()
    seconds, begin = [], time.monotonic()
    while len(seconds) < CALLS or (time.monotonic() - begin < SECONDS and len(seconds) < MOST_CALLS):
        events = [torch.cuda.Event(enable_timing=True) for _ in range(2)]
        events[0].record()
        call()
        events[1].record()
        events[1].synchronize()
        seconds.append(events[0].elapsed_time(events[1]) * 1e-3)
    return statistics.median(seconds), len(seconds)


def recorded(torch, call):
    """The call as a CUDA graph."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(WARM_UP):
            call()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        answer = call()
    # What was recorded writes here at each replay.
    return graph.replay, answer


def rows_of(torch, network, variant, layer):
    """The cases in the order of their worth, each a function that answers its row."""
    vocabulary = network.shape.vocabulary
    def ids(sequences, tokens):
        return (torch.arange(sequences * tokens, device="cuda") * 37 + 1).remainder(vocabulary).view(sequences, tokens)
    def case(name, sequences, tokens, first, causal):
        cache = network.cache(sequences, first + tokens)
        call = network.step(ids(sequences, tokens), cache, first, layer, causal)
        want = None
        if variant != "eager":
            want = network.step(ids(sequences, tokens), cache, first, layer_function(torch, network.shape), causal)()
            call, answer = recorded(torch, call)
        seconds, calls = timed(torch, call)
        row = {"case": name, "batch": sequences, "variant": variant, "ok": True, "seconds": seconds, "calls": calls}
        if want is not None:
            # The same numbers up to bf16's rounding, or the time is no time.
            error = (answer.float() - want.float()).abs().max().item() / max(want.float().abs().max().item(), 1e-6)
            row["error"] = error
            if not error < 0.1:
                raise ArithmeticError(f"the logits are {error:.2g} of the largest apart from those launched one by one")
        return row
    for batch in BATCHES:
        yield "decode", batch, lambda batch=batch: case("decode", batch, 1, PAST, False)
    yield "prefill", 1, lambda: case("prefill", 1, PROMPT, 0, True)


def measured(options):
    shape = shape_of(json.loads((options.model / "config.json").read_text()))
    try:
        import torch
    except Exception as error:
        print(f"skipped: PyTorch cannot be used: {error}")
        return SKIPPED
    if not torch.cuda.is_available():
        print(f"skipped: PyTorch {torch.__version__} finds no CUDA device")
        return SKIPPED
    began, failed = time.monotonic(), 0
    document = {"schema": "llama.torch", "version": 1, "device": torch.cuda.get_device_name(0), "simulated": False,
                "torch": torch.__version__, "cuda": torch.version.cuda, "past": PAST, "prompt": PROMPT,
                "shape": dataclasses.asdict(shape), "rows": []}
    with torch.inference_mode():
        network = Network(torch, shape, "cuda", torch.bfloat16)
        torch.cuda.synchronize()
        print(f"weights made in {time.monotonic() - began:.1f} s")
        for variant in VARIANTS:
            layer = layer_function(torch, shape)
            if variant.startswith("compiled"):
                layer = torch.compile(layer, dynamic=False)
            for name, batch, run in rows_of(torch, network, variant, layer):
                if time.monotonic() - began > options.seconds:
                    row = {"case": name, "batch": batch, "variant": variant, "ok": False, "error": "no time was left"}
                    print(f"{name} {batch} {variant}: no time was left")
                else:
                    try:
                        row = run()
                        print(f"{name} {batch} {variant}: {row['seconds'] * 1e3:.3f} ms, {row['calls']} calls")
                    except Exception as error:
                        text = " ".join(f"{type(error).__name__}: {error}".split())[:400]
                        row = {"case": name, "batch": batch, "variant": variant, "ok": False, "error": text}
                        failed += 1
                        print(f"{name} {batch} {variant}: FAILED: {text}")
                document["rows"].append(row)
                # What is there stays, whatever comes next.
                options.out.write_text(json.dumps(document, indent=1) + "\n")
    return 1 if failed else 0


# --- self-test ------------------------------------------------------------------------------------------------------


def self_test():
    config = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4,
              "num_key_value_heads": 2, "head_dim": 8, "vocab_size": 50, "tie_word_embeddings": False, "rms_norm_eps": 1e-5,
              "rope_theta": 10000.0}
    shape = shape_of(config)
    assert (shape.qkv, shape.dim) == (64, 8) and shape_of({**config, "head_dim": None}).dim == 8
    # Llama 3.1 8B: 16.06 GB in bf16, of which a step does not read the embedding.
    large = Shape(4096, 14336, 32, 32, 8, 128, 128256, False, 1e-5, 500000.0)
    assert large.layer_numbers() * 32 + 2 * 128256 * 4096 + 65 * 4096 == 8_030_261_248
    assert large.bytes_read(1, 513, 1) == 2 * (8_030_261_248 - 128256 * 4096 - 65 * 4096 + 4096) + 131072 * 513
    try:
        import torch
    except ImportError as error:
        print(f"passed; not tested without PyTorch: the network ({error})")
        return 0
    with torch.inference_mode():
        network = Network(torch, shape, "cpu", torch.float32)
        layer = layer_function(torch, shape)
        ids = (torch.arange(2 * 7) * 5 % 50).view(2, 7)
        whole = network.step(ids, network.cache(2, 7), 0, layer, True)()
        # The same tokens one by one, each seeing those before.
        cache = network.cache(2, 7)
        for at in range(7):
            one = network.step(ids[:, at:at + 1], cache, at, layer, False)()
        assert one.shape == (2, 50) and torch.allclose(one, whole, atol=1e-4), (one - whole).abs().max()
        # A token that came before matters, and one that comes later does not change a cache.
        other = ids.clone()
        other[:, 0] += 1
        assert not torch.allclose(network.step(other, network.cache(2, 7), 0, layer, True)(), whole, atol=1e-3)
        # Against the definition: one head's angle at position 3, pair 1.
        cos, sin = network.turns(3, 1)
        assert math.isclose(cos[0, 1].item(), math.cos(3 * 10000.0 ** -0.25), rel_tol=1e-6)
        x = torch.zeros(1, 1, 1, 8)
        x[..., 1] = 1.0
        turned = rotated(torch, x, cos, sin)[0, 0, 0]
        assert math.isclose(turned[5].item(), sin[0, 1].item(), rel_tol=1e-6) and turned[0] == 0
        tied = Network(torch, dataclasses.replace(shape, tied=True), "cpu", torch.float32)
        assert tied.head is tied.embedding
    print(f"passed, with PyTorch {torch.__version__}")
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=pathlib.Path, help="a folder with config.json")
    parser.add_argument("--out", type=pathlib.Path)
    parser.add_argument("--seconds", type=float, default=120.0, help="no further row is begun after so many")
    parser.add_argument("--self-test", action="store_true")
    options = parser.parse_args()
    if options.self_test:
        return self_test()
    if not (options.model and options.out):
        parser.error("--model and --out are needed")
    return measured(options)


if __name__ == "__main__":
    sys.exit(main())
