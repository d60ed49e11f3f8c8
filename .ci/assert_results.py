"""Asserts what `cargo bench` must have left in results.json, whatever machine it ran on."""

import json
import sys

results = json.load(open(sys.argv[1], encoding="utf-8"))
assert results["schema"] == "gapbench.results" and results["version"] == 1
target = next(t for t in results["targets"] if t["header"]["target"]["package"] == "intent-classifier")
assert target["status"] == "complete", target["status"]
cases = {case["case"]: case for case in target["cases"]}
assert cases["paper::classifier"]["outcome"]["status"] == "measured", cases["paper::classifier"]["outcome"]
for tokens in (8, 32, 128):
    outcome = cases[f"paper::forward::tokens={tokens}"]["outcome"]
    assert outcome["status"] == "measured", outcome

# Without a GPU every kernel is skipped with the reason; with one, none is.
kernels = next(t for t in results["targets"] if t["header"]["target"]["package"] == "kernels")
outcomes = [case["outcome"] for case in kernels["cases"]]
if any(outcome["status"] == "skipped" for outcome in outcomes):
    for outcome in outcomes:
        assert outcome["status"] == "skipped" and outcome["absent_device"] == "cuda", outcome
    assert all(c["verdict"] == "not-measured" for c in kernels["judgement"]["claims"])
else:
    assert all(outcome["status"] == "measured" for outcome in outcomes), outcomes

claims = {verdict["claim"]["id"]: verdict for verdict in target["judgement"]["claims"]}
print("\n".join(f"{name}: {verdict['verdict']}: {verdict['reason']}" for name, verdict in claims.items()))
reproduced = next(step for step in claims["accuracy"]["ladder"]["steps"] if step["kind"] == "reproduced")
assert reproduced["verdict"] in ("on-par", "within"), "the card's accuracy is not reproduced"
assert claims["size"]["verdict"] == "on-par", "a file's size does not depend on the machine"
assert claims["clinc150-bert"]["verdict"] == "not-comparable", "another model's score is no claim about this one"
assert all(verdict["reason"] for verdict in claims.values())

metrics = {(summary["metric"], summary.get("inputs")) for summary in target["judgement"]["measured"]}
for metric in ("latency.e2e", "throughput.requests", "quality.accuracy"):
    assert (metric, "paper") in metrics and (metric, "own") in metrics, metric
assert ("cold.total", "paper") in metrics and ("memory.host_peak", "paper") in metrics

# Loads, noise and costs of the same run. What a busy machine makes invalid says why and has no number.
classifier = cases["paper::classifier"]
clients = [load["point"].get("clients") for load in classifier["loads"] if not load.get("searching")]
assert clients == [1, 8, 50], clients
assert "search" in classifier, "the search ended without a word"
for load in classifier["loads"]:
    counts = load["counts"]
    ended = sum(counts[name] for name in ("warm_up", "completed", "failed", "refused", "timed_out"))
    assert counts["issued"] == ended, load
    if "invalid" not in load:
        assert load["throughput_per_second"] > 0 and load["goodput_per_second"] >= 0, load
noise = {row["noise"]: row for row in classifier["noise"]}
assert {"light", "medium", "heavy", "medium typos"} <= noise.keys(), noise.keys()
assert noise["heavy"]["pairs"]["lost"] > noise["heavy"]["pairs"]["gained"], noise["heavy"]
assert target["judgement"].get("costs"), "a price was declared and nothing has a cost"

# Cold-start phases sum to the total: every process has the same phases, and `unaccounted` is among them.
phases = {phase["name"]: phase["seconds"] for phase in classifier["phases"] if ": " not in phase["name"]}
assert {"spawn to main", "weights", "tokenizer", "first answer", "unaccounted"} <= phases.keys(), phases.keys()
assert len({len(seconds) for seconds in phases.values()}) == 1
print(f"{len(claims)} claims and {len(metrics)} metrics as expected")
