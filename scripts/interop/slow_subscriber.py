# SPDX-License-Identifier: Apache-2.0
# This file is part of ibkr-stream.
"""One slow subscriber beside three fast ones, under every policy, and IBind's beside ours: what
was delivered and what was told as lost are together what the simulator sent."""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import asynccontextmanager
from pathlib import Path

from harness.checks import Checks
from harness.program import Program

INSTRUMENTS = {
    "AAPL": 265598, "MSFT": 272093, "IBM": 8314, "AMZN": 3691937, "GOOG": 208813720,
    "META": 107113386, "NVDA": 4815747, "TSLA": 76792991, "NFLX": 15124833, "INTC": 270639,
    "CSCO": 268084, "ADBE": 265768, "AMD": 4391, "LRCX": 732440574, "JNJ": 8719, "PG": 11054,
    "PEP": 11017, "KO": 8894, "WMT": 12738, "DIS": 6459,
}
STALL, AFTER, PER_EVENT = 5.0, 1_000, 0.001
# The simulator cuts off who does not read 32 MB: so slower where reading stops.
RATE, RATE_UNDER_BACKPRESSURE = 2_500, 1_500


@asynccontextmanager
async def simulator(ibkr: str, folder: Path, rate: int):
    """A simulated gateway; gives its address, its authority and its ledger."""
    folder.mkdir()
    ca, ledger = folder / "ca.pem", folder / "ledger.ndjson"
    async with Program(ibkr, "simulate", "--port", 0, "--ca-out", ca, "--seed", 5, "--ledger", ledger,
                       "--rate", rate / len(INSTRUMENTS)) as program:
        url = (await program.line()).removeprefix("listening ")
        yield url, ca, ledger
        await program.stop()


def sent(ledger: Path) -> int:
    """How many quotes the ledger says were sent."""
    count = 0
    for line in ledger.read_text().splitlines():
        entry = json.loads(line)
        text = next((entry[k] for k in ("msg", "message", "payload", "text") if entry.get(k)), None)
        try:
            message = json.loads(text) if isinstance(text, str) else None
        except ValueError:
            continue
        if isinstance(message, dict) and str(message.get("topic", "")).startswith("smd+"):
            count += 1
    return count


async def ours(arguments, folder: Path, name: str, policy: str, rate: int, patience: int) -> dict:
    async with simulator(arguments.ibkr, folder, rate) as (url, ca, ledger):
        async with Program(arguments.program, *INSTRUMENTS, "--gateway", url, "--ca", ca, "--policy",
                           policy, "--events", arguments.events, "--stall", int(STALL),
                           "--patience", patience) as program:
            try:
                line = await program.line(arguments.events / 500 + 90)
                code = await program.wait(10)
            except asyncio.TimeoutError:
                line, code = "", None
            errors = program.errors()
    try:
        row = json.loads(line)
    except ValueError:
        row = {"error": f"exit code {code}: {errors[-2000:]}"}
    return row | {"name": name, "sent": sent(ledger)}


async def theirs(arguments, folder: Path) -> dict:
    async with simulator(arguments.ibkr, folder, RATE) as (url, ca, ledger):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("IBIND_")} | {
            "IBIND_LOG_TO_FILE": "false", "IBIND_LOG_LEVEL": "ERROR",
            "IBIND_AUTO_REGISTER_SHUTDOWN": "false",
        }
        output = folder / "seen.json"
        command = [sys.executable, __file__, "--client", url, str(ca), str(output), "--events",
                   str(arguments.events)]
        try:
            finished = await asyncio.to_thread(subprocess.run, command, env=environment, timeout=180,
                                               capture_output=True, text=True)
            log = finished.stdout + finished.stderr
        except subprocess.TimeoutExpired as error:
            log = str(error)
    if not output.exists():
        return {"name": "IBind", "error": log[-2000:], "sent": sent(ledger)}
    return json.loads(output.read_text()) | {"name": "IBind", "sent": sent(ledger)}


def client(url: str, ca: str, output: str, events: int):
    """IBind with the sink that it makes by default, in a process of its own."""
    from ibind import CallbackSink, IbkrClient, IbkrWsClient, events as kinds, subscriptions

    taken = 0

    def take(_):
        nonlocal taken
        taken += 1
        if taken == AFTER:
            time.sleep(STALL)
        if taken >= AFTER:
            time.sleep(PER_EVENT)

    sink = CallbackSink()
    sink.on(kinds.MarketData, take)
    rest = IbkrClient(url=url + "/", cacert=ca)
    accounts = rest.receive_brokerage_accounts().data
    socket = IbkrWsClient(url=url.replace("https:", "wss:") + "/ws", ibkr_client=rest, cacert=ca,
                          account_id=accounts["accounts"][0], sink=sink)
    socket.start()
    wanted = [subscriptions.MarketDataSubscription(conid=str(c), fields=["31", "84", "86", "88", "85"])
              for c in INSTRUMENTS.values()]
    socket.wait_all([socket.subscribe(w) for w in wanted], timeout_each=20)
    time.sleep(events / RATE)
    for w in wanted:
        socket.unsubscribe(w)
    # Stopping throws away what waits, so it is let through first.
    before, deadline = -1, time.monotonic() + 60
    while taken != before and time.monotonic() < deadline:
        before = taken
        time.sleep(2)
    Path(output).write_text(json.dumps({"slow": {"delivered": taken, "dropped": 0}}))
    socket.shutdown()


def table(rows: list[dict]) -> None:
    print(f"{'policy':<22}{'sent':>8}{'slow got':>10}{'told lost':>11}{'untold':>8}{'%':>6}"
          f"{'fast lost':>11}{'p99 ms':>9}{'max ms':>9}{'pauses':>8}{'gaps':>6}")
    for row in rows:
        if "error" in row:
            print(f"{row['name']:<22}{row['sent']:>8}  {row['error']}")
            continue
        slow, fast = row["slow"], row.get("fast", [])
        untold = row["sent"] - slow["delivered"] - slow["dropped"]
        after = "end" if row.get("failed") else untold
        lost = max((row["sent"] - f["delivered"] for f in fast), default="-")
        p99 = max((f["p99_ms"] for f in fast), default="-")
        worst = max((f["max_ms"] for f in fast), default="-")
        share = 100 * (row["sent"] - slow["delivered"]) / max(1, row["sent"])
        print(f"{row['name']:<22}{row['sent']:>8}{slow['delivered']:>10}{slow['dropped']:>11}"
              f"{after:>8}{share:>6.0f}{lost:>11}{p99:>9}{worst:>9}{row.get('paused', '-'):>8}"
              f"{row.get('gaps', '-'):>6}")


def judge(checks: Checks, row: dict, events: int) -> None:
    name, slow, fast = row["name"], row.get("slow"), row.get("fast", [])
    if not checks.that(f"{name}: it ran", "error" not in row, row.get("error", "")):
        return
    checks.none(f"{name}: the connection held", row["losses"])
    checks.that(f"{name}: enough was sent", row["sent"] >= events, row["sent"])
    checks.none(f"{name}: the fast ones lost nothing",
                [f for f in fast if f["delivered"] != row["sent"] or f["dropped"]], len(fast))
    if not name.startswith("backpressure"):
        # Half of what the slow one stalls, on a machine that may be busy with other things.
        checks.none(f"{name}: the fast ones were not slowed",
                    [f for f in fast if f["p99_ms"] > 500 or f["max_ms"] > STALL * 500])
    checks.that(f"{name}: every loss is told in its place", row["misplaced"] is None,
                row["misplaced"] or "")
    told = slow["delivered"] + slow["dropped"]
    if name == "fail":
        checks.that("fail: it ended with an error", row["failed"] and told < row["sent"], told)
        return
    checks.that(f"{name}: delivered and told as lost are what was sent", told == row["sent"],
                f"{slow['delivered']} + {slow['dropped']} of {row['sent']}")
    if name == "backpressure":
        checks.that("backpressure: reading paused, and nothing was lost",
                    row["paused"] > 0 and slow["dropped"] == 0 and row["gaps"] == 0, row["paused"])
    elif name == "backpressure, 2 s":
        checks.that(f"{name}: the overflow gaps count what was lost",
                    row["gaps"] > 0 and row["lost_in_gaps"] == slow["dropped"] > 0,
                    f"{row['lost_in_gaps']} in {row['gaps']}")
    else:
        checks.that(f"{name}: it was too slow", slow["dropped"] > 0, slow["dropped"])


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ibkr")
    parser.add_argument("--program")
    parser.add_argument("--events", type=int, default=50_000)
    parser.add_argument("--client", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.client:
        client(*arguments.client, arguments.events)
        return
    checks = Checks(f"a slow subscriber: {arguments.events} events, stalls {STALL:.0f} s, then 1 ms each")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)

        async def dropping():
            return [await ours(arguments, folder / p, p, p, RATE, 10)
                    for p in ("dropOldest", "dropNewest", "latestPerInstrument", "fail")]

        async def pausing():
            return [await ours(arguments, folder / f"{seconds}", name, "backpressure",
                               RATE_UNDER_BACKPRESSURE, seconds)
                    for name, seconds in (("backpressure", 30), ("backpressure, 2 s", 2))]

        dropped, paused = await asyncio.gather(dropping(), pausing())
        rows = dropped + paused
        ibind = await theirs(arguments, folder / "ibind")
    for row in rows:
        judge(checks, row, arguments.events)
    checks.that("IBind ran beside", "error" not in ibind, ibind.get("error", ""))
    print()
    table(rows + [ibind])
    print()
    checks.finish()


if __name__ == "__main__":
    asyncio.run(main())
