# SPDX-License-Identifier: Apache-2.0
# This file is part of ibkr-stream.
"""IBind, unmodified, with OAuth against `ibkr simulate --oauth`; our signatures against IBind's."""

import argparse
import asyncio
import json
import os
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from harness.checks import Checks
from harness.program import Program
from harness.tampering import TamperingProxy
from ibind_client import FIELDS, sent

ROOT = Path(__file__).resolve().parents[2]
TICKLER = 2


def session(seconds: float, output: str):
    """The life of a session, in a process of its own with nothing but variables."""
    from ibind import CallbackSink, IbkrClient, IbkrWsClient, events, subscriptions

    seen, others, sink = [], [], CallbackSink()
    sink.on(events.MarketData, lambda e: seen.append((e.conid, e.data)))
    for kind in (events.IbkrError, events.GenericIbkrEvent, events.WsError):
        sink.on(kind, lambda e: others.append(repr(e)[:300]))
    rest = IbkrClient()
    began = time.monotonic()
    while not rest.authentication_status().data["established"] and time.monotonic() - began < 20:
        time.sleep(0.3)
    accounts = rest.receive_brokerage_accounts().data["accounts"]
    conids = [str(rest.stock_conid_by_symbol(s).data[s]) for s in ("AAPL", "MSFT")]
    socket = IbkrWsClient(ibkr_client=rest, account_id=accounts[0], sink=sink,
                          access_token=rest.oauth_config.access_token)
    started = socket.start()
    wanted = [subscriptions.MarketDataSubscription(conid=c, fields=FIELDS) for c in conids]
    failed = socket.wait_all([socket.subscribe(w) for w in wanted], timeout_each=20)
    time.sleep(seconds)
    for subscription in wanted:
        socket.unsubscribe(subscription)
    time.sleep(2)  # its sink throws away what is still queued when it stops
    socket.shutdown()
    Path(output).write_text(json.dumps({
        "started": started, "failed": len(failed), "accounts": accounts, "conids": conids,
        "seen": seen, "others": others,
    }))
    # The end of the process is the end of the session: IBind's own handler logs out.


def refused(what: str, times: int, output: str):
    """Logs in, or tickles, again and again; notes the status of each refusal."""
    from ibind import ExternalBrokerError, IbkrClient

    statuses = []
    rest = IbkrClient() if what == "tickle" else None
    for _ in range(times):
        try:
            statuses.append(rest.tickle() and 200 if rest else IbkrClient() and 200)
        except ExternalBrokerError as error:
            statuses.append(error.status_code)
    Path(output).write_text(json.dumps(statuses))


def variables(file: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in file.read_text().splitlines() if line)


async def ibind(environment: dict, *arguments, seconds: float) -> tuple[int | None, str]:
    """Runs one of the functions above with these variables and none of the caller's."""
    kept = {k: v for k, v in os.environ.items()
            if not k.startswith(("IBIND_", "IBKR_", "REQUESTS_")) and not k.lower().endswith("_proxy")}
    quiet = {"IBIND_LOG_TO_FILE": "false", "IBIND_LOG_LEVEL": "WARNING"}
    try:
        finished = await asyncio.to_thread(
            subprocess.run, [sys.executable, __file__, "--ibkr", "-", "--client", *map(str, arguments)],
            env=kept | quiet | environment, timeout=seconds, capture_output=True, text=True)
    except subprocess.TimeoutExpired as error:
        return None, str(error)
    return finished.returncode, finished.stdout + finished.stderr


def compare(checks: Checks, folder: Path, count: int, seed: int):
    """Our answers to random inputs against IBind's."""
    from oauth_inputs import Inputs

    inputs = Inputs(seed)
    pairs = [inputs.request() if i % 2 else inputs.token() for i in range(count)]
    asked, answered = folder / "inputs.ndjson", folder / "answers.ndjson"
    asked.write_text("".join(json.dumps(input) + "\n" for input, _ in pairs))
    run = subprocess.run(
        ["swift", "test", "--skip-build", "--disable-xctest", "--filter", "IBindComparisonTests"],
        cwd=ROOT, capture_output=True, text=True,
        env=os.environ | {"IBKR_OAUTH_INPUTS": str(asked), "IBKR_OAUTH_ANSWERS": str(answered)})
    if not checks.that("our side answered", run.returncode == 0 and answered.exists()):
        print((run.stdout + run.stderr)[-3000:])
        return
    answers = [json.loads(line) for line in answered.read_text().splitlines()]
    checks.that("an answer to each input", len(answers) == count, f"{len(answers)} of {count}")
    for kind, name in (("request", "base string, HMAC-SHA256, header"),
                       ("token", "RSA-SHA256, header, live session token")):
        found = [(i, theirs, ours) for (i, theirs), ours in zip(pairs, answers) if i["kind"] == kind]
        checks.none(f"no difference: {name}", [
            f"{input}: {ours} is not {theirs}" for input, theirs, ours in found if ours != theirs
        ], len(found))
    for name, number in inputs.classes.items():
        checks.that(f"shared secrets with: {name}", number >= count // 200, number)


async def live(checks: Checks, ibkr: str, folder: Path, seconds: int):
    """A whole session, checked on both sides."""
    keys, ledger, output = folder / "keys", folder / "ledger.ndjson", folder / "seen.json"
    async with Program(ibkr, "simulate", "--port", 0, "--oauth", "--credentials-out", keys,
                       "--seed", 11, "--ledger", ledger) as simulator:
        await simulator.line()
        modes = [oct(stat.S_IMODE((keys / n).stat().st_mode)) for n in
                 ("ibind.env", "private_encryption.pem", "private_signature.pem")]
        checks.that("keys and variables for the owner only", set(modes) == {"0o600"}, modes[0])
        environment = variables(keys / "ibind.env") | {"IBIND_TICKLER_INTERVAL": str(TICKLER)}
        code, log = await ibind(environment, "session", seconds, output, seconds=seconds + 90)
        checks.that("the simulator survived", simulator.running)
        await simulator.stop()
    if not checks.that("IBind ran to its end", code == 0 and output.exists(), code):
        print(log[-3000:])
        return
    seen = json.loads(output.read_text())
    checks.that("connected and subscribed", seen["started"] and seen["failed"] == 0)
    checks.none("no error event", seen["others"])
    checks.none("no complaint in IBind's log",
                [l for l in log.splitlines() if "|E|" in l or "|W|" in l or "Traceback" in l])
    truth = sent(ledger)
    for conid in seen["conids"]:
        got = [data for c, data in seen["seen"] if c == conid]
        checks.none(f"{conid}: what it saw is what was sent",
                    [f"{g} is not {w}" for g, w in zip(got, truth[conid]) if g != w], len(got))
        checks.that(f"{conid}: it saw all of it, and enough",
                    len(got) == len(truth[conid]) >= seconds / 2, len(truth[conid]))
    lines = [json.loads(line) for line in ledger.read_text().splitlines()]
    requests = [line for line in lines if line.get("kind") == "request"]
    order = [r["path"] for r in requests]
    checks.that("first the token, then the brokerage session",
                order[0] == "/oauth/live_session_token" and "/iserver/auth/ssodh/init" in order[:3],
                order[:3])
    times = [r["t_ms"] for r in requests if r["path"] == "/tickle"]
    checks.that("its Tickler tickled", len(times) >= seconds // TICKLER - 1, len(times))
    checks.that("the socket was let in", any(r["path"] == "/ws" and r["status"] == 101
                                             for r in requests))
    checks.that("it logged out in the end", order[-1] == "/logout", order[-1])
    checks.none("every request was let in",
                [r for r in requests if r["status"] not in (200, 101)], len(requests))


async def tampered(checks: Checks, ibkr: str, folder: Path, seed: int):
    """The same client behind a proxy that leaves its signatures alone, or not."""
    keys, ledger = folder / "keys", folder / "ledger.ndjson"
    async with Program(ibkr, "simulate", "--port", 0, "--oauth", "--credentials-out", keys,
                       "--ledger", ledger) as simulator:
        await simulator.line()
        async with TamperingProxy(folder / "proxy", keys / "ca.pem", seed) as proxy:
            environment = variables(keys / "ibind.env") | {
                "HTTPS_PROXY": proxy.url, "REQUESTS_CA_BUNDLE": str(proxy.ca),
                "IBIND_INIT_BROKERAGE_SESSION": "False", "IBIND_MAINTAIN_OAUTH": "False",
                "IBIND_SHUTDOWN_OAUTH": "False",
            }
            token = "/v1/api/oauth/live_session_token"
            for name, what, times, changes, wanted in (
                ("signatures left alone: let in", "tickle", 5, lambda path: False, 200),
                ("one bit of the RSA signature: refused", "login", 10, lambda path: path == token, 401),
                ("one bit of the HMAC: refused", "tickle", 40, lambda path: path != token, 401),
            ):
                proxy.changes, proxy.changed, proxy.passed = changes, [], []
                output = folder / f"{what}-{wanted}.json"
                code, log = await ibind(environment, what, times, output, seconds=120)
                statuses = json.loads(output.read_text()) if code == 0 else []
                if not checks.that(name, statuses == [wanted] * times,
                                   f"{statuses.count(wanted)} of {times}"):
                    print(log[-2000:])
                checks.that("  and the proxy did what it should",
                            len(proxy.changed) == (times if wanted == 401 else 0),
                            f"bits {[bit for _, bit in proxy.changed][:8]}")
        await simulator.stop()
    lines = [json.loads(line) for line in ledger.read_text().splitlines()]
    statuses = [line["status"] for line in lines if line.get("kind") == "request"]
    checks.that("the simulator counted the same", statuses == [200] * 6 + [401] * 10 + [200] + [401] * 40,
                len(statuses))


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ibkr", required=True)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--duration", type=int, default=30)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--client", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.client:
        what, number, output = arguments.client
        if what == "session":
            session(float(number), output)
        else:
            refused(what, int(number), output)
        return
    checks = Checks(f"IBind 0.2.2 with OAuth: {arguments.count} inputs, {arguments.duration} s, "
                    f"seed {arguments.seed}")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name in ("live", "tampered"):
            (folder / name).mkdir()
        compare(checks, folder, arguments.count, arguments.seed)
        await live(checks, arguments.ibkr, folder / "live", arguments.duration)
        await tampered(checks, arguments.ibkr, folder / "tampered", arguments.seed)
    checks.finish()


if __name__ == "__main__":
    asyncio.run(main())
