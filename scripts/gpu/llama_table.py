#!/usr/bin/env python3
"""Makes llama.json and one short table of what `run-llama.sh` left in its working folder: `llama_table.py WORK OUT`.

Everything may be missing: a step that failed leaves blanks. Numbers of a simulated device are labelled as such, held
against no goal, and never written to a folder results/nvidia-*. `--self-test` tests this program on made-up results.
"""

import contextlib
import json
import math
import pathlib
import sys
import tempfile

from table import (aligned, fitted, median_of, newest_record, number, peak, percent, read_json, read_steps, read_text, refusal,
                   summary, tera)

# What the engine is to reach, as shares. The first two are of what this device can do at most, measured in the same run.
DECODE_GOAL = 0.80
PREFILL_GOAL = 0.70
UPLOAD_GOAL = 0.80
# By how much a planned memory may differ from what was used.
PLAN_GOAL = 0.02
VARIANTS = ("eager", "graph", "compiled graph")
# The order of the phases of a start.
PHASES = ("device", "config", "tokenizer", "headers", "plan", "weights", "first answer")


# --- reading --------------------------------------------------------------------------------------------------------


def gathered(work):
    """The suite as one object."""
    record = newest_record(work / "run")
    parts = {name: read_json(work / f"{name}.json") for name in ("served", "memory", "disk", "torch", "written")}
    device = ((record or {}).get("header", {}).get("environment") or {}).get("device")
    simulated = any(bool(found and found.get("simulated")) for found in (device, parts["served"], parts["memory"]))
    name = (device or parts["served"] or parts["memory"] or {})
    name = name.get("name") or name.get("device")
    steps = [kernel_of(row, device, parts["torch"]) for row in (record or {}).get("rows", [])]
    suite = {
        "schema": "gapbench.llama-suite", "version": 1, "simulated": simulated,
        "device": device or ({"name": name} if name else None),
        "build": read_text(work / "build.txt"), "facts": read_text(work / "facts.txt"), "steps": read_steps(work),
        "kernels": steps, "load": load_of(parts["served"], parts["disk"]), "plan": plan_of(parts["memory"]), **parts,
        "run": summary(record) if record else None,
    }
    suite["goals"] = [] if simulated else goals_of(suite)
    return suite


def axes_of(case):
    """`llama::cuda::decode_step_cuda::preset=8b,batch=1` as its function and its axes."""
    parts = case.split("::")
    axes = dict(axis.split("=", 1) for axis in parts[3].split(",")) if len(parts) > 3 else {}
    return parts[2] if len(parts) > 2 else case, axes


def kernel_of(row, device, torch):
    """A step of the engine beside PyTorch's."""
    function, axes = axes_of(row["case"])
    name = "prefill" if function.startswith("prefill") else "decode"
    batch = int(axes.get("batch", 1))
    theirs = {found["variant"]: found for found in (torch or {}).get("rows", [])
              if found["case"] == name and found["batch"] == batch}
    known = [found["seconds"] for found in theirs.values() if found.get("ok")]
    seconds, copy, product = median_of(row, "latency.kernel"), peak(device, "throughput.bytes"), peak(device, "throughput.flops", "bf16")
    moved, done = median_of(row, "throughput.bytes"), median_of(row, "throughput.flops")
    return {
        "case": name, "batch": batch, "tokens": int(axes.get("tokens", batch)), "preset": axes.get("preset"),
        "seconds": seconds, "hot_seconds": median_of(row, "latency.kernel_hot"),
        "bytes_per_second": moved, "flops_per_second": done,
        "copy_share": moved / copy if moved and copy else None,
        "product_share": done / product if done and product else None,
        "torch_seconds": {variant: found.get("seconds") for variant, found in theirs.items()},
        "torch_over_ours": min(known) / seconds if known and seconds else None,
        "problem": None if row["outcome"]["status"] == "measured" else row["outcome"].get("reason", row["outcome"]["status"]),
        "torch_problems": [f"{variant}: {found['error']}" for variant, found in theirs.items() if not found.get("ok")],
    }


def load_of(served, disk):
    """The upload's rate against the slower of disk and bus."""
    loaded, bus = (served or {}).get("loaded") or {}, (served or {}).get("bus") or {}
    rate, from_disk, over_bus = loaded.get("bytes_per_second"), (disk or {}).get("disk_bytes_per_second"), bus.get("bytes_per_second")
    bound = min(from_disk, over_bus) if from_disk and over_bus else None
    return {"bytes_per_second": rate, "disk_bytes_per_second": from_disk, "bus_bytes_per_second": over_bus,
            "share": rate / bound if rate and bound else None}


def plan_of(memory):
    planned, used = ((memory or {}).get("plan") or {}).get("total_bytes"), ((memory or {}).get("used") or {}).get("pool_used_peak_bytes")
    return {"planned_bytes": planned, "used_bytes": used, "difference": used / planned - 1.0 if planned and used else None}


def goals_of(suite):
    """Each goal with what was reached; `reached` is None where it was not measured."""
    goals = []
    def goal(text, value, good, shown):
        goals.append({"goal": text, "reached": None if value is None else bool(good(value)),
                      "found": "not measured" if value is None else shown(value)})
    def step(name, batch):
        return next((found for found in suite["kernels"] if (found["case"], found["batch"]) == (name, batch)), {})
    goal(f"decode at batch 1 moves {DECODE_GOAL:.0%} of the measured copy peak", step("decode", 1).get("copy_share"),
         lambda share: share >= DECODE_GOAL, percent)
    for name, batch in (("decode", 1), ("decode", 8), ("decode", 50), ("prefill", 1)):
        goal(f"{name} at batch {batch} is faster than the best of PyTorch", step(name, batch).get("torch_over_ours"),
             lambda ratio: ratio > 1.0, lambda ratio: f"{ratio:.2f} times as fast")
    goal(f"prefill does {PREFILL_GOAL:.0%} of the measured product peak", step("prefill", 1).get("product_share"),
         lambda share: share >= PREFILL_GOAL, percent)
    goal(f"weights arrive at {UPLOAD_GOAL:.0%} of the slower of disk and bus", suite["load"]["share"],
         lambda share: share >= UPLOAD_GOAL, percent)
    goal(f"the largest model takes what was planned, within {PLAN_GOAL:.0%}", suite["plan"]["difference"],
         lambda difference: abs(difference) <= PLAN_GOAL, lambda difference: f"{difference:+.2%}")
    return goals


# --- the table ------------------------------------------------------------------------------------------------------


def milli(value):
    return "-" if value is None else f"{value * 1e3:.3f}"


def gib(value):
    return "-" if value is None else f"{value / 2 ** 30:.2f} GiB"


def giga(value):
    return "-" if value is None else f"{value / 1e9:.2f} GB/s"


def table_of(suite):
    device = suite["device"] or {}
    label = "SIMULATED: times come from a model and say nothing about a GPU. " if suite["simulated"] else ""
    yield f"{label}{device.get('name', 'no device')}, CUDA {device.get('driver', '?')}"
    yield (f"measured peaks: copy {tera(peak(device, 'throughput.bytes'), 'TB/s')}, products in bf16 "
           f"{tera(peak(device, 'throughput.flops', 'bf16'), 'TFLOP/s')}")
    yield from (f"not measured: {why}" for why in device.get("unmeasured", [])[:3])
    yield "steps: " + "; ".join(f"{step['step']} {step['result']} ({step['seconds']} s)" for step in suite["steps"])
    torch = suite["torch"] or {}
    yield f"PyTorch: {torch.get('torch', 'not run')}"
    yield ""
    head = ["ms, medians", "ours", "hot", "tokens/s", "GB/s", "of copy", "TFLOP/s", "of product", *VARIANTS, "theirs/ours"]
    rows = [[f"{found['preset']} {found['case']} {found['tokens']}", milli(found["seconds"]), milli(found["hot_seconds"]),
             "-" if not found["seconds"] else f"{found['tokens'] / found['seconds']:.0f}", number(found["bytes_per_second"], 1e-9, 0),
             percent(found["copy_share"]), number(found["flops_per_second"], 1e-12, 1), percent(found["product_share"]),
             *[milli(found["torch_seconds"].get(variant)) for variant in VARIANTS], number(found["torch_over_ours"], 1, 2)]
            for found in suite["kernels"]]
    yield from aligned([head, *rows])
    for found in suite["kernels"]:
        if found["problem"]:
            yield f"! {found['case']} {found['tokens']}: {found['problem']}"
        yield from (f"! {found['case']} {found['tokens']}: PyTorch, {problem}" for problem in found["torch_problems"])
    yield ""
    yield from start_of(suite)
    yield from clients_of(suite["served"])
    yield from large_of(suite)
    yield ""
    for goal in suite["goals"]:
        word = {True: "REACHED", False: "MISSED", None: "OPEN"}[goal["reached"]]
        yield f"{word} {goal['goal']}: {goal['found']}"
    if suite["simulated"]:
        yield "SIMULATED"


def start_of(suite):
    served, load = suite["served"] or {}, suite["load"]
    seconds = served.get("phases_seconds") or {}
    phases = ", ".join(f"{phase} {number(seconds.get(phase), 1, 3)}" for phase in PHASES)
    yield f"start, s: {phases}" if seconds else "start: not measured"
    if written := suite["written"]:
        yield f"written: {written['bytes'] / 1e9:.2f} GB in {written['seconds']} s"
    loaded = served.get("loaded") or {}
    if loaded:
        yield (f"weights: {loaded['bytes'] / 1e9:.2f} GB in {loaded['total_seconds']:.2f} s, {giga(load['bytes_per_second'])}; reading "
               f"{loaded['fill_seconds']:.2f} s; disk {giga(load['disk_bytes_per_second'])}, cache "
               f"{giga((suite['disk'] or {}).get('cache_bytes_per_second'))}, bus {giga(load['bus_bytes_per_second'])}: "
               f"{percent(load['share'])} of the slower")


def clients_of(served):
    idle, busy = (served or {}).get("idle"), (served or {}).get("busy")
    if not idle:
        yield "clients: not measured"
        return
    plan, one = served["plan"]["total_bytes"], served["plan_of_one"]["total_bytes"]
    yield (f"memory: planned {gib(plan)} ({gib(one)} for one client); idle pool {gib(idle['pool_used_bytes'])}, device "
           f"{gib(idle['device_used_bytes'])}")
    if busy:
        yield (f"memory with {busy['clients']} clients of {busy['prompt_tokens']} tokens: pool peak {gib(busy['pool_used_peak_bytes'])}, "
               f"device {gib(busy['device_used_bytes'])}; {busy['answered_tokens'] / busy['seconds']:.0f} tokens/s answered, prompts "
               f"included; graphs {busy['graphs']}")


def large_of(suite):
    memory, plan = suite["memory"] or {}, suite["plan"]
    if "preset" not in memory:
        yield "largest model: not measured"
        return
    yield (f"{memory['preset']} with 8-bit matrices, made in memory: planned {gib(plan['planned_bytes'])}, used "
           f"{gib(plan['used_bytes'])} ({'-' if plan['difference'] is None else format(plan['difference'], '+.2%')})")
    if memory.get("does_not_fit"):
        yield f"! {memory['preset']}: {memory['does_not_fit'].splitlines()[0]}"
    if seconds := memory.get("decode_seconds"):
        # The first steps load and record.
        yield f"{memory['preset']} decodes a token in {milli(min(seconds))} ms as a server sees it; graphs {memory.get('graphs')}"


# --- writing --------------------------------------------------------------------------------------------------------


def write(work, out):
    suite = gathered(work)
    lines = fitted(list(table_of(suite)))
    status = 0
    if why := refusal(suite, out):
        print(f"nothing is written: {why}")
        status = 1
    else:
        out.mkdir(parents=True, exist_ok=True)
        (out / "llama.json").write_text(json.dumps(suite, indent=1) + "\n")
        (out / "llama-table.txt").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))
    return status


# --- self-test ------------------------------------------------------------------------------------------------------


def made_up(work, simulated=False, name="NVIDIA H100 80GB HBM3"):
    """A working folder as run-llama.sh leaves it."""
    device = {"kind": "cuda", "name": name, "driver": "13.0", "facts": {}, "peaks": [
        {"metric": "throughput.bytes", "value": 3.0e12}, {"metric": "throughput.flops", "dtype": "bf16", "value": 7e14}]}
    if simulated:
        device["simulated"] = True
    def series(metric, value):
        return {"metric": metric, "data": {"kind": "values", "values": [value], "calls_per_value": 1}}
    def row(case, seconds, moved, done):
        return {"case": f"llama::cuda::{case}", "outcome": {"status": "measured"}, "series": [
            series("latency.kernel", seconds), series("latency.kernel_hot", seconds), series("throughput.bytes", moved),
            series("throughput.flops", done)]}
    rows = [row("decode_step_cuda::preset=8b,batch=1", 6e-3, 2.55e12, 2.5e12), row("decode_step_cuda::preset=8b,batch=8", 7e-3, 2.3e12, 2e13),
            {"case": "llama::cuda::decode_step_cuda::preset=8b,batch=50", "outcome": {"status": "failed", "reason": "broken"}, "series": []},
            row("prefill_step_cuda::preset=8b,tokens=2048", 6e-2, 3e11, 4.2e14)]
    folder = work / "run" / "runs" / "20261125T000000-1"
    folder.mkdir(parents=True)
    header = {"schema": "gapbench.record", "version": 1, "environment": {"device": device}}
    (folder / "record.jsonl").write_text("".join(json.dumps(line) + "\n" for line in [header, *[{"row": row} for row in rows]]))
    torch = [("decode", 1, "eager", 2e-2), ("decode", 1, "graph", 9e-3), ("decode", 1, "compiled graph", None),
             ("decode", 8, "graph", 6.3e-3), ("prefill", 1, "eager", 7.2e-2)]
    (work / "torch.json").write_text(json.dumps({"torch": "2.9.0", "rows": [
        {"case": case, "batch": batch, "variant": variant, "ok": seconds is not None, **({"seconds": seconds} if seconds else {"error": "no Triton"})}
        for case, batch, variant, seconds in torch]}))
    plan = {"total_bytes": 20 << 30}
    (work / "served.json").write_text(json.dumps({
        "device": name, "simulated": simulated, "phases_seconds": {"device": 0.5, "weights": 8.0, "first answer": 0.1},
        "loaded": {"bytes": 16e9, "total_seconds": 8.0, "fill_seconds": 7.0, "bytes_per_second": 2e9},
        "bus": {"bytes_per_second": 5e10}, "plan": plan, "plan_of_one": plan,
        "idle": {"pool_used_bytes": 20 << 30, "pool_used_peak_bytes": 20 << 30, "device_used_bytes": 21 << 30},
        "busy": {"pool_used_peak_bytes": 20 << 30, "device_used_bytes": None, "clients": 50, "prompt_tokens": 512,
                 "answered_tokens": 3200, "seconds": 2.0, "graphs": "recorded"}}))
    (work / "disk.json").write_text(json.dumps({"disk_bytes_per_second": 2.2e9, "cache_bytes_per_second": 9e9}))
    (work / "memory.json").write_text(json.dumps({"preset": "70b", "simulated": simulated, "device": name, "plan": {"total_bytes": 100},
                                                  "used": {"pool_used_peak_bytes": 103}, "decode_seconds": [1.0, 0.03]}))
    (work / "written.json").write_text(json.dumps({"bytes": 16e9, "seconds": 20}))
    (work / "steps.tsv").write_text("facts\tok\t1\nserved\tcut off after 90 s\t90\n")


def self_test():
    with contextlib.ExitStack() as stack:
        def folder():
            return pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        work = folder()
        made_up(work)
        suite = gathered(work)
        text = "\n".join(fitted(list(table_of(suite))))
        first, _, failed, prefill = suite["kernels"]
        assert math.isclose(first["copy_share"], 0.85) and math.isclose(first["torch_over_ours"], 1.5), first
        assert math.isclose(prefill["product_share"], 0.6) and prefill["tokens"] == 2048, prefill
        assert failed["seconds"] is None and failed["problem"] == "broken"
        assert math.isclose(suite["load"]["share"], 2.0 / 2.2)
        for wanted in ("copy 3.00 TB/s, products in bf16 700 TFLOP/s", "served cut off after 90 s (90 s)", "8b decode 1", "8b prefill 2048",
                       "! decode 50: broken", "! decode 1: PyTorch, compiled graph: no Triton", "device 0.500", "weights 8.000",
                       "written: 16.00 GB in 20 s", "90.9 % of the slower", "planned 20.00 GiB", "with 50 clients of 512 tokens",
                       "1600 tokens/s", "70b decodes a token in 30.000 ms",
                       "REACHED decode at batch 1 moves 80% of the measured copy peak: 85.0 %",
                       "REACHED decode at batch 1 is faster than the best of PyTorch: 1.50 times as fast",
                       "MISSED decode at batch 8 is faster than the best of PyTorch: 0.90 times as fast",
                       "OPEN decode at batch 50 is faster than the best of PyTorch: not measured",
                       "MISSED prefill does 70% of the measured product peak: 60.0 %",
                       "REACHED weights arrive at 80% of the slower of disk and bus: 90.9 %",
                       "MISSED the largest model takes what was planned, within 2%: +3.00%"):
            assert wanted in text, f"{wanted!r} is not in\n{text}"
        assert "SIMULATED" not in text
        results = folder() / "results"
        assert refusal(suite, results / "nvidia-h100") is None and "another device" in refusal(suite, results / "nvidia-h200")
        with contextlib.redirect_stdout(None):
            assert write(work, results / "nvidia-h100") == 0
        assert json.loads((results / "nvidia-h100" / "llama.json").read_text())["simulated"] is False
        # Simulated ones are labelled, held against no goal, and go nowhere where real ones are kept.
        work = folder()
        made_up(work, simulated=True, name="NVIDIA H200 (simulated)")
        suite = gathered(work)
        lines = fitted(list(table_of(suite)))
        assert lines[0].startswith("SIMULATED: times come from a model") and lines[-1] == "SIMULATED" and suite["goals"] == []
        with contextlib.redirect_stdout(None):
            assert write(work, results / "nvidia-h200") == 1
        assert not (results / "nvidia-h200").exists()
        # Any one part that is of a simulated device is enough for that.
        (work / "run" / "runs" / "20261125T000000-1" / "record.jsonl").unlink()
        (work / "memory.json").unlink()
        assert gathered(work)["simulated"] is True
        # Nothing at all is a table too, and no device's result.
        suite = gathered(folder())
        assert "no device" in "\n".join(table_of(suite)) and "no run says" in refusal(suite, results / "nvidia-h100")
        assert all(goal["reached"] is None for goal in suite["goals"])
    print("passed")
    return 0


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    if len(sys.argv) != 3:
        print("usage: llama_table.py WORK OUT | --self-test", file=sys.stderr)
        return 2
    return write(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))


if __name__ == "__main__":
    sys.exit(main())
