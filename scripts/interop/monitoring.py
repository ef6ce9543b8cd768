# SPDX-License-Identifier: Apache-2.0
# This file is part of ibkr-stream.
"""What a recorder tells of itself to Prometheus and systemd."""

import argparse
import asyncio
import contextlib
import json
import os
import re
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from harness.checks import Checks
from harness.program import Program

# Quick enough for a test: a mute connection is given up after some seconds.
IMPATIENT = {"IBIND_WS_PING_INTERVAL": "3", "IBIND_WS_MAX_PING_INTERVAL": "12"}


# After how many seconds without a sign of life the stand-in for systemd would end the process.
WATCHDOG = 6


def get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return 0, ""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def until(condition, seconds: float):
    """The first true value of a condition, asked again and again; None when it never was."""
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        value = await asyncio.to_thread(condition)
        if value:
            return value
        await asyncio.sleep(0.3)
    return None


class Manager:
    """Listens where systemd would."""

    def __init__(self, path: Path):
        self.path = str(path)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.setblocking(False)
        self.heard = []

    def listen(self) -> list[tuple[float, str]]:
        with contextlib.suppress(BlockingIOError):
            while True:
                self.heard.append((time.monotonic(), self.socket.recv(4096).decode()))
        return self.heard

    def signs(self) -> int:
        return sum("WATCHDOG=1" in text for _, text in self.listen())


    def silence(self) -> float:
        """Seconds since the last sign of life."""
        return time.monotonic() - max((at for at, text in self.listen() if "WATCHDOG=1" in text),
                                      default=time.monotonic())


class Recorder:
    """A simulated gateway in a process of its own, and a recorder that answers questions."""

    def __init__(self, stack, ibkr, folder: Path, name: str):
        self.stack, self.ibkr, self.name = stack, ibkr, name
        self.folder = folder / name
        self.folder.mkdir()

    async def start(self, scenario: str, *simulate, symbols=("AAPL", "MSFT"), environment=None):
        faults = self.folder / "faults"
        faults.write_text(scenario)
        gateway = await self.stack.enter_async_context(Program(
            self.ibkr, "simulate", "--ca-out", self.folder / "ca.pem", "--scenario", faults, *simulate))
        url = (await gateway.line()).removeprefix("listening ")
        self.program = await self.stack.enter_async_context(Program(
            self.ibkr, "record", *symbols, "--gateway", url, "--ca", self.folder / "ca.pem",
            "-o", self.folder / "data", "--metrics", ":0",
            environment=IMPATIENT | (environment or {})))
        found = await until(
            lambda: re.search(r"answering (http://[0-9.:]+)/metrics", self.program.errors()), 60)
        assert found, self.program.errors()
        self.url = found[1]
        return self

    def metrics(self) -> dict[str, float]:
        lines = (l.rsplit(" ", 1) for l in get(self.url + "/metrics")[1].splitlines()
                 if l and not l.startswith("#"))
        return {name: float(value) for name, value in lines}

    def status(self) -> dict:
        return json.loads(get(self.url + "/status")[1])


def check_unit(checks: Checks, ibkr: str, folder: Path):
    unit = folder / "ibkr.service"
    unit.write_text(subprocess.run([ibkr, "service", "print", "record", "AAPL", "-o", "data", "--wait"],
                                   capture_output=True, text=True, check=True).stdout)
    verify = subprocess.run(["systemd-analyze", "verify", "--man=no", unit],
                            capture_output=True, text=True)
    # What else is installed on the machine may be complained of too.
    said = [l for l in (verify.stdout + verify.stderr).splitlines() if "ibkr" in l]
    checks.that("systemd-analyze verify", verify.returncode == 0 and not said, " ".join(said))
    rating = subprocess.run(["systemd-analyze", "security", "--offline=yes", unit],
                            capture_output=True, text=True, env=os.environ | {"SYSTEMD_COLORS": "0"})
    score = re.search(r"exposure level for ibkr.service: ([0-9.]+) (\w+)", rating.stdout)
    checks.that("systemd-analyze security: at most 2.0", bool(score) and float(score[1]) <= 2,
                f"{score[1]} {score[2]}" if score else rating.stderr)


def check_metrics(checks: Checks, recorder: Recorder):
    text = get(recorder.url + "/metrics")[1]
    promtool = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True)
    complaints = promtool.stdout + promtool.stderr
    checks.that("promtool check metrics", promtool.returncode == 0 and not complaints.strip(), complaints)
    values = recorder.metrics()
    checks.that("connected and healthy", values["ibkr_connected"] == values["ibkr_healthy"] == 1)
    checks.that("two subscriptions stream", values['ibkr_subscriptions{state="active"}'] == 2)
    lines = values['ibkr_recorder_lines_total{channel="raw"}']
    checks.that("lines are counted", lines > 10, lines)
    status = recorder.status()
    checks.that("/status says the same", status["healthy"] and status["connected"]
                and {s["symbol"] for s in status["subscriptions"]} == {"AAPL", "MSFT"})
    checks.that("/healthz is 200", get(recorder.url + "/healthz") == (200, "ok\n"))


async def start_prometheus(stack, ibkr: str, folder: Path, targets: list[str]) -> str:
    rules = folder / "rules.yml"
    text = subprocess.run([ibkr, "service", "alerts"], capture_output=True, text=True, check=True).stdout
    # The rules as they are, but for the time that a fault has to last.
    rules.write_text(re.sub(r"for: \w+", "for: 2s", text))
    configuration = folder / "prometheus.yml"
    configuration.write_text(json.dumps({
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(rules)],
        "scrape_configs": [{"job_name": "ibkr", "static_configs": [{"targets": targets}]}],
    }))
    subprocess.run(["promtool", "check", "config", configuration], check=True, capture_output=True)
    url = f"http://127.0.0.1:{(port := free_port())}"
    await stack.enter_async_context(Program(
        "prometheus", f"--config.file={configuration}", f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"))
    assert await until(lambda: get(url + "/-/ready")[0] == 200, 60), "prometheus does not start"
    return url


def alerts(prometheus: str, target: str) -> set[str]:
    found = json.loads(get(prometheus + "/api/v1/alerts")[1])["data"]["alerts"]
    return {a["labels"]["alertname"] for a in found
            if a["state"] == "firing" and a["labels"]["instance"] == target}


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ibkr", required=True)
    ibkr = parser.parse_args().ibkr
    checks = Checks("what a recorder tells of itself")
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        check_unit(checks, ibkr, folder)
        manager = Manager(folder / "notify")
        watched = {"NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": str(WATCHDOG * 1_000_000)}
        mute, quiet, lost = [Recorder(stack, ibkr, folder, name) for name in ("mute", "quiet", "lost")]
        await mute.start('{"after":"25s","fault":"silence","for":"30s"}\n')
        # Nothing is traded: heartbeats and images come, and no changes.
        await quiet.start("", "--rate", "0.0005")
        # Subscriptions end without a word and are never answered again; all else works.
        await lost.start('{"after":"12s","fault":"expire-subscriptions"}\n'
                         '{"after":"12s","fault":"ignore-subscriptions","for":"1h"}\n', "--rate", "20",
                         environment=watched)
        targets = [r.url.removeprefix("http://") for r in (mute, quiet, lost)]
        prometheus = await start_prometheus(stack, ibkr, folder, targets)
        assert await until(lambda: mute.metrics().get('ibkr_subscriptions{state="active"}') == 2, 60)
        await until(lambda: mute.metrics().get('ibkr_recorder_lines_total{channel="raw"}', 0) > 10, 30)
        check_metrics(checks, mute)
        scraped = await until(lambda: json.loads(get(
            prometheus + "/api/v1/query?query=sum(up{job=%22ibkr%22})")[1])["data"]["result"], 30)
        checks.that("a real Prometheus scrapes them", bool(scraped))
        checks.that("systemd is told that it is ready",
                    any("READY=1" in text for _, text in manager.listen()))
        began = time.monotonic()
        checks.that("and that it is alive", bool(await until(lambda: manager.signs() >= 2, 30)),
                    f"{manager.signs()} signs of life")

        fired = await until(lambda: "IbkrDataMissing" in alerts(prometheus, targets[0]), 90)
        checks.that("mute gateway: the alert fires", bool(fired), f"{time.monotonic() - began:.0f} s")
        code, text = get(mute.url + "/healthz")
        if code == 200:  # a gap counts after half a minute
            code, text = await until(
                lambda: (a := get(mute.url + "/healthz"))[0] == 503 and a, 60) or (0, "")
        checks.that("mute gateway: /healthz is 503", code == 503, text.split("\n")[0][:80])
        over = await until(lambda: mute.metrics().get("ibkr_healthy") == 1
                           and not alerts(prometheus, targets[0]), 120)
        checks.that("and all is well again afterwards", bool(over))
        gaps = {k: v for k, v in mute.metrics().items() if k.startswith("ibkr_gaps_total") and v}
        checks.that("the gap is counted", sum(gaps.values()) >= 1, gaps)

        ended = await until(lambda: manager.silence() > WATCHDOG, 150)
        said = manager.listen()[-1][1] if ended else ""
        checks.that("data flow stops: so do the signs of life", bool(ended) and "missing" in said,
                    said[:90])
        checks.that("the process lives on: systemd would end it", lost.program.running)
        checks.that("nothing is traded: no alert, healthy", not alerts(prometheus, targets[1])
                    and quiet.metrics()["ibkr_healthy"] == 1 and get(quiet.url + "/healthz")[0] == 200,
                    f"after {time.monotonic() - began:.0f} s")
        code = await quiet.program.stop()
        checks.that("it ends well", code == 0, code)
    checks.finish()


if __name__ == "__main__":
    asyncio.run(main())
