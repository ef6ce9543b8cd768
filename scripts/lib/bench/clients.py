# SPDX-License-Identifier: Apache-2.0
# This file is part of ibkr-stream.
"""The clients that scripts/bench compares, each as `run(messages, **load) -> Figures`."""

import json
import re
import subprocess
import sys
import time
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
        """CPU until everything is in the files. A part ends only with the run, so that what sealing it
        costs (SHA-256 of every byte, which nobody else here does) is told apart."""
        def run(messages, instruments=1, **load):
            data = empty(self.scratch / "data")
            with Server(self.programs, messages, instruments=instruments, **load) as server:
                recorder = Recorder(self._ibkr(server, "record", instruments, "-o", data, "--channels",
                                               channels, "--fsync", fsync, "--compress", "none",
                                               "--rotate", "1TB"))
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

    def same_lines(self) -> bool:
        """Whether the C program writes the lines that we write: all but the run and the numbers."""
        with Server(self.programs, 1000) as server:
            report([self.programs / "limit", server.port, "lines", self.scratch / "limit"], LIMIT)
        data = empty(self.scratch / "data")
        with Server(self.programs, 1000) as server:
            recorder = Recorder(self._ibkr(server, "record", 1, "-o", data, "--channels", "raw",
                                           "--compress", "none"))
            server.stream(LIMIT)
            recorder.stop()
        ours = "".join(p.read_text() for p in sorted(data.glob("ch=raw/**/*.ndjson")))
        shapes = [[re.sub(r"\d+", "0", re.sub(r'"run":"\w+"', "", line)) for line in text.splitlines()
                   if '"dir":"in","op":"text","topic":"smd+' in line]
                  for text in ((self.scratch / "limit").read_text(), ours)]
        empty(data)
        return len(shapes[0]) == 1000 and shapes[0] == shapes[1]

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

    def late_reader(self, messages=200_000) -> int:
        """How many lines of a burst do not reach a reader that begins two seconds later: more of them
        than the sink's queue holds, in less than the client has patience for."""
        with Server(self.programs, messages) as server:
            with subprocess.Popen(["sh", "-c", "sleep 2; exec grep -cF '\"v\":1,'"], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, text=True) as counter:
                recorder = Recorder(self._ibkr(server, "stream", 1, "--channels", "quote", "--json"),
                                    stdout=counter.stdin)
                counter.stdin.close()
                server.stream(LIMIT)
                recorder.settle()
                recorder.stop()
                return messages - int(counter.stdout.read())

    # -- Delays.

    def delay_to_file(self):
        def run(messages, instruments=1, **load):
            data = empty(self.scratch / "data")
            with Server(self.programs, messages, instruments=instruments, **load) as server:
                recorder = Recorder(self._ibkr(server, "record", instruments, "-o", data, "--channels",
                                               "raw", "--compress", "none"))
                server.subscribed.get(timeout=30)
                deadline = time.monotonic() + 5
                # The client's own events are its first lines, and come before the subscription.
                while not (part := next(data.glob("ch=raw/**/*.ndjson"), None)):
                    if time.monotonic() > deadline:
                        raise Trouble("the log has no part yet")
                    time.sleep(0.001)
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
                said = follower.stdout.read()
                follower.wait()
            if not said:
                raise Trouble("nothing came out of standard output")
            return self._delays(json.loads(said), used, memory, messages)
        return run

    @staticmethod
    def _delays(said, used, memory, messages):
        return Figures(int(said["messages"]), 1, used, memory, messages,
                       {k: v for k, v in said.items() if k.endswith("_us")})
