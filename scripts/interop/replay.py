# SPDX-License-Identifier: Apache-2.0
# This file is part of ibkr-stream.
"""Replays a recording of 100 instruments: speed, sameness, and IBind as a client of it."""

import argparse
import asyncio
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import ibind_client
from harness import recording
from harness.checks import Checks
from harness.program import Program

# Two that IBind looks up by symbol, and 98 that exist nowhere else.
INSTRUMENTS = ["AAPL", "MSFT", *(f"SIM{number}" for number in range(98))]
# What an instrument sends in an hour: a message every 500 ms to 2 s.
HOUR = 100 * 3_600 * 4 // 5


async def record(arguments, folder: Path, data: Path, checks: Checks) -> bool:
    ca = folder / "ca.pem"
    async with Program(arguments.ibkr, "simulate", "--port", 0, "--ca-out", ca, "--seed", 5,
                       "--instruments", 98, "--rate", arguments.rate) as simulator:
        url = (await simulator.line()).removeprefix("listening ")
        began = time.monotonic()
        async with Program(arguments.ibkr, "record", *INSTRUMENTS, "--gateway", url, "--ca", ca,
                           "-o", data, "-c", arguments.messages, "--rotate", "16MB") as recorder:
            code = await recorder.wait(120 + 20 * arguments.messages / (100 * arguments.rate))
            errors = recorder.errors()
        took = time.monotonic() - began
    if not checks.that("record: 100 instruments", code == 0,
                       f"{arguments.messages} messages in {took:.1f} s, "
                       f"{arguments.messages / HOUR:.2f} hours at IBKR's pace"):
        print(errors[-3000:])
    return code == 0


def run(arguments, *command) -> tuple[str, int, float]:
    """The digest and size of what a command prints, and the seconds that it took."""
    began = time.monotonic()
    digest, size = hashlib.sha256(), 0
    with subprocess.Popen([arguments.ibkr, *map(str, command)], stdout=subprocess.PIPE) as process:
        while piece := process.stdout.read(1 << 20):
            digest.update(piece)
            size += len(piece)
        code = process.wait(600)
    if code != 0:
        raise RuntimeError(f"{command} ended with {code}")
    return digest.hexdigest(), size, time.monotonic() - began


def contents(data: Path) -> dict[str, str]:
    """The digest of each file of a recording, but for the records of its runs."""
    return {
        str(path.relative_to(data)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(data.rglob("part-*"))
    }


def check_speed(arguments, data: Path, raw: int, checks: Checks):
    for channels in ("quote,gap", "raw"):
        found = [run(arguments, "replay", data, "--channels", channels) for _ in range(2)]
        (first, size, _), (second, _, _) = found
        seconds = min(f[2] for f in found)
        checks.that(f"replay to stdout, {channels}: twice the same bytes", first == second and size > 0,
                    f"{size / 1e6:.1f} MB, {raw / seconds:,.0f} messages/s")


def check_copy(arguments, folder: Path, data: Path, raw: int, checks: Checks):
    copies = [folder / "copy-1", folder / "copy-2"]
    seconds = min(run(arguments, "replay", data, "-o", copy, "--rotate", "16MB")[2] for copy in copies)
    first, second = map(contents, copies)
    checks.that("replay -o: twice the same files, byte for byte", first == second and len(first) > 1,
                f"{len(first)} parts, {raw / seconds:,.0f} messages/s")
    for channel in ("raw", "quote", "gap"):
        before = recording.rows(data, channel)
        after = recording.rows(copies[0], channel)
        checks.that(f"record, replay, record: the same rows of {channel}", before == after, len(before))
    checks.none("the copy: every part sealed", recording.unsealed(copies[0]))
    code = subprocess.run([arguments.ibkr, "verify", copies[0], "--deep"], capture_output=True)
    checks.that("verify --deep of the copy", code.returncode == 0, code.stderr.decode().strip()[-100:])


def shown(row: dict) -> dict:
    """What IBind shows of a message."""
    message = json.loads(recording.payload(row))
    return {ibind_client.NAMES[k]: v for k, v in message.items() if ibind_client.NAMES.get(k)}


async def check_ibind(arguments, folder: Path, data: Path, rows: list[dict], checks: Checks):
    ca, output = folder / "served.pem", folder / "seen.json"
    span = (rows[-1]["ts_recv"] - rows[0]["ts_recv"]) / 1e9
    speed = max(0.001, span / arguments.duration)
    async with Program(arguments.ibkr, "replay", data, "--serve", "--port", 0, "--ca-out", ca,
                       "--speed", f"{speed:.6f}") as server:
        url = (await server.line()).removeprefix("listening ")
        environment = {k: v for k, v in os.environ.items() if not k.startswith("IBIND_")} | {
            "IBIND_LOG_TO_FILE": "false", "IBIND_LOG_LEVEL": "WARNING",
            "IBIND_AUTO_REGISTER_SHUTDOWN": "false",
        }
        try:
            finished = await asyncio.to_thread(
                subprocess.run,
                [sys.executable, ibind_client.__file__, "--ibkr", "-", "--duration",
                 str(arguments.duration + 5), "--client", url, str(ca), str(output)],
                env=environment, timeout=arguments.duration + 120, capture_output=True, text=True)
            code, log = finished.returncode, finished.stdout + finished.stderr
        except subprocess.TimeoutExpired as error:
            code, log = None, str(error)
        alive = server.running
        ended = await server.stop()
    checks.that("replay --serve: there to the end, SIGINT ends it with code 0", alive and ended == 0, ended)
    if not checks.that("IBind ran to its end", code == 0 and output.exists(), code):
        print(log[-3000:])
        return
    seen = json.loads(output.read_text())
    checks.that("IBind: connected and subscribed", seen["started"] and seen["failed"] == 0)
    checks.that("IBind: authenticated all the time", seen["worked"])
    checks.none("IBind: no error event", seen["others"])
    for conid in seen["conids"]:
        want = [shown(row) for row in rows if row["topic"] == f"smd+{conid}"]
        names = {name for name in ibind_client.NAMES.values() if name}
        got = [{k: v for k, v in data.items() if k in names} for c, data in seen["called"] if c == conid]
        # Who subscribes a moment after the first begins with the values as of then.
        missed = len(want) - len(got)
        same = got == want or (missed >= 0 and got[1:] == want[missed + 1 :])
        checks.that(f"IBind: {conid} as it was recorded", bool(got) and same,
                    f"{len(got)} of {len(want)} messages at {speed:.2f} times the recorded speed")
        checks.that(f"IBind: {conid}: nearly all of it", 0 <= missed <= len(want) // 20, f"{missed} missed")


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ibkr", required=True)
    parser.add_argument("--messages", type=int, default=HOUR)
    parser.add_argument("--rate", type=int, default=40, help="changes of each instrument in a second")
    parser.add_argument("--duration", type=int, default=20, help="seconds for which IBind streams")
    arguments = parser.parse_args()
    checks = Checks(f"replay: {arguments.messages} messages of 100 instruments")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        data = folder / "data"
        if await record(arguments, folder, data, checks):
            raw = recording.rows(data, "raw")
            rows = [r for r in recording.messages(raw, "in") if (r["topic"] or "").startswith("smd+")]
            instruments = {r["topic"] for r in rows}
            checks.that("raw: every instrument is there", len(instruments) == 100, len(instruments))
            check_speed(arguments, data, len(raw), checks)
            check_copy(arguments, folder, data, len(raw), checks)
            await check_ibind(arguments, folder, data, rows, checks)
    checks.finish()


if __name__ == "__main__":
    asyncio.run(main())
