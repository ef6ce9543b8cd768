# SPDX-License-Identifier: Apache-2.0
# This file is part of ibkr-stream.
"""`ibkr simulate` and `ibkr record` in two processes."""

import argparse
import asyncio
import json
import tempfile
import time
from decimal import Decimal
from pathlib import Path

from harness import quotes, recording
from harness.checks import Checks
from harness.program import Program


async def tail(data: Path, stop: asyncio.Event, delays: list[float]):
    """Follows the open parts as `tail -f` does; keeps how late each line became visible."""
    files: dict[Path, tuple[object, bytes]] = {}
    while not stop.is_set():
        for channel in ("raw", "quote"):
            for path in recording.parts(data, channel):
                if path.suffix == ".ndjson" and path not in files:
                    files[path] = (open(path, "rb"), b"")
        for path, (file, rest) in files.items():
            seen = time.time_ns()
            *lines, rest = (rest + file.read()).split(b"\n")
            files[path] = (file, rest)
            for line in lines:
                row = json.loads(line)
                # An instrument's row, or a message: only what arrived has a time of arrival.
                if row.get("dir", "in") == "in":
                    delays.append((seen - row["ts_recv"]) / 1e9)
        await asyncio.sleep(0.02)
    for file, _ in files.values():
        file.close()


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ibkr", required=True)
    parser.add_argument("--duration", type=int, default=60)
    arguments = parser.parse_args()
    checks = Checks(f"two processes: {arguments.duration} s")

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        data, ca = folder / "data", folder / "ca.pem"
        async with Program(arguments.ibkr, "simulate", "--port", 0, "--ca-out", ca, "--seed", 7,
                           "--ledger", folder / "ledger.ndjson") as simulator:
            first = await simulator.line()
            word, _, url = first.partition(" ")
            if not checks.that("simulate: the first line is its address", word == "listening", first):
                print(simulator.errors())
                checks.finish()
            stop, delays = asyncio.Event(), []
            began = time.monotonic()
            async with Program(arguments.ibkr, "record", "AAPL", "MSFT", "--gateway", url, "--ca", ca,
                               "-o", data, "--duration", f"{arguments.duration}s") as recorder:
                following = asyncio.create_task(tail(data, stop, delays))
                code = await recorder.wait(arguments.duration + 30)
                took = time.monotonic() - began
                stop.set()
                await following
                errors = recorder.errors()
            if not checks.that("record: exit code 0", code == 0, f"{code} after {took:.1f} s"):
                print(errors[-3000:])
            checks.that("record: it took its duration",
                        arguments.duration - 1 <= took <= arguments.duration + 15, f"{took:.1f} s")
            checks.that("simulate: still there, ends with code 0", await simulator.stop() == 0)

        raw = recording.rows(data, "raw")
        rows = recording.rows(data, "quote")
        checks.none("raw: seq from 1 without a hole", recording.holes(raw),
                    f"{raw[-1]['seq'] if raw else 0} numbers")
        checks.that("raw: columns", bool(raw) and all(list(r) == recording.RAW_COLUMNS for r in raw))
        checks.that("quote: columns", bool(rows) and all(list(r) == recording.QUOTE_COLUMNS for r in rows))

        found = {(r["seq"], r["conid"]): r for r in rows}
        merger, wrong, values, updated = quotes.Merger(), [], 0, []
        for row in recording.messages(raw, "in"):
            wanted = merger.merge(recording.payload(row))
            if wanted is None:
                continue
            if row["ts_event"] != wanted["ts_event"]:
                updated.append(row["seq"])
            if not wanted["changed"]:
                continue
            values += 1
            quote = found.get((row["seq"], wanted["conid"]))
            problem = f"seq {row['seq']}: no quote" if quote is None else quotes.differences(quote, wanted)
            if problem:
                wrong.append(problem)
        checks.none("quote: a row for every smd message with a value, as sent", wrong, values)
        checks.that("quote: enough of them", values >= arguments.duration, values)
        checks.none("ts_event is the server's _updated", updated)
        complete = [r for r in rows if None not in (r["bid"], r["ask"])]
        checks.none("quote: bid < ask in every complete row",
                    [r["seq"] for r in complete if not r["bid"] < r["ask"]], len(complete))
        prices = [r[c] for r in rows for c in quotes.COLUMNS.values() if r[c] is not None]
        checks.none("quote: every number has a point",
                    [p for p in prices if not isinstance(p, Decimal)], len(prices))
        checks.that("quote: both symbols", {r["symbol"] for r in rows} == {"AAPL", "MSFT"},
                    sorted({r["symbol"] for r in rows}))
        checks.none("no gap", recording.rows(data, "gap"))
        late = sorted(delays)
        checks.that("tail -f: every line within one second of its arrival",
                    bool(late) and late[-1] <= 1.0,
                    late and f"{len(late)} lines, median {late[len(late) // 2] * 1e3:.0f} ms, "
                    f"largest {late[-1] * 1e3:.0f} ms")
        checks.none("every part sealed", recording.unsealed(data))
    checks.finish()


if __name__ == "__main__":
    asyncio.run(main())
