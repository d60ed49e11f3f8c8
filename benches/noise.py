"""Tables of noise.sh.

usage: noise.py BENCH VERB FOLDER ROUNDS [PYTHON-WITH-NLPAUG]
"""

import os
import subprocess
import sys

GOAL_MB = 50
GOAL_MIB = 200e6 / 2**20
PEER = """
import json, sys, time
import nlpaug.augmenter.char as nac
texts = [json.loads(line)["text"] for line in open(sys.argv[1], encoding="utf-8")][:300]
size = sum(len(text.encode()) for text in texts)
for name, augmenter in [("typo.keyboard", nac.KeyboardAug()), ("typo.internal_swap", nac.RandomCharAug(action="swap"))]:
    augmenter.augment(texts[0])
    before = time.process_time()
    for text in texts:
        augmenter.augment(text)
    print(name, size / (time.process_time() - before) / 1e6)
"""


def peak(command):
    """Seconds of processor time and MiB of the largest resident set of a command."""
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        sys.exit(f"{command} failed")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main():
    bench, verb, folder, rounds, *python = sys.argv[1:]
    speed, large = os.path.join(folder, "speed.jsonl"), os.path.join(folder, "large.jsonl")
    peer = {}
    if python:
        said = subprocess.run([python[0], "-c", PEER, speed], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        peer = dict(line.split() for line in said.stdout.splitlines())
    if not peer:
        print("nlpaug: could not be installed or run, so its column is empty\n")
    print(f"MB of text per processor second, median of {rounds}; goal: {GOAL_MB}\n")
    print("| operator | light | medium | heavy | nlpaug | reached |")
    print("|---|---|---|---|---|---|")
    for line in subprocess.run([bench, "speed", speed, rounds], stdout=subprocess.PIPE, check=True, text=True).stdout.splitlines():
        name, *speeds = line.split()
        reached = "yes" if min(map(float, speeds)) >= GOAL_MB else "**no**"
        other = f"{float(peer[name]):.2f}" if name in peer else ""
        print(f"| {name} | {' | '.join(speeds)} | {other} | {reached} |")
    size = os.path.getsize(large) / 1e6
    print(f"\n1,000,000 items, a file of {size:.0f} MB, `cargo gapbench noise`; goal: {GOAL_MIB:.0f} MiB\n")
    print("| what | peak MiB | processor s | reached |")
    print("|---|---|---|---|")
    words = [verb, "noise", "--file", large, "--operator"]
    chain = "typo.keyboard,mixlang.lexicon,format.rich_text"
    for what, more in [
        ("one operator, `--output`", ["typo.keyboard", "--output", os.path.join(folder, "out.jsonl")]),
        ("three operators, `--output`", [chain, "--output", os.path.join(folder, "out.jsonl")]),
        ("three operators, `--statistics`", [chain, "--statistics"]),
    ]:
        seconds, mib = peak(words + more)
        print(f"| {what} | {mib:.0f} | {seconds:.1f} | {'yes' if mib < GOAL_MIB else '**no**'} |")


main()
