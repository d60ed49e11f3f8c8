#!/usr/bin/env python3
"""Times the same launches as the benchmark `kernels`, by the means of PyTorch and Triton.

Reads launches.json, which the example `launches` prints, loads the PTX into PyTorch's own context, launches on PyTorch's
current stream, and times with triton.testing.do_bench (or, without Triton, with a loop of its own after the same plan).
A case that fails is a row with a reason, and the others go on. `--self-test` needs no GPU, and PyTorch only for a part.
"""

import argparse
import ctypes
import dataclasses
import json
import math
import pathlib
import re
import statistics
import sys

WARM_UP_MS = 25
REPEAT_MS = 200
SEED = 42
# Exit code of a step that could not be done here.
SKIPPED = 3

WIDTHS = {"u8": 1, "bf16": 2, "f32": 4, "i32": 4}
NUMBERS = {"u32": ctypes.c_uint32, "u64": ctypes.c_uint64, "f32": ctypes.c_float}
FILLS = {"normal", "counting", "constant", "rope_table", "output"}
KINDS = {"kernel", "product", "host_to_device", "device_copy"}
# Worst |got - want| / (|want| + floor): roundoffs of the format and some for the order of sums.
TOLERANCE = {"f32": 2e-5, "bf16": 1.0 / 128.0}


@dataclasses.dataclass(frozen=True)
class Argument:
    name: str
    kind: str
    dtype: str | None = None
    elements: int = 0
    fill: dict | None = None
    value: float | int = 0


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    kind: str
    bytes: int
    flops: int | None
    dtype: str | None
    ptx: str | None
    entry: str | None
    grid: tuple
    block: tuple
    arguments: tuple
    size: tuple

    @property
    def function(self):
        """`kernels::cuda::softmax_f32::rows=2048` is of softmax_f32."""
        return self.name.split("::")[2]

    def argument(self, name):
        return next(found for found in self.arguments if found.name == name)


def parsed(document):
    """The cases of launches.json; ValueError says what is wrong with it."""
    if document.get("schema") != "gapbench.launches" or document.get("version") != 1:
        raise ValueError("this is not version 1 of gapbench.launches")
    return [parsed_case(entry) for entry in document["cases"]]


def parsed_case(entry):
    name, kind = entry["case"], entry["kind"]
    if kind not in KINDS:
        raise ValueError(f"{name}: unknown kind {kind}")
    arguments = tuple(parsed_argument(name, found) for found in entry.get("arguments", []))
    grid, block = tuple(entry.get("grid", ())), tuple(entry.get("block", ()))
    if kind == "kernel" and not (len(grid) == len(block) == 3 and all(size >= 1 for size in grid + block)):
        raise ValueError(f"{name}: grid and block are three sizes each")
    size = tuple(entry[side] for side in "mnk") if kind == "product" else ()
    return Case(name, kind, entry["bytes"], entry.get("flops"), entry.get("dtype"), entry.get("ptx"), entry.get("entry"),
                grid, block, arguments, size)


def parsed_argument(case, entry):
    kind = entry["kind"]
    if kind == "buffer":
        if entry["dtype"] not in WIDTHS or entry["fill"]["kind"] not in FILLS:
            raise ValueError(f"{case}: {entry['name']}: unknown number format or fill")
        return Argument(entry["name"], kind, entry["dtype"], entry["elements"], entry["fill"])
    if kind not in NUMBERS:
        raise ValueError(f"{case}: {entry['name']}: unknown kind {kind}")
    return Argument(entry["name"], kind, value=entry["value"])


# --- the driver -----------------------------------------------------------------------------------------------------


class Driver:
    """As much of libcuda as a launch needs, in whatever context is current."""

    def __init__(self):
        self.cuda = ctypes.CDLL("libcuda.so.1")
        self.modules = {}

    def call(self, name, *arguments):
        code = getattr(self.cuda, name)(*arguments)
        if code != 0:
            text = ctypes.c_char_p()
            self.cuda.cuGetErrorName(ctypes.c_int(code), ctypes.byref(text))
            raise RuntimeError(f"{name}: {(text.value or b'?').decode()} ({code})")

    def function(self, path, entry):
        if path not in self.modules:
            module = ctypes.c_void_p()
            self.call("cuModuleLoadData", ctypes.byref(module), ctypes.c_char_p(path.read_bytes()))
            self.modules[path] = module
        function = ctypes.c_void_p()
        self.call("cuModuleGetFunction", ctypes.byref(function), self.modules[path], entry.encode())
        return function


def packed(case, addresses):
    """The kernel's parameters as cuLaunchKernel takes them; what is returned has to be kept alive."""
    values = []
    for argument in case.arguments:
        if argument.kind == "buffer":
            values.append(ctypes.c_uint64(addresses[argument.name]))
        else:
            values.append(NUMBERS[argument.kind](argument.value))
    pointers = (ctypes.c_void_p * len(values))(*[ctypes.cast(ctypes.byref(value), ctypes.c_void_p) for value in values])
    return values, pointers


# --- tensors --------------------------------------------------------------------------------------------------------


def tensor(torch, argument, device, generator):
    dtype = {"u8": torch.uint8, "bf16": torch.bfloat16, "f32": torch.float32, "i32": torch.int32}[argument.dtype]
    count, fill = argument.elements, argument.fill
    if fill["kind"] == "normal":
        return torch.randn(count, generator=generator, device=device, dtype=torch.float32).to(dtype)
    if fill["kind"] == "counting":
        return torch.arange(count, device=device, dtype=dtype)
    if fill["kind"] == "constant":
        return torch.full((count,), fill["value"], device=device, dtype=dtype)
    if fill["kind"] == "rope_table":
        # Of each position first the cosines, then the sines of position * theta^(-2i/dim).
        dim = fill["dim"]
        positions = torch.arange(count // dim, device=device, dtype=torch.float64)
        powers = torch.arange(dim // 2, device=device, dtype=torch.float64) * (-2.0 / dim)
        angles = positions[:, None] * (float(fill["theta"]) ** powers)[None, :]
        return torch.cat([angles.cos(), angles.sin()], dim=1).to(dtype).reshape(-1)
    # A value that no kernel writes stays a NaN.
    return torch.full((count,), math.nan, device=device, dtype=dtype)


def reference(torch, case, tensors):
    """The output's name and its values in f64, or None where this program has no reference."""
    def f64(name):
        return tensors[name].to(torch.float64)
    if case.function == "vector_add_f32":
        return "c", f64("a") + f64("b")
    if case.function == "softmax_f32":
        return "y", torch.softmax(f64("x").reshape(-1, case.argument("cols").value), dim=1).reshape(-1)
    if case.function in ("rms_norm_f32", "rms_norm_bf16"):
        x = f64("x").reshape(-1, case.argument("hidden").value)
        root = (x.square().mean(dim=1, keepdim=True) + case.argument("epsilon").value).sqrt()
        return "y", (x / root * f64("weight")[None, :]).reshape(-1)
    if case.function == "silu_mul_bf16":
        gate = f64("gate")
        return "y", gate / (1.0 + torch.exp(-gate)) * f64("up")
    return None


def worst(torch, got, want):
    """The largest error relative to the value, for values that are not tiny. NaN counts as infinite."""
    got = got.to(torch.float64)
    floor = 1e-6 * float(want.abs().max())
    error = ((got - want).abs() / (want.abs() + floor)).max().item()
    return math.inf if math.isnan(error) else error


# --- timing ---------------------------------------------------------------------------------------------------------


class OwnLoop:
    """The plan of triton.testing.do_bench, where Triton cannot be used: empty the cache, event, call, event; the median."""

    name = "own loop with torch.cuda.Event (Triton was not usable)"

    def __init__(self, torch):
        self.torch = torch
        self.cache = torch.empty(256 << 20, dtype=torch.int8, device="cuda")

    def once(self, call):
        events = [self.torch.cuda.Event(enable_timing=True) for _ in range(2)]
        self.cache.zero_()
        events[0].record()
        call()
        events[1].record()
        return events

    def __call__(self, call):
        first = [self.once(call) for _ in range(6)]
        self.torch.cuda.synchronize()
        estimate = max(1e-3, statistics.median(begin.elapsed_time(end) for begin, end in first[1:]))
        # Emptying the cache is most of a short call's time, so the number of calls has a bound too.
        for _ in range(min(2000, max(1, int(WARM_UP_MS / estimate)))):
            call()
        events = [self.once(call) for _ in range(min(2000, max(1, int(REPEAT_MS / estimate))))]
        self.torch.cuda.synchronize()
        return statistics.median(begin.elapsed_time(end) for begin, end in events)


class Triton:
    name = f"triton.testing.do_bench(warmup={WARM_UP_MS}, rep={REPEAT_MS}, return_mode='median')"

    def __init__(self, torch):
        import triton.testing
        self.do_bench = triton.testing.do_bench
        # Triton compiles a library when it is used first, which needs a C compiler.
        one = torch.zeros(1, device="cuda")
        self.do_bench(lambda: one.add_(1), warmup=1, rep=1, return_mode="median")

    def __call__(self, call):
        return self.do_bench(call, warmup=WARM_UP_MS, rep=REPEAT_MS, return_mode="median")


# --- a case ---------------------------------------------------------------------------------------------------------


def row_of(torch, driver, timer, case, ptx):
    row = {"case": case.name, "kind": case.kind, "check": "not checked"}
    generator = torch.Generator(device="cuda").manual_seed(SEED)
    if case.kind == "kernel":
        tensors = {found.name: tensor(torch, found, "cuda", generator) for found in case.arguments if found.kind == "buffer"}
        function = driver.function(ptx / case.ptx, case.entry)
        # The driver reads the values at every launch: `kept` has to live as long as `call`.
        kept, pointers = packed(case, {name: found.data_ptr() for name, found in tensors.items()})
        sizes = [ctypes.c_uint(size) for size in case.grid + case.block + (0,)]

        def call(_kept=kept):
            stream = ctypes.c_void_p(torch.cuda.current_stream().cuda_stream)
            driver.call("cuLaunchKernel", function, *sizes, stream, pointers, None)
        call()
        torch.cuda.synchronize()
        wanted = reference(torch, case, tensors)
        if wanted is not None:
            output, want = wanted
            error = worst(torch, tensors[output], want)
            row["check"] = f"worst relative error {error:.2g}"
            if error > TOLERANCE[case.dtype]:
                raise ArithmeticError(f"the output is wrong: worst relative error {error:.3g}, allowed {TOLERANCE[case.dtype]:.2g}")
            del want, wanted
    elif case.kind == "product":
        m, n, k = case.size
        dtype = {"bf16": torch.bfloat16, "f32": torch.float32}[case.dtype]
        a = torch.randn(m, k, generator=generator, device="cuda", dtype=torch.float32).to(dtype)
        b = torch.randn(k, n, generator=generator, device="cuda", dtype=torch.float32).to(dtype)
        c = torch.empty(m, n, device="cuda", dtype=dtype)

        def call():
            torch.matmul(a, b, out=c)
    else:
        from_host = case.kind == "host_to_device"
        count = case.bytes if from_host else case.bytes // 2
        source = torch.randint(0, 256, (count,), dtype=torch.uint8, device="cuda", generator=generator)
        source = source.cpu().pin_memory() if from_host else source
        target = torch.empty(count, dtype=torch.uint8, device="cuda")

        def call():
            target.copy_(source, non_blocking=True)
    seconds = timer(call) * 1e-3
    row.update(ok=True, seconds=seconds, bytes_per_second=case.bytes / seconds)
    if case.flops:
        row["flops_per_second"] = case.flops / seconds
    return row


def measured(options):
    cases = parsed(json.loads(options.launches.read_text()))
    chosen = [case for case in cases if re.search(options.filter, case.name)]
    try:
        import torch
    except Exception as error:
        print(f"skipped: PyTorch cannot be used: {error}")
        return SKIPPED
    if not torch.cuda.is_available():
        print(f"skipped: PyTorch {torch.__version__} finds no CUDA device")
        return SKIPPED
    torch.cuda.init()
    torch.zeros(1, device="cuda")
    document = {
        "schema": "gapbench.do-bench", "version": 1, "device": torch.cuda.get_device_name(0), "simulated": False,
        "torch": torch.__version__, "cuda": torch.version.cuda, "triton": None, "seed": SEED, "rows": [],
    }
    try:
        timer = Triton(torch)
        document["triton"] = sys.modules["triton"].__version__
    except Exception as error:
        print(f"Triton cannot be used, a loop of our own stands in: {type(error).__name__}: {error}")
        timer = OwnLoop(torch)
    document["method"] = timer.name
    print(timer.name)
    driver = Driver()
    failed = 0
    for case in chosen:
        try:
            row = row_of(torch, driver, timer, case, options.ptx)
            print(f"{case.name}: {row['seconds'] * 1e6:.2f} us, {row['bytes_per_second'] / 1e9:.0f} GB/s, {row['check']}")
        except Exception as error:
            row = {"case": case.name, "kind": case.kind, "ok": False, "error": f"{type(error).__name__}: {error}"}
            failed += 1
            print(f"{case.name}: FAILED: {row['error']}")
        document["rows"].append(row)
        # What is there stays, whatever comes next.
        options.out.write_text(json.dumps(document, indent=1) + "\n")
        try:
            torch.cuda.empty_cache()
        except Exception as error:
            print(f"the device cannot be used any more: {error}")
            break
    return 1 if failed else 0


# --- self-test ------------------------------------------------------------------------------------------------------


def self_test(options):
    sample = {"schema": "gapbench.launches", "version": 1, "cases": [
        {"case": "kernels::cuda::softmax_f32::rows=2,hidden=4", "kind": "kernel", "bytes": 64, "flops": 40, "dtype": "f32",
         "ptx": "softmax.ptx", "entry": "softmax_f32", "grid": [2, 1, 1], "block": [32, 1, 1], "arguments": [
             {"name": "x", "kind": "buffer", "dtype": "f32", "elements": 8, "role": "in", "fill": {"kind": "normal"}},
             {"name": "y", "kind": "buffer", "dtype": "f32", "elements": 8, "role": "out", "fill": {"kind": "output"}},
             {"name": "cols", "kind": "u32", "value": 4}]},
        {"case": "kernels::cuda::gemm_cublas_bf16::m=2", "kind": "product", "bytes": 24, "flops": 16, "dtype": "bf16",
         "m": 2, "n": 2, "k": 2}]}
    first, second = parsed(sample)
    assert (first.function, first.grid, second.size) == ("softmax_f32", (2, 1, 1), (2, 2, 2))
    values, pointers = packed(first, {"x": 0x1234, "y": 0x5678})
    assert [value.value for value in values] == [0x1234, 0x5678, 4] and len(pointers) == 3
    assert ctypes.cast(pointers[2], ctypes.POINTER(ctypes.c_uint32))[0] == 4
    for broken in ({"version": 2}, {"cases": [dict(sample["cases"][0], kind="song")]},
                   {"cases": [dict(sample["cases"][0], grid=[0, 1, 1])]}):
        try:
            parsed({**sample, **broken})
        except ValueError:
            continue
        raise AssertionError(f"accepted {broken}")
    if options.launches and options.launches.exists():
        cases = parsed(json.loads(options.launches.read_text()))
        for case in cases:
            if case.kind == "kernel":
                assert (options.ptx / case.ptx).is_file(), f"{case.name}: no {case.ptx}"
                assert f".entry {case.entry}(" in (options.ptx / case.ptx).read_text(), case.name
        print(f"{options.launches}: {len(cases)} cases")
    try:
        import torch
    except ImportError as error:
        print(f"passed; not tested without PyTorch: tensors and references ({error})")
        return 0
    generator = torch.Generator().manual_seed(SEED)
    def of(dtype, elements, **fill):
        return tensor(torch, Argument("t", "buffer", dtype, elements, fill), "cpu", generator)
    table = of("f32", 8, kind="rope_table", dim=4, theta=10000.0)
    wanted = [1, 1, 0, 0, math.cos(1), math.cos(0.01), math.sin(1), math.sin(0.01)]
    assert worst(torch, table, torch.tensor(wanted, dtype=torch.float64)) < 1e-6
    assert of("i32", 3, kind="counting").tolist() == [0, 1, 2]
    assert of("i32", 2, kind="constant", value=7).tolist() == [7, 7]
    assert of("bf16", 5, kind="normal").dtype == torch.bfloat16
    assert of("f32", 2, kind="output").isnan().all()
    tensors = {"x": of("f32", 8, kind="normal"), "y": of("f32", 8, kind="output")}
    name, want = reference(torch, first, tensors)
    assert name == "y" and abs(want.sum().item() - 2.0) < 1e-12
    assert worst(torch, tensors["y"], want) == math.inf, "what was not written is wrong"
    assert worst(torch, want.to(torch.float32), want) < TOLERANCE["f32"]
    norm = dataclasses.replace(first, name="kernels::cuda::rms_norm_f32::", arguments=(
        Argument("hidden", "u32", value=2), Argument("epsilon", "f32", value=0.0)))
    _, want = reference(torch, norm, {"x": torch.tensor([1.0, -1.0]), "weight": torch.tensor([1.0, 10.0])})
    assert want.tolist() == [1.0, -10.0]
    gate = dataclasses.replace(first, name="kernels::cuda::silu_mul_bf16::")
    _, want = reference(torch, gate, {"gate": torch.tensor([0.0, 1.0]), "up": torch.tensor([5.0, 2.0])})
    assert abs(want[1].item() - 2.0 / (1.0 + math.exp(-1.0))) < 1e-12 and want[0] == 0
    add = dataclasses.replace(first, name="kernels::cuda::vector_add_f32::")
    assert reference(torch, add, {"a": torch.ones(2), "b": torch.ones(2)})[1].tolist() == [2.0, 2.0]
    assert reference(torch, second, {}) is None
    print(f"passed, with PyTorch {torch.__version__}")
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--launches", type=pathlib.Path)
    parser.add_argument("--ptx", type=pathlib.Path, help="the folder of the PTX files")
    parser.add_argument("--out", type=pathlib.Path)
    parser.add_argument("--filter", default="", help="regular expression on the names of the cases")
    parser.add_argument("--self-test", action="store_true")
    options = parser.parse_args()
    if options.self_test:
        return self_test(options)
    if not (options.launches and options.ptx and options.out):
        parser.error("--launches, --ptx and --out are needed")
    return measured(options)


if __name__ == "__main__":
    sys.exit(main())
