# SPDX-License-Identifier: Apache-2.0
# This file is part of ibkr-stream.
"""Plants keys, tokens, a session and an account, lets the commands work, fail and crash with them,
and looks for each in everything that was printed or written."""

import argparse
import asyncio
import json
import signal
import tempfile
from pathlib import Path

from aiohttp import web

from harness.checks import Checks
from harness.gateway import ACCOUNT, SESSION, Gateway
from harness.oauth import User
from harness.program import Program

# Whatever the server names in these is not to be repeated.
USER = b"username1"
HARDWARE = b"06:59:AE:5B:4F:D1"
COMMANDS = ("record", "stream", "simulate", "auth", "auth setup", "auth check", "auth status",
            "auth logout", "doctor", "config", "config show")
QUOTE = ('{"server_id":"q0","conidEx":"265598","conid":265598,"_updated":%d,"6119":"q0",'
         '"31":"270.90","84":"270.88","86":"270.99","6509":"RpB","topic":"smd+265598"}')


async def play(connection):
    """Quotes, and an error that names what an error should not."""
    await connection.commands_match(lambda c: any(x.startswith("smd") for x in c))
    for number in range(200):
        await connection.send([(QUOTE % (1_777_120_377_000 + number)).encode()])
        await asyncio.sleep(0.05)
    await connection.send([json.dumps({"topic": "error", "error": f"no rights for {ACCOUNT}"}).encode()])


class Plant:
    """One server, one user, and the outputs of all programs that have met them."""

    def __init__(self, arguments, folder: Path):
        self.arguments, self.folder = arguments, folder
        self.user = User(folder / "keys")
        self.outputs: dict[str, bytes] = {}
        self.codes: dict[str, int | None] = {}
        self.trouble = None

    def overrides(self):
        answers = {
            "oauth/live_session_token": self.user.answer,
            "iserver/auth/ssodh/init": lambda _: web.json_response(
                {"passed": True, "authenticated": True, "connected": True, "established": True,
                 "competing": False, "hardware_info": "30df22d8|06:59:AE:5B:4F:D1"}),
            "iserver/marketdata/snapshot": lambda _: web.json_response(
                [{"conid": 265598, "conidEx": "265598", "6509": "RpB", "31": "270.90"}]),
            "logout": lambda _: web.json_response({"status": True}),
        }
        return {path: self.guarded(answer) for path, answer in answers.items()}

    def guarded(self, answer):
        def respond(request):
            return self.trouble(request) if self.trouble else answer(request)
        return respond

    async def run(self, name: str, *command, gateway: Gateway, seconds=25.0, end=None, changes=None):
        """Runs `ibkr`, to its end or until a signal after some seconds; keeps what it says."""
        environment = self.user.environment(gateway.url, gateway.ca) | {
            "IBIND_ACCOUNT_ID": ACCOUNT, "SWIFT_BACKTRACE": "enable=yes,color=no,interactive=no",
        } | (changes or {})
        async with Program(self.arguments.ibkr, *command, environment=environment) as program:
            reading = asyncio.create_task(program.process.stdout.read())
            if end:
                number, after = end
                await asyncio.sleep(after)
                program.process.send_signal(number)
                # The first one is reported, and did not come from a fault: it is survived.
                if await program.wait(5) is None:
                    program.process.send_signal(number)
            self.codes[name] = await program.wait(seconds)
            if self.codes[name] is None:
                program.process.kill()
            self.outputs[f"{name}, stdout"] = await reading
            self.outputs[f"{name}, stderr"] = program.errors().encode()

    def leaks(self, secret: bytes) -> list[str]:
        found = [name for name, output in self.outputs.items() if secret in output]
        for path in (self.folder / "out").rglob("*"):
            if path.is_file() and (secret in path.read_bytes() or secret.decode("latin1") in str(path)):
                found.append(str(path.relative_to(self.folder)))
        return found


def says_everything(plant: Plant):
    """An answer that names all that it knows, as IBKR's do now and then."""
    user = plant.user
    return lambda _: web.json_response({
        "error": f"id: 118871, error: LST failed, error: No access secret key found for "
                 f"{user.token} {user.encrypted} {SESSION} {ACCOUNT} {user.plain.hex()}",
        "statusCode": 401}, status=401)


async def work(plant: Plant, seconds: int):
    """The commands as they are meant to be used, everything logged."""
    out = plant.folder / "out"
    async with Gateway(plant.folder / "gateway", play, overrides=plant.overrides()) as gateway:
        async def run(name, *command, **more):
            await plant.run(name, *command, gateway=gateway, **more)
        trace = ("--log-level", "trace")
        # What is compressed would hide everything from the search.
        await run("record", "record", "AAPL", "--compress", "none", "-o", out / "record",
                  "--duration", f"{seconds}s", *trace)
        await run("stream", "stream", "AAPL", "--channels", "raw,quote,gap", "--duration",
                  f"{seconds}s", *trace)
        await run("doctor", "doctor", "-o", out / "none", *trace)
        await run("doctor --json", "doctor", "--json")
        await run("doctor --offline", "doctor", "--offline")
        await run("auth check", "auth", "check")
        await run("auth status", "auth", "status", "--json", *trace)
        await run("auth logout", "auth", "logout", *trace)
        await run("config show", "config", "show")
        await run("config show --json", "config", "show", "--json")
        for command in COMMANDS:
            await run(f"{command} --help", *command.split(), "--help")
        await run("crash", "record", "AAPL", "-o", out / "crash", *trace,
                  end=(signal.SIGSEGV, seconds))
        await run("abort", "record", "AAPL", "-o", out / "abort", *trace,
                  end=(signal.SIGABRT, seconds))


async def fail(plant: Plant):
    """The commands as they fail."""
    out = plant.folder / "out"
    async with Gateway(plant.folder / "gateway2", overrides=plant.overrides()) as gateway:
        async def run(name, *command, **more):
            await plant.run(name, *command, gateway=gateway, **more)
        record = ("record", "AAPL", "--log-level", "trace", "--duration", "5s")
        plant.trouble = says_everything(plant)
        await run("refused login", *record, "-o", out / "refused")
        await run("refused login, doctor", "doctor", "--log-level", "trace")
        plant.trouble = None
        await run("untrusted", *record, "-o", out / "untrusted", changes={"IBIND_CACERT": ""})
        await run("unreachable", *record, "-o", out / "unreachable", changes={
            "IBIND_OAUTH1A_REST_URL": f"https://127.0.0.1:1/v1/api/?x={plant.user.token}"})
        await run("a URL that is none", *record, "-o", out / "url", changes={
            "IBIND_OAUTH1A_WS_URL": f"https://{plant.user.token}@127.0.0.1/"})
        swapped = plant.user.environment(gateway.url, gateway.ca)
        await run("swapped keys, doctor", "doctor", changes={
            "IBIND_OAUTH1A_ENCRYPTION_KEY_FP": swapped["IBIND_OAUTH1A_SIGNATURE_KEY_FP"],
            "IBIND_OAUTH1A_SIGNATURE_KEY_FP": swapped["IBIND_OAUTH1A_ENCRYPTION_KEY_FP"]})
        await run("swapped tokens, check", "auth", "check", changes={
            "IBIND_OAUTH1A_ACCESS_TOKEN": plant.user.encrypted,
            "IBIND_OAUTH1A_ACCESS_TOKEN_SECRET": plant.user.token})
        await run("keys in the variables, check", "auth", "check", changes={
            "IBIND_OAUTH1A_ENCRYPTION_KEY": plant.user.pems["encryption"],
            "IBIND_OAUTH1A_SIGNATURE_KEY": plant.user.pems["signature"].replace("\n", "\\n")})
        await run("keys in the wrong variables", "config", "show", changes={
            "IBIND_OAUTH1A_DH_PRIME": plant.user.pems["signature"]})


async def simulate(plant: Plant, seconds: int, ledger: Path) -> list[bytes]:
    """The simulator as server: its ledger, log and output. Returns its user's secrets."""
    out, keys = plant.folder / "out", plant.folder / "simulated"
    command = ("simulate", "--oauth", "--credentials-out", keys, "--ledger", ledger,
               "--log-level", "trace")
    async with Program(plant.arguments.ibkr, *command) as simulator:
        plant.outputs["simulate, stdout"] = (await simulator.line()).encode()
        lines = (keys / "ibind.env").read_text().splitlines()
        variables = dict(line.split("=", 1) for line in lines if "=" in line)
        async with Program(plant.arguments.ibkr, "record", "AAPL", "-o", out / "simulated",
                           "--duration", f"{seconds}s", "--log-level", "trace",
                           environment=variables) as recorder:
            plant.codes["record, simulated"] = await recorder.wait(seconds + 20)
            plant.outputs["record, simulated, stderr"] = recorder.errors().encode()
        plant.codes["simulate"] = await simulator.stop()
        plant.outputs["simulate, stderr"] = simulator.errors().encode()
    pems = [path.read_text().splitlines()[1:-1] for path in keys.glob("private_*.pem")]
    tokens = [variables["IBIND_OAUTH1A_ACCESS_TOKEN"], variables["IBIND_OAUTH1A_ACCESS_TOKEN_SECRET"]]
    return [text.encode() for text in [*tokens, *(x for pem in pems for x in pem if len(x) >= 32)]]


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ibkr", required=True)
    parser.add_argument("--seconds", type=int, default=5, help="how long the long commands work")
    arguments = parser.parse_args()
    checks = Checks("planted secrets")
    with tempfile.TemporaryDirectory() as temporary:
        plant = Plant(arguments, Path(temporary))
        await work(plant, arguments.seconds)
        await fail(plant)
        ledger = Path(temporary) / "ledger.ndjson"
        simulated = await simulate(plant, arguments.seconds, ledger)
        # What is to be looked through must be there, and the secrets must have been in use.
        wanted = {"record": 0, "stream": 0, "doctor": 0, "doctor --json": 0, "doctor --offline": 0,
                  "auth check": 0, "auth status": 0, "auth logout": 0, "config show": 0,
                  "crash": -11, "abort": -6, "refused login": 3, "refused login, doctor": 3,
                  "untrusted": 4, "unreachable": 4, "a URL that is none": 78,
                  "swapped keys, doctor": 78, "swapped tokens, check": 78,
                  "keys in the variables, check": 0, "record, simulated": 0, "simulate": 0}
        for name, code in wanted.items():
            said = plant.outputs.get(f"{name}, stderr", b"").decode(errors="replace").strip()
            if not checks.that(f"{name} ends as it should", plant.codes[name] == code,
                               plant.codes[name]):
                print("          " + said[-1500:].replace("\n", "\n          "))
        raw = b"".join(p.read_bytes() for p in (plant.folder / "out").rglob("ch=raw/**/*.ndjson"))
        checks.that("the recording has the messages that held secrets",
                    raw.count(b"<redacted>") > 2 and b"acct-1" in raw, f"{len(raw)} bytes")
        checks.that("live session tokens were given", len(plant.user.live_session_tokens) > 5,
                    len(plant.user.live_session_tokens))
        log = plant.outputs["record, stderr"]
        checks.that("the log at trace level says something", b"debug" in log or b"trace" in log)
        checks.that("a crash is reported", b"crashed" in plant.outputs["crash, stderr"].lower()
                    or b"signal" in plant.outputs["crash, stderr"].lower())
        planted = plant.user.planted() | {
            "session": SESSION.encode(), "account": ACCOUNT.encode(), "user name": USER,
            "hardware address": HARDWARE,
        }
        planted |= {f"the simulator's {n}": secret for n, secret in enumerate(simulated)}
        checks.that("what is there is found", plant.leaks(b"smd+265598"), "smd+265598")
        # The ledger has what was sent, the simulated account in it; no key or token ever is.
        sent = ledger.read_bytes()
        checks.that("the simulator's ledger has no key and no token of its user",
                    b"smd+265598" in sent and not any(s in sent for s in simulated),
                    f"{len(sent)} bytes")
        size = sum(map(len, plant.outputs.values()))
        for name, secret in planted.items():
            if found := plant.leaks(secret):
                checks.that(f"{name} is found nowhere", False, found)
        checks.that(f"{len(planted)} secrets are in none of {len(plant.outputs)} outputs",
                    not any(plant.leaks(s) for s in planted.values()), f"{size} bytes, and files")
    checks.finish()


if __name__ == "__main__":
    asyncio.run(main())
