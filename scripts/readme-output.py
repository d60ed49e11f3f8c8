#!/usr/bin/env python3
"""Writes the output block of README.md from a run of the example on this machine.

    python3 scripts/readme-output.py           runs the bench and rewrites the block
    python3 scripts/readme-output.py --check   runs nothing; fails when the block no longer has the lines that the last
                                               run (target/gapbench) prints: the same claims, cases, steps and headings

Numbers and verdicts depend on the machine, so --check compares everything but them.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
BEGIN, END = "<!-- output: begin (written by `scripts/readme-output.py`) -->\n", "<!-- output: end -->"
BENCH = ["cargo", "bench", "-q", "-p", "intent-classifier", "--bench", "paper", "--", "classifier"]


def block(text):
    before, rest = text.split(BEGIN)
    inside, after = rest.split(END)
    return before, inside, after


def write():
    # A folder of its own, so that the block shows a first run: without an earlier one to compare with.
    home = ROOT / "target" / "gapbench-readme"
    shutil.rmtree(home, ignore_errors=True)
    environment = os.environ | {"GAPBENCH_HOME": str(home)}
    run = subprocess.run(BENCH, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    output = "\n".join(line.rstrip() for line in run.stdout.strip("\n").split("\n"))
    output = output.replace("target/gapbench-readme", "target/gapbench")
    before, _, after = block(README.read_text(encoding="utf-8"))
    fenced = f"\n```console\n$ cargo bench -- classifier\n{output}\n```\n\n"
    README.write_text(before + BEGIN + fenced + END + after, encoding="utf-8")


def check():
    _, inside, _ = block(README.read_text(encoding="utf-8"))
    results = json.loads((ROOT / "target/gapbench/results.json").read_text(encoding="utf-8"))
    target = next(t for t in results["targets"] if t["header"]["target"]["package"] == "intent-classifier")
    wanted = {"paper::classifier", "cold start", "Measured", "Gap ladder", "own inputs", "reproduced here"}
    wanted |= {verdict["claim"]["id"] for verdict in target["judgement"]["claims"]}
    # Numbers under load have a table, whose columns have other names.
    wanted |= {"50 clients", "goodput", "cost / 1k", "medium typos", "turned wrong"}
    measured = (s for s in target["judgement"]["measured"] if s["case"] == "paper::classifier" and "load" not in s)
    wanted |= {s["metric"] for s in measured}
    missing = sorted(word for word in wanted if word not in inside)
    if missing:
        sys.exit(f"README.md's output block lacks {', '.join(missing)}; run scripts/readme-output.py")
    claims = set(re.findall(r"^  (?:fail|gap|unclear|within|on par|ahead|not \w+)\s+(\S+)", inside, re.MULTILINE))
    extra = sorted(claims - {verdict["claim"]["id"] for verdict in target["judgement"]["claims"]})
    if extra:
        sys.exit(f"README.md's output block shows {', '.join(extra)}, which is no claim any more")
    print(f"README.md shows all {len(wanted)} lines that matter")


if __name__ == "__main__":
    match sys.argv[1:]:
        case []:
            write()
        case ["--check"]:
            check()
        case _:
            sys.exit(__doc__)
