# SPDX-License-Identifier: Apache-2.0
# This file is part of ibkr-stream.
"""The clients that scripts/bench compares, each as `run(messages, **load) -> Figures`."""

import json
import subprocess
import sys
from pathlib import Path

from machine import CONID, Figures, Recorder, Server, Trouble, count_rows, empty, figures, report

LIMIT = 300


class Clients:
    """Knows where the programs are, and where to write."""

    def __init__(self, programs: Path, binaries: Path, scratch: Path):
        self.programs, self.binaries, self.scratch = programs, binaries, scratch
        self.ca = programs / "ca.pem"

    # -- Clients that count until the close frame.

    def limit(self, mode="count"):
        def run(messages, **load):
            with Server(self.programs, messages, **load) as server:
                file = [] if mode in ("count", "latency") else [self.scratch / "limit"]
                said = report([self.programs / "limit", server.port, mode, *file], LIMIT)
            return figures(said, messages)
        return run

    def counting(self, deflate=False):
        def run(messages, **load):
            with Server(self.programs, messages, deflate=deflate, **load) as server:
                said = report([self.binaries / "websocket-conformance", "--count",
                               f"wss://localhost:{server.port}/load", "--ca", self.ca,
                               *(["--deflate"] if deflate else [])], LIMIT)
            return figures(said, messages)
        return run

    def beast(self, to_file=False):
        def run(messages, **load):
            with Server(self.programs, messages, **load) as server:
                file = [self.scratch / "beast"] if to_file else []
                said = report([self.programs / "beast", server.port, *file], LIMIT)
            return figures(said, messages)
        return run

    def peer(self, name, to_file=False):
        def run(messages, **load):
            with Server(self.programs, messages, **load) as server:
                file = [self.scratch / name] if to_file else []
                said = report([sys.executable, Path(__file__).parent / "peers.py", name, server.port,
                               *file], LIMIT)
            return figures(said, messages)
        return run

    # -- Clients of a gateway.

    def ibind(self):
        def run(messages, instruments=1, **load):
            with Server(self.programs, messages, instruments=instruments, **load) as server:
                said = report([sys.executable, Path(__file__).parent / "ibind_peer.py", server.port,
                               self.ca, messages, *range(CONID, CONID + instruments)], LIMIT)
            return figures(said, messages)
        return run

    def bot(self, taking="batches", subscribers=1):
        def run(messages, instruments=1, **load):
            with Server(self.programs, messages, instruments=instruments, **load) as server:
                said = report([self.binaries / "bot-speed", "--gateway", server.url, "--ca", self.ca,
                               "--messages", messages, "--instruments", instruments, "--taking", taking,
                               "--subscribers", subscribers], LIMIT)
            return figures(said, messages)
        return run

    def _ibkr(self, server, command, instruments, *options):
        return [self.binaries / "ibkr", command, *range(CONID, CONID + instruments), "--gateway",
                server.url, "--ca", self.ca, "--log-level", "error", *options]

    def record(self, channels, fsync="never"):
        """CPU until everything is in the files; what sealing them costs (SHA-256) is told apart."""
        def run(messages, instruments=1, **load):
            data = empty(self.scratch / "data")
            with Server(self.programs, messages, instruments=instruments, **load) as server:
                recorder = Recorder(self._ibkr(server, "record", instruments, "-o", data, "--channels",
                                               channels, "--fsync", fsync, "--compress", "none"))
                server.subscribed.get(timeout=30)
                before = recorder.cpu()
                said = server.stream(LIMIT)
                used, memory = recorder.settle(), recorder.memory()
                whole = recorder.stop()
            rows = min(count_rows(data, "raw", '\\"topic\\":\\"smd+'), *(
                [count_rows(data, "quote", '"v":1,')] if "quote" in channels else [messages]))
            empty(data)
            return Figures(rows, said["seconds"], used - before, memory, messages,
                           {"sealing": (whole - used) / messages * 1e6})
        return run

    def stdout(self, channels):
        def run(messages, instruments=1, **load):
            with Server(self.programs, messages, instruments=instruments, **load) as server:
                with subprocess.Popen(["grep", "-cF", '"v":1,'], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, text=True) as counter:
                    recorder = Recorder(self._ibkr(server, "stream", instruments, "--channels", channels,
                                                   "--json"), stdout=counter.stdin)
                    counter.stdin.close()
                    server.subscribed.get(timeout=30)
                    before = recorder.cpu()
                    said = server.stream(LIMIT)
                    used, memory = recorder.settle(), recorder.memory()
                    recorder.stop()
                    rows = int(counter.stdout.read())
            # `raw` also holds commands, control frames and our own events: those are not asked for.
            return Figures(min(rows, messages), said["seconds"], used - before, memory, messages)
        return run

    # -- Delays.

    def delay_to_file(self):
        def run(messages, instruments=1, **load):
            data = empty(self.scratch / "data")
            with Server(self.programs, messages, instruments=instruments, **load) as server:
                recorder = Recorder(self._ibkr(server, "record", instruments, "-o", data, "--channels",
                                               "raw", "--compress", "none"))
                server.subscribed.get(timeout=30)
                try:
                    part = next(data.glob("ch=raw/**/*.ndjson"))
                except StopIteration:
                    raise Trouble("the log has no part yet") from None
                said = report([self.programs / "follow", messages, part], LIMIT)
                used, memory = recorder.settle(), recorder.memory()
                recorder.stop()
            empty(data)
            return self._delays(said, used, memory, messages)
        return run

    def delay_to_stdout(self):
        def run(messages, instruments=1, **load):
            with Server(self.programs, messages, instruments=instruments, **load) as server:
                follower = subprocess.Popen([self.programs / "follow", str(messages), "-"],
                                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
                recorder = Recorder(self._ibkr(server, "stream", instruments, "--channels", "raw",
                                               "--json"), stdout=follower.stdin)
                follower.stdin.close()
                server.stream(LIMIT)
                used, memory = recorder.settle(), recorder.memory()
                recorder.stop()
                said = follower.communicate()[0]
            if not said:
                raise Trouble("nothing came out of standard output")
            return self._delays(json.loads(said), used, memory, messages)
        return run

    @staticmethod
    def _delays(said, used, memory, messages):
        return Figures(int(said["messages"]), 1, used, memory, messages,
                       {k: v for k, v in said.items() if k.endswith("_us")})
