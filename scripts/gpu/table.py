#!/usr/bin/env python3
"""Makes suite.json and one short table of what `run.sh` left in its working folder: `table.py WORK OUT`.

Everything may be missing: a step that failed leaves blanks. Numbers of a simulated device are labelled as such, and are
never written to a folder results/nvidia-*. `--self-test` tests this program on made-up results.
"""

import contextlib
import json
import math
import pathlib
import re
import statistics
import sys
import tempfile
import textwrap

# What each case of the fixture `faulty_kernels` is to be told on a device: its status, and a part of its reason.
FAULTS = {
    "ptx_of_tomorrow": ("error", "the PTX is newer than the driver"),
    "damaged_ptx": ("error", "the PTX has an error"),
    "damaged_cubin": ("error", "the cubin is cut off"),
    "no_such_kernel": ("error", "find the kernel sclae: the image has scale, "),
    "too_few_arguments": ("error", "launch scale: it takes 3 arguments, and 2 were given"),
    "argument_of_another_size": ("error", "parameter 2 (counted from 0) has 4 bytes, and the argument has 8"),
    "grid_too_large": ("error", "4096x1x1 threads: at most 1024 threads along x"),
    "out_of_bounds": ("error", "CUDA_ERROR_ILLEGAL_ADDRESS (700)"),
    "traps": ("error", "CUDA_ERROR_LAUNCH_FAILED (719)"),
    "waits_for_itself": ("error", "the launch waits for the stream"),
    "wrong_output": ("wrong_answer", "1 of 16384 values differ from the reference; the worst is value 16383"),
    "writes_nothing": ("wrong_answer", "output 1 still holds the pattern that was put there after the first launch"),
    "replays": ("wrong_answer", "output 1 still holds the pattern that was put there after a batch of launches"),
    "hangs": ("error", "the kernel launched last is never_ends"),
    "too_much_memory": ("error", "allocate 4398046511104 bytes of the device: "),
    "never_launched": ("error", "never called `launch`"),
    "never_checked": ("error", "the output was never checked"),
    "names_no_output": ("error", "no output is known"),
    "healthy": ("measured", ""),
    "in_place": ("measured", ""),
    "still_healthy": ("measured", ""),
    "on_the_host": ("measured", ""),
}
WIDTH = 150
LINES = 80


# --- reading --------------------------------------------------------------------------------------------------------


def read_record(path):
    """Header, rows and end of a record; a torn last line is dropped, as FORMAT.md says."""
    lines = path.read_text().splitlines()
    header, rows, end = json.loads(lines[0]), [], None
    for line in lines[1:]:
        try:
            entry = json.loads(line)
        except ValueError:
            break
        if "row" in entry:
            rows.append(entry["row"])
        end = entry.get("end", end)
    return {"header": header, "rows": rows, "end": end}


def newest_record(folder):
    found = sorted(folder.glob("runs/*/record.jsonl"))
    return read_record(found[-1]) if found and found[-1].stat().st_size else None


def read_json(path):
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return None


def read_text(path):
    try:
        return path.read_text()
    except OSError:
        return None


def read_steps(work):
    lines = [line.split("\t") for line in (read_text(work / "steps.tsv") or "").splitlines()]
    return [{"step": line[0], "result": line[1], "seconds": int(line[2])} for line in lines if len(line) == 3]


def gathered(work):
    """The suite as one object."""
    records = {name: newest_record(work / name) for name in ("run1", "run2", "faults")}
    results = {name: read_json(work / name / "results.json") for name in records}
    do_bench, tracking = read_json(work / "do_bench.json"), read_json(work / "event-tracking.json")
    devices = [found["header"].get("environment", {}).get("device") for found in records.values() if found]
    suite = {
        "schema": "gapbench.gpu-suite",
        "version": 1,
        # One simulated part makes the whole one.
        "simulated": any(bool(found and found.get("simulated")) for found in [*devices, do_bench, tracking]),
        "device": next((found for found in devices if found), None),
        "build": read_text(work / "build.txt"),
        "facts": read_text(work / "facts.txt"),
        "steps": read_steps(work),
        "kernels": [],
        "claims": [],
        "faults": faults_of(records["faults"]),
        "memory": memory_of(records["faults"]),
        "do_bench": do_bench,
        "event_tracking": tracking,
        "runs": {name: summary(record) for name, record in records.items() if record},
        "judgements": {name: found["targets"][0]["judgement"] for name, found in results.items() if found},
    }
    suite["kernels"] = kernels_of(records["run1"], records["run2"], do_bench, suite["device"])
    suite["claims"] = claims_of(suite["judgements"])
    return suite


def summary(record):
    """A record without raw observations, which stay in the record: of each series the median and the extremes."""
    def shortened(row):
        series = [{"metric": found["metric"], **numbers(found)} for found in row.get("series", [])]
        return {**{key: value for key, value in row.items() if key != "series"}, "series": series}
    return {"header": record["header"], "rows": [shortened(row) for row in record["rows"]], "end": record["end"]}


def numbers(series):
    values = series.get("data", {}).get("values") or []
    if not values:
        return {}
    return {"n": len(values), "median": statistics.median(values), "least": min(values), "most": max(values)}


def median_of(row, metric):
    for series in (row or {}).get("series", []):
        if series["metric"] == metric:
            return numbers(series).get("median")
    return None


def row_of(record, case):
    return next((row for row in (record or {}).get("rows", []) if row["case"] == case), None)


def kernels_of(run1, run2, do_bench, device):
    names = []
    for record in (run1, run2):
        names += [row["case"] for row in (record or {}).get("rows", []) if row["case"] not in names]
    names += [row["case"] for row in (do_bench or {}).get("rows", []) if row["case"] not in names]
    return [kernel_of(name, run1, run2, do_bench, device) for name in names]


def kernel_of(name, run1, run2, do_bench, device):
    rows = [row_of(run1, name), row_of(run2, name)]
    colds = [median_of(row, "latency.kernel") for row in rows]
    best = next((row for row in rows if median_of(row, "latency.kernel")), None)
    other = next((row for row in (do_bench or {}).get("rows", []) if row["case"] == name), None)
    theirs = (other or {}).get("seconds")
    known = [cold for cold in colds if cold]
    failures = {}
    for label, row in zip(("run 1", "run 2"), rows):
        if row and row["outcome"]["status"] != "measured":
            failures.setdefault(row["outcome"].get("reason", row["outcome"]["status"]), []).append(label)
    problems = [f"{' and '.join(labels)}: {reason}" for reason, labels in failures.items()]
    if other and not other.get("ok"):
        problems.append(f"do_bench: {other.get('error')}")
    kernel = {
        "case": name,
        "cold_seconds": colds,
        "spread": abs(colds[0] - colds[1]) / min(colds) if len(known) == 2 else None,
        "do_bench_seconds": theirs,
        "do_bench_check": (other or {}).get("check"),
        "ours_over_do_bench": statistics.mean(known) / theirs if known and theirs else None,
        "hot_seconds": median_of(best, "latency.kernel_hot"),
        "floor_seconds": median_of(best, "latency.launch_floor"),
        "bytes_per_second": median_of(best, "throughput.bytes"),
        "flops_per_second": median_of(best, "throughput.flops"),
        "roofline_share": median_of(best, "roofline.share"),
        "throttled": [note["text"] for row in rows if row for note in row.get("notes", []) if note["code"] == "throttled"],
        "problems": problems,
    }
    kernel["limit"] = limit(kernel, best, device)
    return kernel


def limit(kernel, row, device):
    """Whether bytes or operations bound the kernel under the measured peaks: which rate to show."""
    moved, done = kernel["bytes_per_second"], kernel["flops_per_second"]
    if not moved or not done:
        return "operations" if done else "bytes"
    conditions = row["series"][0].get("conditions", {}).get("known", {})
    copy, product = peak(device, "throughput.bytes"), peak(device, "throughput.flops", conditions.get("dtype"))
    if copy and product:
        return "operations" if done / product > moved / copy else "bytes"
    return "operations" if done / moved > 50 else "bytes"


def peak(device, metric, dtype=None):
    for found in (device or {}).get("peaks", []):
        if found["metric"] == metric and found.get("dtype") == dtype:
            return found["value"]
    return None


def throttled_count(kernels):
    """Observations at a low clock: those taken as they are, and those made again."""
    taken = again = 0
    for text in (text for kernel in kernels for text in kernel["throttled"]):
        if found := re.search(r"in (\d+) of \d+ observations, after (\d+)", text):
            taken, again = taken + int(found[1]), again + int(found[2])
        elif found := re.match(r"(\d+) observations were made again", text):
            again += int(found[1])
    return taken, again


def claims_of(judgements):
    """A row per claim and case, with the verdict of each run."""
    claims = {}
    for run in ("run1", "run2"):
        for found in (judgements.get(run) or {}).get("claims", []):
            claim = claims.setdefault((found["case"], found["claim"]["id"]), {
                "case": found["case"], "claim": found["claim"]["id"], "verdicts": {}, "ratio": None, "reason": None})
            claim["verdicts"][run] = found["verdict"]
            claim["ratio"] = (found.get("ratio") or {}).get("value", claim["ratio"])
            claim["reason"] = found["reason"]
    return list(claims.values())


def faults_of(record):
    rows = {row["case"].split("::")[1]: row["outcome"] for row in (record or {}).get("rows", [])}
    table = []
    for case, (status, reason) in FAULTS.items():
        outcome = rows.pop(case, None)
        found = (outcome or {}).get("kind") or (outcome or {}).get("status") or "missing"
        said = (outcome or {}).get("reason") or ""
        as_expected = found == status and reason in said
        table.append({"case": case, "result": "PASS" if as_expected else "DIFF", "expected": [status, reason],
                      "found": [found, said], "stderr_tail": (outcome or {}).get("stderr_tail")})
    table += [{"case": case, "result": "DIFF", "expected": None, "found": [outcome["status"], outcome.get("reason", "")],
               "stderr_tail": None} for case, outcome in rows.items()]
    return table if record else []


def memory_of(record):
    """The only case that asks for memory: its pool's peaks beside what the device lost."""
    row = row_of(record, "faulty_kernels::healthy")
    names = {"pool_peak_bytes": "memory.device_peak", "pool_reserved_bytes": "memory.device_reserved",
             "device_delta_bytes": "memory.device_delta"}
    return {name: median_of(row, metric) for name, metric in names.items()}


# --- the table ------------------------------------------------------------------------------------------------------


def number(value, scale=1.0, digits=2):
    return "-" if value is None else f"{value * scale:.{digits}f}"


def micro(value):
    return "-" if value is None else f"{value * 1e6:.{1 if value >= 1e-4 else 2}f}"


def percent(value, digits=1):
    return "-" if value is None else f"{value * 100:.{digits}f} %"


def tera(value, unit):
    if value is None:
        return "not measured"
    return f"{value / 1e12:.{2 if value < 1e13 else 0}f} {unit}"


def short(case):
    """Without the program's name and, where the function is one case, without its shape."""
    parts = case.split("::")
    name, axes = parts[2] if len(parts) > 2 else case, parts[3] if len(parts) > 3 else ""
    return f"{name} {axes.split(',')[0]}" if name.startswith("attention") else name


def rate(kernel):
    if kernel["limit"] == "operations":
        return f"{number(kernel['flops_per_second'], 1e-12, 1)} TFLOP/s"
    return f"{number(kernel['bytes_per_second'], 1e-9, 0)} GB/s"


def aligned(rows):
    """First column to the left, the others to the right."""
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    for row in rows:
        yield "  ".join(cell.ljust(width) if at == 0 else cell.rjust(width) for at, (cell, width) in
                        enumerate(zip(row, widths))).rstrip()


def driver_of(facts):
    """The driver's own version, from nvidia-smi's line after the list of fields."""
    lines = (facts or "").splitlines()
    for at, line in enumerate(lines[:-1]):
        if line.startswith("nvidia-smi: name,driver_version"):
            fields = lines[at + 1].split(", ")
            return fields[1] if len(fields) > 1 else None
    return None


def table_of(suite):
    device = suite["device"] or {}
    label = "SIMULATED: times come from a model and say nothing about a GPU. " if suite["simulated"] else ""
    yield f"{label}{device.get('name', 'no device')}, driver {driver_of(suite['facts']) or 'version unknown'}, CUDA {device.get('driver', '?')}"
    peaks = [tera(peak(device, "throughput.flops", dtype), "TFLOP/s") for dtype in ("bf16", "f32")]
    yield f"measured peaks: copy {tera(peak(device, 'throughput.bytes'), 'TB/s')}, products in bf16 {peaks[0]}, in f32 {peaks[1]}"
    yield from (f"not measured: {why}" for why in device.get("unmeasured", [])[:3])
    yield "steps: " + "; ".join(f"{step['step']} {step['result']} ({step['seconds']} s)" for step in suite["steps"])
    yield f"do_bench: {(suite['do_bench'] or {}).get('method', 'not run')}"
    yield ""
    head = ["us, medians", "cold 1", "cold 2", "spread", "do_bench", "ours/theirs", "hot", "floor", "rate", "roofline"]
    rows = [[short(kernel["case"]), *[micro(cold) for cold in kernel["cold_seconds"]], percent(kernel["spread"]),
             micro(kernel["do_bench_seconds"]), number(kernel["ours_over_do_bench"], 1, 3), micro(kernel["hot_seconds"]),
             micro(kernel["floor_seconds"]), rate(kernel), percent(kernel["roofline_share"])] for kernel in suite["kernels"]]
    yield from aligned([head, *rows])
    yield from (f"! {short(kernel['case'])}: {problem}" for kernel in suite["kernels"] for problem in kernel["problems"][:2])
    yield ""
    taken, again = throttled_count(suite["kernels"])
    yield f"observations at a lowered clock: {taken} taken as they are, {again} made again"
    memory = suite["memory"]
    yield (f"memory of one small case, MiB: pool peak {number(memory['pool_peak_bytes'], 2 ** -20)}, pool reserved "
           f"{number(memory['pool_reserved_bytes'], 2 ** -20)}, device's free memory fell by {number(memory['device_delta_bytes'], 2 ** -20)}")
    yield tracking_line(suite["event_tracking"])
    yield ""
    for claim in suite["claims"]:
        verdicts = [claim["verdicts"].get(run, "-") for run in ("run1", "run2")]
        shown = verdicts[0] if verdicts[0] == verdicts[1] else f"{verdicts[0]}, then {verdicts[1]}"
        yield f"{shown}: {short(claim['case'])} / {claim['claim']}, ratio {percent(claim['ratio'])}: {claim['reason']}"
    if not suite["claims"]:
        yield "no claim was judged"
    yield ""
    good = sum(fault["result"] == "PASS" for fault in suite["faults"])
    yield f"faults: {good} of {len(suite['faults'])} as on the simulated device" if suite["faults"] else "faults: not run"
    for fault in suite["faults"]:
        reason = " ".join(fault["found"][1].split())
        yield f"{fault['result']} {fault['case']}: {fault['found'][0]}{': ' if reason else ''}{excerpt(fault, reason)}"
    if suite["simulated"]:
        yield "SIMULATED"


def excerpt(fault, reason):
    """Of a reason that is as expected, the part that is; of another, all."""
    part = (fault["expected"] or ["", ""])[1]
    return reason if fault["result"] == "DIFF" else (part or reason)


def tracking_line(tracking):
    if not tracking:
        return "event tracking of cudarc: not measured"
    def pair(name):
        way = tracking["seconds_per_launch"][name]
        return f"{micro(way['host'])}/{micro(way['device'])}"
    return (f"us per launch (host/device): cudarc with event tracking {pair('cudarc_tracking_on')}, without "
            f"{pair('cudarc_tracking_off')}, gapbench-cuda {pair('gapbench_cuda')}")


def fitted(lines):
    """At most so many lines and columns: what is too long goes on in suite.json. What went wrong gets two lines."""
    fit = []
    for line in lines:
        rows = 2 if line.startswith(("steps: ", "! ", "DIFF ")) else 1
        if len(line) > WIDTH:
            fit += textwrap.wrap(line, WIDTH, subsequent_indent="    ", max_lines=rows, placeholder=" ...")
        else:
            fit.append(line)
    # The end holds the label of a simulated device.
    if len(fit) > LINES:
        fit = [*fit[: LINES - 2], f"... {len(fit) - LINES + 1} more lines: see suite.json", fit[-1]]
    return fit


# --- writing --------------------------------------------------------------------------------------------------------


def refusal(suite, out):
    """Why nothing may be written there, or None."""
    out = out.resolve()
    folders = [folder for folder in (out, *out.parents) if folder.parent.name == "results" and folder.name.startswith("nvidia-")]
    if not folders:
        return None
    if suite["simulated"]:
        return f"{out} is for results of a real device, and these are of a simulated one"
    if not suite["device"]:
        return f"{out} is for results of a device, and no run says which one it was on"
    words = folders[0].name.split("-")[1:]
    name = suite["device"]["name"].lower()
    if not all(word in name for word in words):
        return f"{out} is for another device than {suite['device']['name']}"
    return None


def write(work, out):
    suite = gathered(work)
    lines = fitted(list(table_of(suite)))
    status = 0
    if why := refusal(suite, out):
        print(f"nothing is written: {why}")
        status = 1
    else:
        out.mkdir(parents=True, exist_ok=True)
        (out / "suite.json").write_text(json.dumps(suite, indent=1) + "\n")
        (out / "table.txt").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))
    return status


# --- self-test ------------------------------------------------------------------------------------------------------


def made_up(work, simulated=False, name="NVIDIA H200", scale=1.0):
    """A working folder as run.sh leaves it."""
    device = {"kind": "cuda", "name": name, "driver": "13.0", "facts": {}, "peaks": [
        {"metric": "throughput.bytes", "value": 4.3e12}, {"metric": "throughput.flops", "dtype": "bf16", "value": 7.9e14}]}
    if simulated:
        device["simulated"] = True
    header = {"schema": "gapbench.record", "version": 1, "environment": {"device": device}}
    def series(metric, *values):
        return {"metric": metric, "conditions": {"known": {"dtype": "bf16"}},
                "data": {"kind": "values", "values": list(values), "calls_per_value": 1}}
    cold = {"run1": 1e-4 * scale, "run2": 1.02e-4 * scale}
    for run, seconds in cold.items():
        rows = [
            {"case": "kernels::cuda::gemm_cublas_bf16::gemm_m=2048", "outcome": {"status": "measured"}, "series": [
                series("throughput.bytes", 1.2e12), series("throughput.flops", 7e14), series("roofline.share", 0.89),
                series("latency.launch_floor", 2e-6), series("latency.kernel_hot", seconds * 0.9),
                series("latency.kernel", seconds, seconds * 1.1, seconds * 0.9)],
             "notes": [{"code": "throttled", "text": "the device's clock was below 75 % of its highest in 7 of 90 observations, "
                                                     "after 20 were thrown away for it: these times are a throttled device's"}]},
            {"case": "kernels::cuda::rope_f32::seq_len=1", "outcome": {"status": "failed", "kind": "error", "reason": "broken"},
             "series": [], "notes": []}]
        folder = work / run / "runs" / "20261125T000000-1"
        folder.mkdir(parents=True)
        lines = [header, *[{"row": row} for row in rows]]
        # The last line is torn.
        (folder / "record.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines) + '{"row": {"ca')
        claim = {"case": rows[0]["case"], "claim": {"id": "bf16-h100"}, "verdict": "within" if run == "run1" else "unclear",
                 "ratio": {"value": 0.91}, "reason": "r" * 300}
        (work / run / "results.json").write_text(json.dumps({"targets": [{"judgement": {"claims": [claim]}}]}))
    folder = work / "faults" / "runs" / "20261125T000000-2"
    folder.mkdir(parents=True)
    rows = []
    for case, (status, reason) in FAULTS.items():
        outcome = {"status": "measured"} if status == "measured" else {"status": "failed", "kind": status, "reason": f"so: {reason}."}
        if case == "traps":
            outcome["reason"] = "CUDA_ERROR_UNKNOWN (999)"
        rows.append({"case": f"faulty_kernels::{case}", "outcome": outcome, "series": [
            series("memory.device_peak", 131072.0), series("memory.device_reserved", 2.0 ** 25)] if case == "healthy" else []})
    (folder / "record.jsonl").write_text("".join(json.dumps(line) + "\n" for line in [header, *[{"row": row} for row in rows]]))
    (work / "do_bench.json").write_text(json.dumps({"simulated": False, "method": "triton", "rows": [
        {"case": "kernels::cuda::gemm_cublas_bf16::gemm_m=2048", "ok": True, "seconds": 1e-4},
        {"case": "kernels::cuda::softmax_f32::rows=1", "ok": False, "error": "RuntimeError: no"}]}))
    way = {"host": 3e-6, "device": 2.5e-6}
    (work / "event-tracking.json").write_text(json.dumps({"simulated": simulated, "seconds_per_launch": {
        "cudarc_tracking_on": {"host": 6e-6, "device": 5e-6}, "cudarc_tracking_off": way, "gapbench_cuda": way}}))
    (work / "facts.txt").write_text(f"nvidia-smi: name,driver_version,vbios\n{name}, 580.159.03, 96.00\n")
    (work / "steps.tsv").write_text("facts\tok\t1\nrun 1\tcut off after 140 s\t140\n")


def self_test():
    with contextlib.ExitStack() as stack:
        def folder():
            return pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        work = folder()
        made_up(work)
        suite = gathered(work)
        text = "\n".join(fitted(list(table_of(suite))))
        gemm = suite["kernels"][0]
        assert math.isclose(gemm["spread"], 0.02) and math.isclose(gemm["ours_over_do_bench"], 1.01), gemm
        assert gemm["limit"] == "operations" and "700.0 TFLOP/s" in text, text
        assert throttled_count(suite["kernels"]) == (14, 40)
        for wanted in ("NVIDIA H200, driver 580.159.03, CUDA 13.0", "copy 4.30 TB/s, products in bf16 790 TFLOP/s, in f32 not measured",
                       "run 1 cut off after 140 s (140 s)", "2.0 %", "1.010", "89.0 %", "! rope_f32: run 1 and run 2: broken",
                       "! softmax_f32: do_bench: RuntimeError: no", "within, then unclear: gemm_cublas_bf16 / bf16-h100, ratio 91.0 %",
                       "pool peak 0.12, pool reserved 32.00, device's free memory fell by -", "faults: 21 of 22",
                       "DIFF traps: error: CUDA_ERROR_UNKNOWN (999)", "PASS hangs", "with event tracking 6.00/5.00, without 3.00/2.50"):
            assert wanted in text, f"{wanted!r} is not in\n{text}"
        assert "SIMULATED" not in text and len(text.splitlines()) <= LINES
        assert all(len(line) <= WIDTH for line in text.splitlines())
        long = fitted(["x"] * 200 + ["end"])
        assert len(long) == LINES and long[-1] == "end" and "122 more lines" in long[-2], long[-2:]
        assert len(fitted(["DIFF " + "word " * 100])) == 2 and len(fitted(["PASS " + "word " * 100])) == 1
        # Real results go where results of that device go, and nowhere else.
        results = folder() / "results"
        assert refusal(suite, results / "nvidia-h200") is None
        assert "another device" in refusal(suite, results / "nvidia-h100")
        with contextlib.redirect_stdout(None):
            assert write(work, results / "nvidia-h200") == 0
        assert json.loads((results / "nvidia-h200" / "suite.json").read_text())["simulated"] is False
        # Simulated ones are labelled, and go nowhere where real ones are kept.
        work = folder()
        made_up(work, simulated=True, name="NVIDIA H200 (simulated)")
        suite = gathered(work)
        lines = fitted(list(table_of(suite)))
        assert lines[0].startswith("SIMULATED: times come from a model") and lines[-1] == "SIMULATED", lines
        for place in ("nvidia-h200", "nvidia-h200/today"):
            with contextlib.redirect_stdout(None):
                assert write(work, results / "x" / ".." / place) == 1
        assert not (results / "nvidia-h200" / "today").exists()
        assert json.loads((results / "nvidia-h200" / "suite.json").read_text())["simulated"] is False, "it was overwritten"
        out = folder()
        with contextlib.redirect_stdout(None):
            assert write(work, out) == 0
        assert (out / "table.txt").read_text().startswith("SIMULATED")
        # Nothing at all is a table too, and no device's result.
        suite = gathered(folder())
        assert "no device" in "\n".join(table_of(suite)) and "no run says" in refusal(suite, results / "nvidia-h200")
    print("passed")
    return 0


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    if len(sys.argv) != 3:
        print("usage: table.py WORK OUT | --self-test", file=sys.stderr)
        return 2
    return write(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))


if __name__ == "__main__":
    sys.exit(main())
