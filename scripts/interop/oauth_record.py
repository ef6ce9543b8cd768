# SPDX-License-Identifier: Apache-2.0
# This file is part of ibkr-stream.
"""`ibkr record` by OAuth: with a simulator of its own, and with only an IBind user's variables."""

import argparse
import asyncio
import gzip
import json
import tempfile
from pathlib import Path

from harness import recording
from harness.checks import Checks
from harness.program import Program

LOGIN = ["POST /oauth/live_session_token", "POST /iserver/auth/ssodh/init"]


def variables(path: Path) -> dict:
    """The lines of an `ibind.env`; those of other names are for IBind's own libraries."""
    lines = path.read_text().splitlines()
    pairs = dict(line.split("=", 1) for line in lines if "=" in line and line[0] != "#")
    return {name: value for name, value in pairs.items() if name.startswith("IBIND_")}


def look(checks: Checks, what: str, code, data: Path, errors: str):
    """What both recordings have to be."""
    if not checks.that(f"{what}: exit code 0", code == 0, code):
        print(errors[-3000:])
    raw = recording.rows(data, "raw")
    quotes = recording.rows(data, "quote")
    checks.none(f"{what}: seq without a hole", recording.holes(raw), f"{len(raw)} lines")
    checks.that(f"{what}: quotes of both instruments",
                {row["symbol"] for row in quotes} == {"AAPL", "MSFT"}, f"{len(quotes)} quotes")
    checks.none(f"{what}: no gap", recording.rows(data, "gap"))


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ibkr", required=True)
    parser.add_argument("--duration", type=int, default=15)
    arguments = parser.parse_args()
    seconds = f"{arguments.duration}s"
    checks = Checks(f"recording by OAuth: {seconds}")

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        data = folder / "one-process"
        async with Program(arguments.ibkr, "record", "AAPL", "MSFT", "--oauth", "--simulate",
                           "-o", data, "--duration", seconds) as recorder:
            code = await recorder.wait(arguments.duration + 30)
            look(checks, "one process", code, data, recorder.errors())

        data, keys, ledger = folder / "two", folder / "keys", folder / "ledger.ndjson"
        async with Program(arguments.ibkr, "simulate", "--oauth", "--port", 0,
                           "--credentials-out", keys, "--ledger", ledger) as simulator:
            first = await simulator.line()
            if not checks.that("simulate: it listens", first.startswith("listening "), first):
                print(simulator.errors())
                checks.finish()
            async with Program(arguments.ibkr, "record", "AAPL", "MSFT", "-o", data, "--duration",
                               seconds, environment=variables(keys / "ibind.env")) as recorder:
                code = await recorder.wait(arguments.duration + 30)
                look(checks, "two processes", code, data, recorder.errors())
            checks.that("simulate: ends with code 0", await simulator.stop() == 0)

        requests = [line for line in map(json.loads, ledger.read_text().splitlines())
                    if line.get("kind") == "request"]
        seen = [f"{line['method']} {line['path']}" for line in requests]
        places = [seen.index(step) if step in seen else -1 for step in LOGIN]
        checks.that("the server saw: token, then brokerage session", -1 not in places
                    and places == sorted(places), ", ".join(seen[:4]))
        checks.that("the server saw: logout, last of all", seen[-1:] == ["POST /logout"], seen[-1:])
        checks.none("the server refused nothing",
                    [line for line in requests if (line["status"] or 500) >= 400], len(requests))
        secrets = [value for name, value in variables(keys / "ibind.env").items()
                   if "TOKEN" in name and "ENDPOINT" not in name]
        files = [path for path in data.rglob("*") if path.is_file()]
        text = b"".join(gzip.open(path).read() if path.suffix == ".gz" else path.read_bytes()
                        for path in files).decode(errors="replace")
        checks.none("the recording holds no token", [s[:4] for s in secrets if s in text])
    checks.finish()


asyncio.run(main())
