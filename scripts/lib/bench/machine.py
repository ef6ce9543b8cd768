# SPDX-License-Identifier: Apache-2.0
# This file is part of ibkr-stream.
"""Runs the load server and one client against it, and says what the client used."""

import json
import os
import queue
import shutil
import signal
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

CONID = 265598
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Figures:
    """What one run came to."""

    messages: int  # that arrived, or were recorded
    seconds: float
    cpu: float
    rss: float  # MB at the most
    wanted: int = 0
    more: dict = field(default_factory=dict)

    @property
    def rate(self) -> float:
        return self.messages / self.seconds if self.seconds > 0 else 0

    @property
    def cpu_per_million(self) -> float:
        return self.cpu / self.messages * 1e6 if self.messages else float("inf")

    @property
    def lost(self) -> int:
        return self.wanted - self.messages


class Trouble(Exception):
    """A client that failed; the text says how."""


class Server:
    """`with Server(programs, messages) as server`: listening on `server.port`."""

    def __init__(self, programs, messages, *, instruments=1, rate=0, size=0, deflate=False):
        self.command = [programs / "load_server", "--certificate", programs / "server.pem",
                        "--messages", messages, "--instruments", instruments, "--rate", rate,
                        "--size", size, *(["--deflate"] if deflate else [])]
        self.subscribed = queue.Queue()
        self.streams = queue.Queue()

    def __enter__(self):
        self.process = subprocess.Popen(list(map(str, self.command)), stdout=subprocess.PIPE, text=True,
                                        start_new_session=True)
        self.port = int(self.process.stdout.readline().split()[1])
        self.url = f"https://localhost:{self.port}/v1/api"
        threading.Thread(target=self._read, daemon=True).start()
        return self

    def _read(self):
        for line in self.process.stdout:
            if line.startswith("subscribed "):
                self.subscribed.put(int(line.split()[1]))
            else:
                self.streams.put(json.loads(line))

    def __exit__(self, *_):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stream(self, limit: float) -> dict:
        """Waits for a stream whose end has been answered for."""
        try:
            return self.streams.get(timeout=limit)
        except queue.Empty:
            raise Trouble(f"the stream was not taken within {limit:.0f} s") from None


def environment() -> dict:
    """Without what belongs to the caller's own accounts and proxies."""
    return {k: v for k, v in os.environ.items()
            if not k.startswith(("IBIND_", "IBKR_")) and not k.lower().endswith("_proxy")}


def report(command, limit: float, stdout=subprocess.PIPE) -> dict:
    """Runs a client that says itself what it used."""
    try:
        done = subprocess.run(list(map(str, command)), stdout=stdout, stderr=subprocess.PIPE, text=True,
                              timeout=limit, env=environment())
    except subprocess.TimeoutExpired:
        raise Trouble(f"{Path(command[0]).name} had not ended after {limit:.0f} s") from None
    if done.returncode or not done.stdout:
        raise Trouble(f"{command}: exit code {done.returncode}: {done.stderr[-600:]}")
    return json.loads(done.stdout.splitlines()[-1])


def figures(said: dict, wanted: int) -> Figures:
    more = {k: v for k, v in said.items() if k.endswith("_us")}
    return Figures(int(said["messages"]), said["seconds"], said["cpu_user"] + said["cpu_system"],
                   said["rss"], wanted, more)


class Recorder:
    """A long-running program of ours, watched from outside until it has done its work."""

    def __init__(self, command, stdout=subprocess.DEVNULL):
        self.begun = time.monotonic_ns()
        self.process = subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=stdout,
                                        stderr=subprocess.PIPE, env=environment())

    def cpu(self) -> float:
        """Seconds of CPU until now."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory(self, name="VmHWM") -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        for line in status.splitlines():
            if line.startswith(name):
                return int(line.split()[1]) / 1024
        self.stop()  # it has ended, and says why
        raise Trouble(f"{self.process.args} is ending")

    def settle(self) -> float:
        """Waits until it uses no CPU any longer; returns what it has used."""
        before, still = -1.0, 0
        while still < 3:
            time.sleep(0.1)
            used = self.cpu()
            still = still + 1 if used - before < 0.02 else 0
            before = used
        return before

    def stop(self, limit: float = 120) -> float:
        """Ends it as a person would; returns the CPU it has used in all."""
        if (code := self.process.poll()) is not None:
            errors = self.process.stderr.read().decode(errors="replace")
            raise Trouble(f"{self.process.args} ended by itself, exit code {code}: {errors[-600:]}")
        self.process.send_signal(signal.SIGINT)
        killer = threading.Timer(limit, self.process.kill)
        killer.start()
        errors = self.process.stderr.read().decode(errors="replace")
        _, status, usage = os.wait4(self.process.pid, 0)
        killer.cancel()
        self.process.returncode = os.waitstatus_to_exitcode(status)
        if self.process.returncode:
            raise Trouble(f"{self.process.args}: exit code {self.process.returncode}: {errors[-600:]}")
        return usage.ru_utime + usage.ru_stime


def count_rows(data: Path, channel: str, text: str) -> int:
    """The lines below a channel that hold a text."""
    files = [str(p) for p in data.glob(f"ch={channel}/**/*.ndjson")]
    if not files:
        return 0
    found = subprocess.run(["grep", "-hcF", text, *files], capture_output=True, text=True)
    return sum(map(int, found.stdout.split()))


def empty(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
