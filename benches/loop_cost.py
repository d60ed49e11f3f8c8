"""Reads callgrind's counts of each instruction and says what ran inside the loops that call the routines.

usage: loop_cost.py BINARY COUNTS BINARY COUNTS ...   (a harness's binary and the folder of its processes' counts)
"""

import re
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

ROUTINES = ["constant", "nothing", "borrowed", "counter", "owned", "large"]
CLOCK = re.compile(r"clock_gettime|Instant::now|Instant::elapsed")
# A loop that ran less often is no loop that is timed.
FEWEST_CALLS = 5_000
# Instructions of a loop run as often as its call, but for the first or last round of each entry.
TOLERANCE = 0.06


class Function:
    def __init__(self):
        self.ran = defaultdict(int)  # address -> how often the instruction there ran
        self.calls = defaultdict(lambda: [0, 0])  # (address, callee) -> calls, instructions in them


def parse(path):
    functions, function, callee, pending = defaultdict(Function), None, None, None
    for line in path.read_text().splitlines():
        if line.startswith("fn="):
            function = functions[line[3:]]
        elif line.startswith("cfn="):
            callee = line[4:]
        elif line.startswith("calls="):
            pending = int(line[6:].split()[0])
        elif line.startswith("0x") and function is not None:
            address, _, cost = line.split()
            if pending is None:
                function.ran[int(address, 16)] += int(cost)
            else:
                call = function.calls[int(address, 16), callee]
                call[0] += pending
                call[1] += int(cost)
                pending = None
    return functions


def mnemonics(binary):
    """Address -> instruction, as the file counts addresses; and the address of each symbol."""
    if not shutil.which("objdump"):
        return {}, {}
    text = subprocess.run(
        ["objdump", "-d", "--no-show-raw-insn", "-C", "-M", "intel", binary], capture_output=True, text=True, check=True
    ).stdout
    found, symbols = {}, {}
    for line in text.splitlines():
        if match := re.match(r"([0-9a-f]+) <(.*)>:$", line):
            symbols[re.sub(r"::h[0-9a-f]{16}$", "", match[2])] = int(match[1], 16)
        elif match := re.match(r"\s+([0-9a-f]+):\s+(\S+)", line):
            found[int(match[1], 16)] = match[2]
    return found, symbols


def loop_of(function, site, calls):
    """The instructions that ran once for each call at `site`: its loop, which is one stretch of addresses."""
    addresses = sorted(function.ran)
    first = last = addresses.index(site)
    in_loop = lambda at: 0 <= at < len(addresses) and abs(function.ran[addresses[at]] - calls) <= TOLERANCE * calls
    while in_loop(first - 1):
        first -= 1
    while in_loop(last + 1):
        last += 1
    return addresses[first : last + 1]


def examine(binary, folder):
    """Per loop: routine, place, calls, instructions per call, mnemonics, other callees. And per routine: its observations."""
    loops, observations = [], {}
    code, symbols = mnemonics(binary)
    for path in sorted(folder.glob("*.counts")):
        for name, function in parse(path).items():
            sites = {
                (address, callee): count for (address, callee), (count, _) in function.calls.items() if "::work_" in callee
            }
            clocks = sorted(
                (address, count) for (address, callee), (count, _) in function.calls.items() if CLOCK.search(callee)
            )
            seen = max((count for _, count in clocks), default=0)
            timed = [address for address, count in clocks if count == seen]
            members = set()
            for (site, callee), count in sorted(sites.items()):
                if count < FEWEST_CALLS or count <= seen:
                    continue
                loop = loop_of(function, site, count)
                members.update(loop)
                total = sum(function.ran[address] for address in loop)
                foreign = [other for (address, other) in function.calls if address in loop and "::work_" not in other]
                target = next((start for symbol, start in symbols.items() if symbol == callee), None)
                words = []
                if target is not None:
                    # Where the file says the routine is, against where it ran.
                    ran_at = entry(path, callee)
                    words = [code.get(address - ran_at + target, "?") for address in loop]
                loops.append((callee.split("::work_")[1], place(name, site, timed), count, total / count, words, foreign))
            if seen > 100 and len(timed) >= 3 and sites:
                observations[next(iter(sites))[1].split("::work_")[1]] = observation(function, timed, seen, members)
    return loops, observations


def place(name, site, clocks):
    """What the loop is for: between the first two readings of an observation it is timed."""
    if "warm_up" in name:
        return "warm-up"
    if "observe" in name and len(clocks) >= 2:
        return "timed" if clocks[0] < site < clocks[1] else "untimed"
    return name.split("::")[-1]


def entry(path, name):
    return min(parse(path)[name].ran)


def observation(function, clocks, seen, members):
    """Instructions of one observation outside its loops: between the two readings, and around them."""
    begin, end = clocks[0], clocks[1]
    once = {
        address: ran for address, ran in function.ran.items() if address not in members and abs(ran - seen) <= TOLERANCE * seen
    }
    between = sum(ran for address, ran in once.items() if begin < address <= end) / seen
    around = sum(ran for address, ran in once.items() if not begin < address <= end)
    around += sum(
        cost
        for (address, callee), (count, cost) in function.calls.items()
        if "::work_" not in callee and not begin <= address <= end and 0 < count <= seen and address in function.ran
        and function.ran[address] <= seen and count > seen / 1000
    )
    clock = sum(cost for (address, callee), (_, cost) in function.calls.items() if address == begin) / seen
    return seen, between, clock, around / seen


def main():
    arguments = sys.argv[1:]
    if not arguments or len(arguments) % 2:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    harnesses = [(Path(arguments[at + 1]).name, *examine(arguments[at], Path(arguments[at + 1]))) for at in range(0, len(arguments), 2)]
    print("Instructions that ran once per call in the loop around the routine, the routine itself not counted:\n")
    print("| routine | harness | loop | calls | instructions per call | other functions called | the loop |")
    print("|---|---|---|---|---|---|---|")
    for routine in ROUTINES:
        for harness, loops, _ in harnesses:
            for found, where, calls, per_call, words, foreign in sorted(loops):
                if found == routine:
                    print(
                        f"| {routine} | {harness} | {where} | {calls} | {per_call:.2f} | {', '.join(foreign) or 'none'} |"
                        f" {' '.join(words)} |"
                    )
    for harness, _, observations in harnesses:
        if observations:
            print(f"\nInstructions per observation of {harness}, its loops not counted:\n")
            print("| routine | observations | between the two readings | in one reading | around |")
            print("|---|---|---|---|---|")
        for routine in ROUTINES:
            if routine in observations:
                seen, between, clock, around = observations[routine]
                print(f"| {routine} | {seen} | {between:.1f} | {clock:.1f} | {around:.1f} |")


if __name__ == "__main__":
    main()
