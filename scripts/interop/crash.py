# SPDX-License-Identifier: Apache-2.0
# This file is part of ibkr-stream.
"""The recorder is killed at random moments; nothing is lost that is not declared."""

import argparse
import asyncio
import json
import os
import random
import signal
import tempfile
import time
from pathlib import Path

from harness import ledger as ledgers
from harness import recording
from harness.checks import Checks
from harness.program import Program

SYMBOLS = ["AAPL", "MSFT"]
BATCH = 10  # kills in one directory, with one simulator
MOMENTS = ["before anything", "start-up repair", "connecting", "recording", "rotation", "sealing"]


class Figures:
    """What is counted over all kills."""

    def __init__(self):
        self.kills = self.runs = self.records = self.torn = self.undeclared = self.missing = 0
        self.moments = dict.fromkeys(MOMENTS, 0)
        # See `lateness`, in milliseconds, and what the recorder was at.
        self.lateness: list[tuple[float, str]] = []


def names(data: Path) -> dict[str, int]:
    """The files of the recording and their lengths."""
    return {str(path.relative_to(data)): path.stat().st_size
            for path in data.rglob("*") if path.is_file() and path.name != ".lock"}


def unfinished(data: Path) -> set[str]:
    found = set()
    for path in (data / "runs").glob("*.json"):
        if json.loads(path.read_text())["ts_end"] is None:
            found.add(path.stem)
    return found


def moment(data: Path, before: dict[str, int]) -> str:
    """What a killed recorder was at, as the files tell that it has left."""
    after = names(data)
    own = {Path(name).stem for name in after.keys() - before.keys()
           if name.startswith("runs/") and name.endswith(".json")}
    if not own:
        return "start-up repair" if after != before else "before anything"
    run = own.pop()
    parts = [name for name in after if f"part-{run}-" in name]
    listed = (data / "_manifest.ndjson").read_text() if "_manifest.ndjson" in after else ""
    if any(name.endswith(".new") or name.endswith(".gz") and name not in listed
           or name.endswith(".gz") and name.removesuffix(".gz") in after for name in parts):
        return "sealing"
    folders = [name.rpartition("/")[0] for name in parts if name.endswith(".ndjson")]
    # A part has ended and its sealing has not begun; the next part is there already.
    if len(folders) != len(set(folders)):
        return "rotation"
    # What it says of itself is written from the first moment on.
    has_heard = any('"dir":"in"' in (data / name).read_text(errors="replace")
                    for name in parts if name.startswith("ch=raw/"))
    return "recording" if has_heard else "connecting"


async def killed_run(ibkr: str, record: list, chance: random.Random, data: Path,
                     figures: Figures) -> tuple[int, str]:
    """Records, and is killed; returns when, and what it was at."""
    before, when = names(data), 0
    async with Program(ibkr, *record) as recorder:
        kind = chance.random()
        if kind < 0.3:
            # In the middle of putting the directory right, if there is anything to put right.
            await asyncio.sleep(chance.uniform(0, 0.4))
        else:
            await asyncio.sleep(chance.uniform(0.3, 3))
            if kind > 0.7 and recorder.running:
                # All parts end, and are sealed.
                recorder.process.send_signal(signal.SIGHUP)
                await asyncio.sleep(chance.uniform(0, 0.15))
        # Before the call: after it the threads that end come first, and this one when they have.
        when = time.time_ns()
        if recorder.running:
            os.kill(recorder.process.pid, signal.SIGKILL)
            figures.kills += 1
        await recorder.wait(10)
        found = moment(data, before)
        figures.moments[found] += 1
    return when, found


def by_run(data: Path) -> dict[str, list[dict]]:
    runs: dict[str, list[dict]] = {}
    for row in recording.rows(data, "raw"):
        runs.setdefault(row["run"], []).append(row)
    return runs


def is_start(rows: list[dict], sent: list[tuple[int, bytes]]) -> bool:
    """Whether the rows are what was sent, from the first on. Secrets are not compared."""
    return len(rows) <= len(sent) and all(
        ledgers.is_same(row, message) for row, (_, message) in zip(rows, sent)
    )


def lateness(sent: list[tuple[int, bytes]], received: int, kills: list[tuple[int, str]]
             ) -> tuple[float, str] | None:
    """How many milliseconds before its kill the first message of those that are missing was sent:
    those were on their way to the recorder, in it, or on their way to the disk."""
    # A socket ends with the recorder that has opened it.
    kill = next((kill for kill in kills if kill[0] > sent[0][0]), None)
    if kill is None or received == len(sent):
        return None
    age = (kill[0] - sent[0][0]) / 1e6
    return (kill[0] - sent[received][0]) / 1e6, f"{kill[1]}, {age:.0f} ms after the first message"


def check_batch(data: Path, ledger: Path, kills: list[tuple[int, str]],
                figures: Figures) -> list[str]:
    problems, previous = [], None
    sockets = ledgers.sockets(ledger)
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
        if not received:
            continue
        # Of the first messages all may be redacted, and fit any socket: it is the one that began last.
        found = max((sent for sent in sockets if sent[0][0] <= received[0]["ts_recv"] + 100_000_000
                     and is_start(received, sent)), key=lambda sent: sent[0][0], default=None)
        if found is None:
            problems.append(f"{run}: its {len(received)} messages are not what was sent")
            figures.undeclared += 1
            continue
        sockets.remove(found)
        lost = found[len(received):]
        figures.missing += len(lost)
        if (late := lateness(found, len(received), kills)) is not None:
            figures.lateness.append(late)
            # What was sent before the last record and is not there would be a loss in the middle.
            if lost[0][0] < rows[-1]["ts_recv"] - 1_000_000_000:
                problems.append(f"{run}: records are missing from before the gap")
                figures.undeclared += 1
    # Sockets of which nothing is on disk: their recorders were killed before the first write.
    for sent in sockets:
        figures.missing += len(sent)
        if (late := lateness(sent, 0, kills)) is not None:
            figures.lateness.append(late)
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
                kills.append(await killed_run(ibkr, record, chance, data, figures))
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
    parser.add_argument("--within", type=int, default=200,
                        help="milliseconds before a kill that may be missing")
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
    latest = sorted(figures.lateness, reverse=True)
    late = [value for value, _ in latest] or [0]
    hit = ", ".join(f"{name} {count}" for name, count in figures.moments.items())
    print(f"kills {figures.kills}, of them during {hit}; runs {figures.runs}, "
          f"records {figures.records}, torn lines {figures.torn}, "
          f"undeclared losses {figures.undeclared}, sent and not recorded {figures.missing}, "
          f"the first of them {late[len(late) // 2]:.0f} ms before its kill (median) and "
          f"{late[0]:.0f} ms at most")
    over = sum(value > arguments.within for value in late)
    print(f"{over} of {len(figures.lateness)} above {arguments.within} ms; latest: "
          + ", ".join(f"{value:.0f} ms ({name})" for value, name in latest[:5]))
    checks.that("no torn line", figures.torn == 0)
    checks.that("no undeclared loss", figures.undeclared == 0)
    checks.that(f"at most {arguments.within} ms before a kill are missing",
                late[0] <= arguments.within, f"{late[0]:.0f} ms")
    checks.that("something was recorded", figures.records > 0)
    if arguments.kills >= 100:
        missed = [name for name, count in figures.moments.items() if count == 0]
        checks.none("every kind of moment was hit", missed)
    checks.finish()


if __name__ == "__main__":
    asyncio.run(main())
