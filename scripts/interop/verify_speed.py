# SPDX-License-Identifier: Apache-2.0
# This file is part of ibkr-stream.
"""How long `ibkr verify` takes, beside `gzip -t` over the same files."""

import argparse
import asyncio
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from harness.checks import Checks
from harness.program import Program

SYMBOLS = ["AAPL", "MSFT"]
ROUNDS = 3


async def record(arguments, data: Path, folder: Path):
    ca = folder / "ca.pem"
    async with Program(arguments.ibkr, "simulate", "--port", 0, "--ca-out", ca,
                       "--rate", arguments.rate / len(SYMBOLS)) as simulator:
        url = (await simulator.line()).removeprefix("listening ")
        async with Program(arguments.ibkr, "record", *SYMBOLS, "--gateway", url, "--ca", ca, "-o", data,
                           "--rotate", "64MB", "--duration", f"{arguments.seconds}s", "-q") as recorder:
            code = await recorder.wait(arguments.seconds + 120)
            if code != 0:
                raise SystemExit(f"record ended with {code}: {recorder.errors()[-2000:]}")


def measure(command: list) -> tuple[float, float, str]:
    """Seconds on the wall, seconds of processors, and what it said."""
    began = time.monotonic()
    with subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, text=True) as process:
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{command[0]} ended with {process.returncode}: {output[-2000:]}")
    return time.monotonic() - began, usage.ru_utime + usage.ru_stime, output


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ibkr", required=True)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--rate", type=float, default=40_000, help="messages a second, in all")
    parser.add_argument("--wall", type=float, default=3.0, help="the most that verify may take longer")
    parser.add_argument("--cpu", type=float, default=4.0, help="the same in processor time")
    arguments = parser.parse_args()
    checks = Checks("verify beside gzip -t")
    with tempfile.TemporaryDirectory() as temporary:
        data = Path(temporary) / "data"
        await record(arguments, data, Path(temporary))
        sealed = sorted(data.rglob("*.ndjson.gz"))
        commands = {"gzip -t": ["gzip", "-t", *sealed],
                    "ibkr verify": [arguments.ibkr, "verify", data]}
        taken: dict[str, list] = {name: [] for name in commands}
        words = ""
        for _ in range(ROUNDS):
            for name, command in commands.items():
                wall, cpu, words = measure(command)
                taken[name].append((wall, cpu))
        print(words.strip())
        size = sum(path.stat().st_size for path in sealed)
    medians = {name: [statistics.median(column) for column in zip(*rows)]
               for name, rows in taken.items()}
    print(f"{'':14}{'wall s':>9}{'cpu s':>9}{'MB/s':>9}   {size / 1e6:.1f} MB in {len(sealed)} parts")
    for name, (wall, cpu) in medians.items():
        print(f"{name:14}{wall:9.2f}{cpu:9.2f}{size / 1e6 / wall:9.1f}")
    (gzip_wall, gzip_cpu), (wall, cpu) = medians["gzip -t"], medians["ibkr verify"]
    checks.that(f"at most {arguments.wall:g} times the wall clock", wall <= arguments.wall * gzip_wall,
                f"{wall / gzip_wall:.2f}")
    checks.that(f"at most {arguments.cpu:g} times the processor time", cpu <= arguments.cpu * gzip_cpu,
                f"{cpu / gzip_cpu:.2f}")
    checks.finish()


asyncio.run(main())
