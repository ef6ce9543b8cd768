# SPDX-License-Identifier: Apache-2.0
# This file is part of ibkr-stream.
"""Counts the instructions per message of fixed inputs, and compares them with the figures that are kept.

Each is the difference of two runs that take a different number of the same messages, so that what a
process does before its first message falls out."""

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

STATIONS = {
    "frames, 290 B": ["frames"],
    "frames, 60 B": ["frames", "--short"],
    "raw lines": ["raw"],
    "raw and quote lines": ["raw-quote"],
    "typed events, one by one": ["events"],
    "typed events, batches": ["batches"],
}
CALM = {
    # The same hashes every time; no backtrace of what valgrind does to a process.
    "SWIFT_DETERMINISTIC_HASHING": "1",
    "SWIFT_BACKTRACE": "enable=no",
    # Valgrind counts a repeated `movsb` as one instruction for each byte.
    "GLIBC_TUNABLES": "glibc.cpu.x86_rep_movsb_threshold=1000000000",
}
FEW, MANY = 5_000, 25_000
KEPT = Path(__file__).with_name("instructions.json")


def count(program: Path, arguments, messages: int) -> int:
    """The instructions of a whole process."""
    with tempfile.TemporaryDirectory() as scratch:
        output = ["--output", f"{scratch}/data"] if arguments[0].startswith("raw") else []
        done = subprocess.run(
            ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", program, *arguments,
             "--messages", str(messages), "--prepared", str(MANY), *output],
            capture_output=True, text=True,
            env={**os.environ, **CALM})
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode or not found:
        sys.exit(f"{' '.join(arguments)}: exit code {done.returncode}: {done.stderr[-1500:]}")
    return int(found[1])


def per_message(program: Path, arguments) -> float:
    few, many = count(program, arguments, FEW), count(program, arguments, MANY)
    return (many - few) / (MANY - FEW)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--hot-path", required=True, type=Path)
    parser.add_argument("--only", help="stations whose names begin so, with commas between them")
    parser.add_argument("--tolerance", type=float, default=5, metavar="PERCENT")
    parser.add_argument("--keep", action="store_true")
    arguments = parser.parse_args()
    beginnings = tuple((arguments.only or "").split(","))
    stations = {name: how for name, how in STATIONS.items() if how[0].startswith(beginnings)}
    if not stations:
        parser.error(f"--only {arguments.only}: the stations are "
                     + ", ".join(dict.fromkeys(how[0] for how in STATIONS.values())))
    kept = json.loads(KEPT.read_text()) if KEPT.exists() else {"instructions": {}}
    same = kept.get("architecture") == platform.machine()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = dict(zip(stations, pool.map(lambda how: per_message(arguments.hot_path, how),
                                            stations.values())))
    above = 0
    print(f"{'instructions per message':<28} {'now':>8} {'kept':>8} {'change':>8}")
    for name, now in found.items():
        before = kept["instructions"].get(name) if same else None
        if before is None:
            print(f"{name:<28} {now:>8.0f} {'-':>8}")
            continue
        change = (now / before - 1) * 100
        is_above = change > arguments.tolerance
        above += is_above
        print(f"{name:<28} {now:>8.0f} {before:>8.0f} {change:>+7.1f}%{'  MORE' if is_above else ''}")
    if not same:
        print(f"the figures that are kept are of another kind of machine than {platform.machine()}")
    if arguments.keep:
        figures = {**(kept["instructions"] if same else {}), **{n: round(v, 1) for n, v in found.items()}}
        KEPT.write_text(json.dumps({"architecture": platform.machine(), "instructions": figures},
                                   indent=2) + "\n")
        print("kept")
        return
    print(f"instructions: {above} of {len(found)} more than {arguments.tolerance:g} % above")
    sys.exit(1 if above else 0)


if __name__ == "__main__":
    main()
