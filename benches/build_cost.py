"""Builds crates from nothing, one after the other, and prints what that costs: in all, and per crate compiled."""

import os
import resource
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

# A compiler wrapper that notes the processor time of each call, the package, and its own cost, which is subtracted.
WRAPPER = '''#!{python} -SE
import os, resource, subprocess, sys
code = subprocess.run(sys.argv[1:], close_fds=False).returncode
if "--crate-name" in sys.argv:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    package = os.environ.get("CARGO_PKG_NAME", "?")
    own = resource.getrusage(resource.RUSAGE_SELF)
    line = f"{{used.ru_utime + used.ru_stime}} {{package}} {{own.ru_utime + own.ru_stime}}\\n"
    os.write(os.open("{log}", os.O_WRONLY | os.O_APPEND | os.O_CREAT), line.encode())
sys.exit(code)
'''


def spent():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def build(scratch, name):
    """Processor seconds of a clean build, and those of each package's own units."""
    target, log, wrapper = scratch / "fresh", scratch / "units", scratch / "wrapper"
    shutil.rmtree(target, ignore_errors=True)
    log.unlink(missing_ok=True)
    wrapper.write_text(WRAPPER.format(python=sys.executable, log=log))
    wrapper.chmod(0o755)
    environment = dict(os.environ, CARGO_TARGET_DIR=str(target), RUSTC_WRAPPER=str(wrapper))
    before = spent()
    subprocess.run(
        ["nice", "cargo", "bench", "--offline", "--no-run", "--quiet"],
        cwd=scratch / name, env=environment, check=True,
    )
    total = spent() - before
    packages, units = {}, 0
    for line in log.read_text().splitlines():
        seconds, package, own = line.split()
        total -= float(own)
        packages[package] = packages.get(package, 0.0) + float(seconds)
        units += 1
    shutil.rmtree(target)
    return total, packages, units


def crates(scratch, name):
    tree = subprocess.run(
        ["cargo", "tree", "--offline", "--edges", "normal,build,dev", "--prefix", "none", "--no-dedupe"],
        cwd=scratch / name, check=True, capture_output=True, text=True,
    ).stdout
    # The first line is the crate itself.
    return len({" ".join(line.split()[:2]) for line in tree.splitlines()[1:] if line.strip()})


def main():
    scratch, rounds, names = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    seen = {name: [] for name in names}
    for _ in range(rounds):
        for name in names:
            seen[name].append(build(scratch, name))
    peer = statistics.median(total for total, _, _ in seen[names[0]])
    ratios = {
        name: statistics.median(
            ours[0] / theirs[0] for ours, theirs in zip(seen[name], seen[names[0]])
        )
        for name in names
    }
    print(f"| crate with one empty bench | crates | rustc calls | CPU s, median of {rounds} | all | x {names[0]} |")
    print("|---|---|---|---|---|---|")
    for name in names:
        totals = [total for total, _, _ in seen[name]]
        every = " ".join(f"{total:.1f}" for total in totals)
        print(
            f"| {name} | {crates(scratch, name)} | {seen[name][-1][2]} | {statistics.median(totals):.1f} | {every} |"
            f" {ratios[name]:.2f} |"
        )
    medians = {
        name: {
            package: statistics.median(packages.get(package, 0.0) for _, packages, _ in seen[name])
            for package in set().union(*(packages for _, packages, _ in seen[name]))
        }
        for name in names
    }
    everything = set().union(*medians.values())
    dearest = sorted(everything, key=lambda package: -max(medians[name].get(package, 0.0) for name in names))
    print(f"\nCPU s of the compiler per package (median), from 0.5 s on:\n\n| package | {' | '.join(names)} |")
    print("|---|" + "---|" * len(names))
    for package in dearest:
        cells = [medians[name].get(package) for name in names]
        if max(cell or 0.0 for cell in cells) >= 0.5:
            print(f"| {package} | " + " | ".join("" if cell is None else f"{cell:.1f}" for cell in cells) + " |")
    assert peer > 0


if __name__ == "__main__":
    main()
