# SPDX-License-Identifier: Apache-2.0
# This file is part of ibkr-stream.
"""How the commands end when they cannot start: exit code, one sentence, no secret, no remains."""

import argparse
import asyncio
import json
import re
import socket
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from harness.certificates import Certificates
from harness.checks import Checks
from harness.gateway import ACCOUNT, SESSION, Gateway, _stocks
from harness.program import Program


@dataclass
class Case:
    name: str
    code: int
    says: str  # a regular expression the sentence has to match, without regard to case
    gateway: dict = field(default_factory=dict)
    trust: str = "ca"  # ca, other, none
    symbols: tuple = ("AAPL",)
    url: str | None = None
    directory: str | None = None
    arguments: tuple = ()


def unauthorized(_):
    return web.Response(status=401, text="")


def not_a_socket(_):
    return web.Response(status=200, content_type="text/html", text="<html>Client login</html>")


def ambiguous(_):
    return web.json_response({"AAPL": [
        {"name": "APPLE INC", "chineseName": None, "assetClass": "STK", "contracts": [
            {"conid": 265598, "exchange": "NASDAQ", "isUS": True},
            {"conid": 38708077, "exchange": "ARCA", "isUS": True}]},
        {"name": "LS 1X AAPL", "chineseName": None, "assetClass": "STK", "contracts": [
            {"conid": 493546048, "exchange": "LSEETF", "isUS": True}]}]})


def unknown(_):
    return web.json_response({"AAPL": []})


def logged_out(_):
    return web.json_response({"authenticated": False, "established": False, "competing": False,
                              "connected": False, "MAC": None})


CASES = [
    Case("certificate of an unknown authority", 4, r"certificate.*(pin.*CA|CA.*pin)", trust="none"),
    Case("certificate of another authority", 4, r"certificate", trust="other"),
    Case("certificate for another host", 4, r"(host|name|127\.0\.0\.1)",
         gateway={"names": ("gateway.example",)}),
    Case("a pin that does not match", 4, r"pin", trust="pin"),
    Case("refused port", 4, r"refused", url="refused"),
    Case("a host that does not exist", 4, r"(resolve|look|name)",
         url="https://no-such-host.invalid/v1/api"),
    Case("an HTTP answer instead of an upgrade", 4, r"(upgrade|WebSocket|101)",
         gateway={"overrides": {"ws": not_a_socket}}),
    Case("401 from tickle", 3, r"(log ?in|401|session)", gateway={"overrides": {"tickle": unauthorized}}),
    Case("401 from everything", 3, r"(log ?in|401|session)", gateway={"overrides": {
        p: unauthorized for p in ("tickle", "iserver/auth/status", "iserver/accounts",
                                  "trsrv/stocks", "iserver/secdef/search", "ws")}}),
    Case("waiting for session", 3, r"(log ?in|session)",
         gateway={"greeting": [b'{"message":"waiting for session"}']}),
    Case("an unknown symbol", 2, r"NOSUCH", symbols=("NOSUCH",)),
    Case("an unknown symbol, answered with an empty list", 2, r"AAPL",
         gateway={"overrides": {"trsrv/stocks": unknown, "iserver/secdef/search":
                                lambda _: web.json_response({"error": "No symbol found"})}}),
    Case("an ambiguous symbol", 2, r"(?s)(?=.*265598)(?=.*(38708077|493546048))",
         gateway={"overrides": {"trsrv/stocks": ambiguous}}),
    Case("a directory below a file", 7, r"(director|create|write)", directory="file/data"),
    Case("a directory that nobody may write to", 7, r"(director|create|write|permission)",
         directory="/proc/1/no-such-data"),
    Case("a gateway URL that is none", 2, r"(URL|gateway)", url="localhost:5000"),
    Case("a gateway URL with a password", 2, r"(URL|user|gateway)", url="https://me:secret@localhost:5000/v1/api"),
    Case("no symbol at all", 2, r"(symbol|usage)", symbols=()),
    Case("an option that does not exist", 2, r"(?i)unknown option|unexpected", arguments=("--no-such",)),
    Case("a duration that is none", 2, r"duration", arguments=("--duration", "soon")),
    Case("a CA file that is not there", 2, r"(no-such|CA|file)", trust="missing"),
]
# What people type, the exit code, and exactly what they are told: the first lines of standard error.
# Needs no server but --simulate. `…` stands for anything.
MISTAKES = [
    ("recrod AAPL", 2, "Error: there is no command ibkr recrod: did you mean ibkr record?"),
    ("AAPL", 2, "Error: there is no command ibkr AAPL: did you mean ibkr stream AAPL?"),
    ("auth chekc", 2, "Error: there is no command ibkr auth chekc: did you mean ibkr auth check?"),
    ("record AAPL", 2, "Error: Missing expected argument '--output <dir>'\n"
     "Help:  -o <dir>  The directory to record into; it is created if missing."),
    ("record -o data", 2, "Error: name at least one symbol or conid, or a file of them with -f"),
    ("record AAPL -o data --duraton 5s", 2,
     "Error: Unknown option '--duraton'. Did you mean '--duration'?"),
    ("record AAPL -o data --duration soon", 2,
     "Error: The value 'soon' is invalid for '--duration <duration>'\n"
     "Help:  --duration <duration>  End after so long, as 60s, 15m or 8h."),
    ("record AAPL -o data --keep 90days", 2, "Error: The value '90days' is invalid for '--keep <limit>'\n"
     "Help:  --keep <limit>  Remove sealed parts that are older, or the oldest above so many bytes: "
     "90d, 500GB, 90d,500GB."),
    ("stream AAPL --channels quotes", 2, "Error: The value 'quotes' is invalid for '--channels "
     "<channel,…>': there is no channel 'quotes': did you mean quote?"),
    ("stream AAPL --fields bid_prize", 2, "Error: The value 'bid_prize' is invalid for '--fields "
     "<fields>': there is no field 'bid_prize': did you mean bid_price?"),
    ("stream AAPL --region asai", 2, "Error: The value 'asai' is invalid for '--region <region>'. "
     "Please provide one of 'america', 'europe' or 'asia'."),
    ("stream MFST --simulate", 2,
     "Error: no instrument is called MFST: did you mean MSFT (MICROSOFT CORP)?\n"
     "Next: to find it by name: ibkr search TEXT --simulate"),
    ("stream WALMART --simulate", 2,
     "Error: no instrument is called WALMART: did you mean WMT (WALMART INC)?\n"
     "Next: to find it by name: ibkr search TEXT --simulate"),
    ("stream BRK.B --simulate", 2, "Error: no instrument is called BRK.B: did you mean 'BRK B' "
     "(BERKSHIRE HATHAWAY INC-CL B)?\nNext: to find it by name: ibkr search TEXT --simulate"),
    ("stream ES --simulate", 2, "Error: no instrument is called ES: ES has futures: did you mean ES…?\n"
     "Next: to find it by name: ibkr search TEXT --simulate"),
    ("stream USD.EUR --simulate", 2, "Error: no instrument is called USD.EUR: did you mean EUR.USD?\n"
     "Next: to find it by name: ibkr search TEXT --simulate"),
    ("stream AAPL@ARCA --simulate", 2, "Error: no instrument is called AAPL@ARCA: did you mean "
     "AAPL@NASDAQ (APPLE INC), AAPL@MEXI (APPLE INC)? For the data of ARCA alone write 265598@ARCA\n"
     "Next: to find it by name: ibkr search TEXT --simulate"),
    ("stream SAN --simulate", 2, "Error: 2 instruments are called SAN; write one of these instead:\n"
     "symbol   type  exchange  currency  multiplier      conid  name\n"
     "SAN@BM   STK   BM        EUR                   900000001  BANCO SANTANDER SA\n"
     "SAN@SBF  STK   SBF       EUR                   900000002  SANOFI"),
    ("stream A+B", 2, "Error: 'A+B' is neither a symbol nor a conid: write AAPL, AAPL@NASDAQ, EUR.USD, "
     "ESZ6@CME, SPX, AAPL261218C00250000, or a conid as 265598"),
    ("stream -f nofile", 2,
     "Error: cannot read the file of symbols 'nofile': is it there, and a file?"),
    ("stream -f list.txt", 2, "Error: list.txt, line 3: 'AAPL MSFT' is neither a symbol nor a conid: "
     "write AAPL, AAPL@NASDAQ, EUR.USD, ESZ6@CME, SPX, AAPL261218C00250000, or a conid as 265598"),
    ("stream AAPL --gateway localhost:5000", 78, "Error: the URL is malformed; it must read "
     "scheme://host[:port][/path] (the server's address): write it as https://localhost:5000/v1/api\n"
     "Next: to see what is in effect, and from where: ibkr config show"),
    ("stream AAPL --simulate --insecure", 2,
     "Error: --simulate brings its own gateway: leave the other options out"),
    ("stream AAPL --ca missing.pem", 2, "Error: cannot read the CA file 'missing.pem': is it there?"),
    ("stream AAPL --oauth", 78, "Error: OAuth 1.0a lacks IBIND_OAUTH1A_ACCESS_TOKEN, …: set what is "
     "missing, or unset IBIND_USE_OAUTH to use a gateway\n"
     "Next: to make keys: ibkr auth setup; to check them: ibkr auth check"),
    ("record AAPL --simulate -o list.txt/data", 7, "Error: cannot create list.txt/data: Not a "
     "directory\nNext: to see what is wrong: ibkr doctor --offline -o list.txt/data"),
    ("verify nowhere", 7, "Error: cannot open nowhere: No such file or directory\n"
     "Next: give the directory that ibkr record -o has written"),
    ("stats", 2, "Error: Missing expected argument '<path>'\nHelp:  <path>  The recording's directory."),
    ("fields zzz", 2, "Error: no field has 'zzz' in its number, name or meaning"),
    ("search zzz --simulate", 2,
     "Error: nothing has 'zzz' as its symbol or in its name: try a shorter part of the name"),
    ("config init list.txt", 2, "Error: list.txt is there already: look at it with ibkr config check, or "
     "replace it with --force"),
    ("config check", 2, "Error: there is neither ibkr.json nor …/ibkr/config.json: ibkr config init makes "
     "a file"),
    ("record --config nofile", 2, "Error: cannot read the configuration 'nofile': is it there? ibkr "
     "config init makes one"),
    ("record AAPL --config unknown.json", 78, "Error: unknown.json:2: record.rotat means nothing: did "
     "you mean rotate?\nNext: to try it again: ibkr config check"),
    ("record AAPL --config secret.json", 78, "Error: secret.json:2: IBIND_OAUTH1A_ACCESS_TOKEN is a "
     "secret, which does not belong into this file: write it into a file of its own, chmod 600, and "
     "name that with IBKR_OAUTH1A_ACCESS_TOKEN_FILE\nNext: to try it again: ibkr config check"),
    ("record -o data --simulate --config value.json", 78, "Error: value.json:3: record.duration: The "
     "value 'soon' is invalid for '--duration <duration>'\nNext: to try it again: ibkr config check"),
    ("stream AAPL --csv --json", 2,
     "Error: --table, --json, --csv and --raw exclude each other: choose one"),
    ("stream AAPL --csv --channels quote,gap", 2,
     "Error: --csv has the columns of one channel: name it, as --channels quote"),
    ("stream AAPL --raw --channels quote", 2,
     "Error: --raw prints messages and no other channel: leave --channels out"),
    ("stream AAPL --table --feeds order", 2,
     "Error: --table shows quotes: leave --channels and --feeds out, or use --json"),
    ("record AAPL -o data --until noon", 2, "Error: The value 'noon' is invalid for '--until <time>'\n"
     "Help:  --until <time>  End at a time: 16:00, 16:00@America/New_York or 2026-11-28T21:00:00Z."),
    ("stream AAPL --simulate --until 16:00@../etc/passwd", 2,
     "Error: '../etc/passwd' is no time zone: write one as America/New_York"),
    ("top --url ftp://127.0.0.1", 2, "Error: 'ftp://127.0.0.1' is no address of a recorder: write what "
     "its --metrics says, as http://127.0.0.1:9464"),
    ("top --url 127.0.0.1:1", 4, "Error: no recorder answers at http://127.0.0.1:1: nothing listens "
     "there\nNext: to let it answer: ibkr record SYMBOL -o DIR --metrics 127.0.0.1:1; another one: ibkr "
     "top --url"),
    ("simulate --scenario silent", 2,
     "Error: there is no scenario and no file 'silent': did you mean silence?"),
]
# `usage` faults of the command line; the codes 2 and 64 mean the same to a shell user, 78 is the
# one for configuration.
ALLOWED = {"a CA file that is not there": (1, 2, 4, 78), "a gateway URL that is none": (2, 78),
           "a gateway URL with a password": (2, 78)}


def remains(data: Path) -> list[str]:
    """Files whose last line is cut, or that are not NDJSON."""
    problems = []
    for path in data.rglob("*.ndjson") if data.is_dir() else []:
        content = path.read_bytes()
        if content and not content.endswith(b"\n"):
            problems.append(f"{path}: half a line")
        for line in content.splitlines():
            try:
                json.loads(line)
            except ValueError:
                problems.append(f"{path}: {line[:80]!r}")
    return problems


def sentence(errors: str) -> str:
    """The error itself: what stands after the log lines of a start."""
    lines = [l for l in errors.splitlines() if re.match(r"(?i)(ibkr: )?error:", l.strip())]
    return lines[-1] if lines else ""


async def run(case: Case, arguments, folder: Path, checks: Checks):
    folder.mkdir()
    (folder / "file").write_text("")
    data = Path(folder / (case.directory or "data"))
    async with Gateway(folder / "gateway", **case.gateway) as gateway:
        trust = {
            "ca": ("--ca", gateway.ca), "none": (),
            "other": ("--ca", Certificates(folder / "other").ca) if case.trust == "other" else (),
            "pin": ("--pin", "sha256/" + "A" * 43 + "="),
            "missing": ("--ca", folder / "no-such.pem"),
        }[case.trust]
        url = case.url or gateway.url
        if url == "refused":
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                url = f"https://127.0.0.1:{probe.getsockname()[1]}/v1/api"
        async with Program(arguments.ibkr, "record", *case.symbols, "--gateway", url, *trust,
                           "-o", data, "--duration", "20s", *case.arguments) as recorder:
            code = await recorder.wait(35)
            errors = recorder.errors()
    said = sentence(errors)
    allowed = ALLOWED.get(case.name, (case.code,))
    problems = []
    if code not in allowed:
        problems.append(f"exit code {code}, not {' or '.join(map(str, allowed))}")
    if not said:
        problems.append("no line that begins with 'error:'")
    elif not re.search(case.says, errors, re.I):
        problems.append(f"does not say {case.says}")
    if leaked := [s for s in (SESSION, ACCOUNT, "me:secret", "username1") if s in errors]:
        problems.append(f"shows a secret: {leaked}")
    if len(errors.splitlines()) > 25:
        problems.append(f"{len(errors.splitlines())} lines of errors")
    problems += remains(data)
    if not checks.that(case.name, not problems, f"{code}  {said[:150]}"):
        print(*(f"          {p}" for p in problems), sep="\n")
        print("          " + errors[-1500:].replace("\n", "\n          "))


async def mistake(line: str, code: int, says: str, arguments, folder: Path, checks: Checks):
    """What is typed, and the first lines that come of it, word by word."""
    async with Program(arguments.ibkr, *line.split(), directory=folder) as program:
        ended = await program.wait(35)
        said = program.errors()
    lines = said.splitlines()[:says.count("\n") + 1]
    wanted = ".*".join(map(re.escape, says.split("…")))
    if not checks.that(f"ibkr {line}", ended == code
                       and re.fullmatch(wanted, "\n".join(lines)) is not None, f"{ended}"):
        print("          " + said[:1500].replace("\n", "\n          "))


async def taken_over(arguments, folder: Path, checks: Checks):
    """Another login takes the session: with --exit-on-takeover that ends the recording, in good order."""
    folder.mkdir()
    scenario = folder / "scenario.ndjson"
    scenario.write_text('{"after":"2s","fault":"competing-login","for":"60s"}\n')
    async with Program(arguments.ibkr, "simulate", "--ca-out", folder / "ca.pem",
                       "--scenario", scenario) as gateway:
        url = (await gateway.line()).removeprefix("listening ")
        async with Program(arguments.ibkr, "record", "AAPL", "--gateway", url, "--ca", folder / "ca.pem",
                           "-o", folder / "data", "--exit-on-takeover", "--duration", "30s") as recorder:
            code = await recorder.wait(40)
            said = sentence(recorder.errors())
    checks.that("another login, with --exit-on-takeover", code == 8 and "--exit-on-takeover" in said
                and not remains(folder / "data"), f"{code}  {said[:150]}")


async def given_up(arguments, folder: Path, checks: Checks):
    """The gateway goes and stays away: with --max-outage that ends the recording, in good order."""
    folder.mkdir()
    async with Program(arguments.ibkr, "simulate", "--ca-out", folder / "ca.pem") as gateway:
        url = (await gateway.line()).removeprefix("listening ")
        async with Program(arguments.ibkr, "record", "AAPL", "--gateway", url, "--ca", folder / "ca.pem",
                           "-o", folder / "data", "--max-outage", "2s", "--duration", "60s") as recorder:
            for _ in range(100):
                if "streams" in recorder.errors():
                    break
                await asyncio.sleep(0.1)
            await gateway.stop()
            code = await recorder.wait(40)
            said = sentence(recorder.errors())
    checks.that("an outage longer than --max-outage", code == 4 and "--max-outage" in said
                and not remains(folder / "data"), f"{code}  {said[:150]}")


async def in_use(arguments, folder: Path, checks: Checks):
    """Two recorders on one directory: the second ends with code 7, the first goes on."""
    folder.mkdir()
    async with Gateway(folder / "gateway") as gateway:
        command = ("record", "AAPL", "--gateway", gateway.url, "--ca", gateway.ca, "-o", folder / "data")
        async with Program(arguments.ibkr, *command) as first:
            for _ in range(100):
                if gateway.connections and gateway.connections[0].commands:
                    break
                await asyncio.sleep(0.1)
            async with Program(arguments.ibkr, *command, "--duration", "5s") as second:
                code = await second.wait(20)
                said = sentence(second.errors())
            checks.that("a directory already in use", code == 7 and first.running
                        and re.search(r"(in use|another|lock|record)", said, re.I) is not None,
                        f"{code}  {said[:150]}")
            checks.that("its first recorder goes on and ends with code 0", await first.stop() == 0)


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ibkr", required=True)
    arguments = parser.parse_args()
    checks = Checks("bad input")
    assert _stocks("AAPL")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "mistakes"
        folder.mkdir()
        (folder / "list.txt").write_text("# mine\nAAPL\nAAPL MSFT\n")
        (folder / "unknown.json").write_text('{"record": {\n"rotat": "1h"}}')
        (folder / "secret.json").write_text('{"variables": {\n"IBIND_OAUTH1A_ACCESS_TOKEN": "1"}}')
        (folder / "value.json").write_text('{"record": {\n"symbols": ["AAPL"],\n"duration": "soon"}}')
        for line, code, says in MISTAKES:
            await mistake(line, code, says, arguments, folder, checks)
        for number, case in enumerate(CASES):
            await run(case, arguments, Path(temporary) / str(number), checks)
        await taken_over(arguments, Path(temporary) / "taken-over", checks)
        await given_up(arguments, Path(temporary) / "given-up", checks)
        await in_use(arguments, Path(temporary) / "in-use", checks)
    checks.finish()


if __name__ == "__main__":
    asyncio.run(main())
