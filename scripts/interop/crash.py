# SPDX-License-Identifier: Apache-2.0
# This file is part of ibkr-stream.
"""The recorder is killed at random moments; nothing is lost that is not declared."""

import argparse
import asyncio
import json
import random
import signal
import tempfile
import time
from pathlib import Path

from harness import recording
from harness.checks import Checks
from harness.program import Program

SYMBOLS = ["AAPL", "MSFT"]
BATCH = 10  # kills in one directory, with one simulator


class Figures:
    """What is counted over all kills."""

    def __init__(self):
        self.kills = self.early = self.hangups = self.runs = self.records = self.torn = 0
        self.undeclared = self.missing = 0
        self.latest = 0.0  # how long before a kill the first record of those that are missing was sent


async def killed_run(ibkr: str, record: list, chance: random.Random, figures: Figures) -> int:
    """Records, and is killed; returns when."""
    async with Program(ibkr, *record) as recorder:
        kind = chance.random()
        if kind < 0.3:
            # Before it has connected: in the middle of putting the directory right.
            await asyncio.sleep(chance.uniform(0, 0.3))
            figures.early += 1
        else:
            await asyncio.sleep(chance.uniform(0.3, 3))
            if kind > 0.7 and recorder.running:
                # All parts end, and are sealed.
                recorder.process.send_signal(signal.SIGHUP)
                await asyncio.sleep(chance.uniform(0, 0.15))
                figures.hangups += 1
        when = time.time_ns()
        if recorder.running:
            recorder.process.send_signal(signal.SIGKILL)
            figures.kills += 1
        await recorder.wait(10)
    return when


def read_ledger(path: Path) -> list[list[tuple[int, bytes]]]:
    """What was sent on each socket, in order: when, and the message."""
    sockets: dict[int, list] = {}
    for line in path.read_bytes().splitlines():
        entry = json.loads(line)
        if entry.get("op") == "binary":
            sockets.setdefault(entry["socket"], []).append((entry["ts"], entry["msg"].encode()))
    return [sockets[number] for number in sorted(sockets)]


def by_run(data: Path) -> dict[str, list[dict]]:
    runs: dict[str, list[dict]] = {}
    for row in recording.rows(data, "raw"):
        runs.setdefault(row["run"], []).append(row)
    return runs


def is_start(rows: list[dict], sent: list[tuple[int, bytes]]) -> bool:
    """Whether the rows are what was sent, from the first on. Secrets are not compared."""
    return len(rows) <= len(sent) and all(
        row["redacted"] or recording.payload(row) == message for row, (_, message) in zip(rows, sent)
    )


def check_batch(data: Path, ledger: Path, kills: list[int], figures: Figures) -> list[str]:
    problems, previous = [], None
    sockets = read_ledger(ledger)
    for run, rows in sorted(by_run(data).items()):
        figures.runs += 1
        figures.records += len(rows)
        first = rows[0]
        if previous is None:
            numbers = range(1, len(rows) + 1)
        else:
            numbers = range(0, len(rows))
            gap = json.loads(first["msg"]) if first["op"] == "gap" else {}
            wanted = (previous["run"], previous["seq"], previous["ts_recv"])
            if (gap.get("run_prev"), gap.get("seq_first"), gap.get("ts_start")) != wanted:
                problems.append(f"{run}: the time since {wanted} is not declared: {gap}")
        if [row["seq"] for row in rows] != list(numbers):
            problems.append(f"{run}: seq has a hole")
            figures.undeclared += 1
        previous = rows[-1]
        received = recording.messages(rows, "in")
        if not any(not row["redacted"] for row in received):
            continue
        found = next((sent for sent in sockets if is_start(received, sent)), None)
        if found is None:
            problems.append(f"{run}: its {len(received)} messages are not what was sent")
            figures.undeclared += 1
            continue
        sockets.remove(found)
        lost = found[len(received):]
        figures.missing += len(lost)
        kill = next((when for when in kills if when > rows[-1]["ts_recv"]), None)
        if lost and kill is not None:
            figures.latest = max(figures.latest, (kill - lost[0][0]) / 1e9)
            # What was sent before the last record and is not there would be a loss in the middle.
            if lost[0][0] < rows[-1]["ts_recv"] - 1_000_000_000:
                problems.append(f"{run}: records are missing from before the gap")
                figures.undeclared += 1
    figures.torn += sum(
        not path.read_bytes().endswith(b"\n") for path in data.glob("ch=*/**/*.ndjson")
    )
    return problems


async def batch(ibkr: str, count: int, rate: float, chance: random.Random, figures: Figures):
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        data, ca, ledger = folder / "data", folder / "ca.pem", folder / "ledger.ndjson"
        async with Program(ibkr, "simulate", "--port", 0, "--ca-out", ca, "--seed",
                           chance.randrange(1 << 30), "--rate", rate / len(SYMBOLS),
                           "--ledger", ledger) as simulator:
            url = (await simulator.line()).removeprefix("listening ")
            kills = []
            for _ in range(count):
                record = ["record", *SYMBOLS, "--gateway", url, "--ca", ca, "-o", data, "--rotate",
                          chance.choice(["300KB", "2MB", "20MB"]), "--compress",
                          chance.choice(["gz", "gz", "none"]), "-q"]
                kills.append(await killed_run(ibkr, record, chance, figures))
            # The last one ends well; what the others have left is put right before it begins.
            async with Program(ibkr, *record, "--duration", "1s") as recorder:
                code = await recorder.wait(120)
                problems = [] if code == 0 else [f"record ended with {code}: {recorder.errors()}"]
            await simulator.stop()
        async with Program(ibkr, "verify", data, "--deep") as verifier:
            findings, _ = await verifier.process.communicate()
            if await verifier.wait(120) != 0:
                problems.append(f"verify: {findings.decode()[:2000]}")
        return problems + check_batch(data, ledger, kills, figures)


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ibkr", required=True)
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--rate", type=float, default=20_000, help="messages a second, in all")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    checks = Checks(f"crash: {arguments.kills} kills at {arguments.rate:.0f} messages/s")
    chance, figures = random.Random(arguments.seed), Figures()
    done = 0
    while done < arguments.kills:
        count = min(BATCH, arguments.kills - done)
        problems = await batch(arguments.ibkr, count, arguments.rate, chance, figures)
        done += count
        checks.none(f"kills {done - count + 1} to {done}", problems,
                    f"{figures.records} records so far")
    print(f"kills {figures.kills}, of them {figures.early} at the start and {figures.hangups} after "
          f"SIGHUP; runs {figures.runs}, records {figures.records}, torn lines {figures.torn}, "
          f"undeclared losses {figures.undeclared}, sent and not recorded {figures.missing}, "
          f"the earliest of them {figures.latest * 1e3:.0f} ms before its kill")
    checks.that("no torn line", figures.torn == 0)
    checks.that("no undeclared loss", figures.undeclared == 0)
    checks.that("something was recorded", figures.records > 0)
    checks.finish()


if __name__ == "__main__":
    asyncio.run(main())
