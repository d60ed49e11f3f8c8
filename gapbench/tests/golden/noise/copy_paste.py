#!/usr/bin/env python3
"""Writes copy_paste.jsonl: what Python's ftfy and html make of our garbled texts.

usage: copy_paste.py CARGO-GAPBENCH     (the binary, built with the feature `service`)

Needs ftfy 6.3.1, in a virtual environment outside the repository: `python3 -m venv DIR; DIR/bin/pip install ftfy==6.3.1`.
The set is texts.jsonl and sentences of copy_paste_texts.jsonl; the severity is medium and the seed 42.
"""

import html
import json
import pathlib
import subprocess
import sys
import tempfile

import ftfy
from ftfy.fixes import fix_latin_ligatures

VERSION = "6.3.1"
HERE = pathlib.Path(__file__).resolve().parent
SETS = ["texts.jsonl", "copy_paste_texts.jsonl"]

# Each operator's inverse, by somebody else.
REPAIRS = {
    "format.mojibake": ftfy.fix_encoding,
    "format.html": html.unescape,
    "format.pdf": fix_latin_ligatures,
}


def rows(program, operator, repair):
    for name in SETS:
        with tempfile.TemporaryDirectory() as folder:
            noisy = pathlib.Path(folder, "noisy.jsonl")
            words = ["noise", "--operator", operator, "--file", str(HERE / name), "--output", str(noisy)]
            subprocess.run([program, *words], check=True, stdout=subprocess.DEVNULL)
            for line in noisy.read_text(encoding="utf-8").splitlines():
                item = json.loads(line)
                garbled = item["text"]
                yield {"operator": operator, "id": item["id"], "garbled": garbled, "repaired": repair(garbled)}


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    if ftfy.__version__ != VERSION:
        sys.exit(f"found ftfy {ftfy.__version__}, expected {VERSION}; install that one")
    header = {"made_by": "tests/golden/noise/copy_paste.py", "ftfy": VERSION, "severity": "medium", "seed": 42}
    with open(HERE / "copy_paste.jsonl", "w", encoding="utf-8") as out:
        print(json.dumps(header), file=out)
        for operator, repair in REPAIRS.items():
            for row in rows(sys.argv[1], operator, repair):
                print(json.dumps(row), file=out)


main()
