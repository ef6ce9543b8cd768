# SPDX-License-Identifier: Apache-2.0
# This file is part of ibkr-stream.
"""IBind, unmodified, against `ibkr simulate`: what it saw is what the simulator sent."""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from harness.checks import Checks
from harness.program import Program

# IBind's names of the ids that are subscribed here and of those that come unasked. It hides every
# other key (`_updated`, `conidEx`, `server_id`, `topic`).
NAMES = {
    "31": "last_price", "84": "bid_price", "86": "ask_price", "88": "bid_size", "85": "ask_size",
    "7059": "last_size", "87": "volume", "83": "change_percent", "6509": "market_data_availability",
    "6508": "service_params", "6119": "market_data_marker", "55": "symbol", "conid": None,
}
FIELDS = ["31", "84", "86", "88", "85", "7059", "87", "83", "6509"]


def client(url: str, ca: str, seconds: float, conids: list[str], output: str):
    """Runs in a process of its own, with IBind's settings in the environment."""
    from ibind import (CallbackSink, CompositeSink, IbkrClient, IbkrWsClient, QueueSink, events,
                       subscriptions)

    called, callback, queue = [], CallbackSink(), QueueSink()
    others = []
    callback.on(events.MarketData, lambda e: called.append((e.conid, e.data)))
    for kind in (events.IbkrError, events.GenericIbkrEvent, events.WsError):
        callback.on(kind, lambda e: others.append(repr(e)[:300]))
    rest = IbkrClient(url=url + "/", cacert=ca)
    found = {}
    for symbol in ("AAPL", "MSFT"):
        found[symbol] = rest.stock_conid_by_symbol(symbol).data[symbol]
    if [str(c) for c in conids] == ["symbols"]:
        conids = [str(c) for c in found.values()]
    status = rest.authentication_status().data
    accounts = rest.receive_brokerage_accounts().data
    socket = IbkrWsClient(
        url=url.replace("https:", "wss:") + "/ws", ibkr_client=rest, cacert=ca,
        account_id=accounts["accounts"][0], sink=CompositeSink(callback, queue),
    )
    started = socket.start()
    handles = [socket.subscribe(subscriptions.MarketDataSubscription(conid=c, fields=FIELDS))
               for c in conids]
    failed = socket.wait_all(handles, timeout_each=20)
    began, worked = time.monotonic(), True
    while time.monotonic() - began < seconds:
        time.sleep(0.25)
        worked = worked and socket.is_running() and socket.is_authenticated()
    tic = socket.tic()
    # Its sink throws away what is still queued when it stops, so it stops when the market rests.
    for c in conids:
        socket.unsubscribe(subscriptions.MarketDataSubscription(conid=c, fields=FIELDS))
    time.sleep(2)
    socket.shutdown()
    queued = []
    while (event := queue.get(events.MarketData)) is not None:
        queued.append((event.conid, event.data))
    Path(output).write_text(json.dumps({
        "started": started, "failed": len(failed), "worked": worked, "tic": repr(tic)[:80],
        "conids": conids, "symbols": found, "authenticated": status.get("authenticated"),
        "called": called, "queued": queued, "others": others,
    }))


def sent(ledger: Path) -> dict[str, list[dict]]:
    """The market data that the ledger says was sent, by conid, reduced to what IBind shows."""
    out = defaultdict(list)
    for line in ledger.read_text().splitlines():
        entry = json.loads(line)
        text = next((entry[k] for k in ("msg", "message", "payload", "text") if entry.get(k)), None)
        if text is None:
            continue
        try:
            message = json.loads(text) if isinstance(text, str) else text
        except ValueError:
            continue
        if not str(message.get("topic", "")).startswith("smd+") or "conid" not in message:
            continue
        out[str(message["conid"])].append(
            {NAMES[k]: v for k, v in message.items() if NAMES.get(k)})
    return out


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ibkr", required=True)
    parser.add_argument("--duration", type=int, default=60)
    parser.add_argument("--client", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.client:
        url, ca, output = arguments.client
        client(url, ca, arguments.duration, ["symbols"], output)
        return
    checks = Checks(f"IBind 0.2.2: {arguments.duration} s")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        ca, ledger, output = folder / "ca.pem", folder / "ledger.ndjson", folder / "seen.json"
        async with Program(arguments.ibkr, "simulate", "--port", 0, "--ca-out", ca, "--seed", 11,
                           "--ledger", ledger) as simulator:
            url = (await simulator.line()).removeprefix("listening ")
            environment = {k: v for k, v in os.environ.items() if not k.startswith("IBIND_")} | {
                "IBIND_LOG_TO_FILE": "false", "IBIND_LOG_LEVEL": "WARNING",
                "IBIND_AUTO_REGISTER_SHUTDOWN": "false",
            }
            try:
                finished = await asyncio.to_thread(
                    subprocess.run,
                    [sys.executable, __file__, "--ibkr", "-", "--duration", str(arguments.duration),
                     "--client", url, str(ca), str(output)],
                    env=environment, timeout=arguments.duration + 90, capture_output=True, text=True)
                code, log = finished.returncode, finished.stdout + finished.stderr
            except subprocess.TimeoutExpired as error:
                code, log = None, str(error)
            checks.that("the simulator survived", simulator.running)
            await simulator.stop()
        if not checks.that("IBind ran to its end", code == 0 and output.exists(), code):
            print(log[-3000:])
            checks.finish()
        seen = json.loads(output.read_text())
        complaints = [l for l in log.splitlines() if "|E|" in l or "|W|" in l or "Traceback" in l]
        checks.that("REST: conids by symbol, authenticated",
                    len(set(seen["symbols"].values())) == 2 and seen["authenticated"] is True,
                    seen["symbols"])
        checks.that("connected and subscribed", seen["started"] and seen["failed"] == 0)
        checks.that("authenticated all the time", seen["worked"])
        checks.none("no error event", seen["others"])
        checks.none("no complaint in IBind's log", complaints)
        truth = sent(ledger)
        checks.that("the ledger names both", set(seen["conids"]) <= set(truth), sorted(truth))
        for sink in ("called", "queued"):
            name = {"called": "CallbackSink", "queued": "QueueSink"}[sink]
            for conid in seen["conids"]:
                got = [data for c, data in seen[sink] if c == conid]
                # The last messages may still have been under way when IBind shut down.
                want = truth[conid][: len(got)]
                wrong = [f"{g} is not {w}" for g, w in zip(got, want) if g != w]
                missing = len(truth[conid]) - len(got)
                checks.none(f"{name} {conid}: what it saw is what was sent", wrong, len(got))
                checks.that(f"{name} {conid}: it saw all of it", missing == 0, f"{missing} missing")
                checks.that(f"{name} {conid}: enough of it", len(got) >= arguments.duration / 2, len(got))
    checks.finish()


if __name__ == "__main__":
    asyncio.run(main())
