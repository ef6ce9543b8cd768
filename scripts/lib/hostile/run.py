# SPDX-License-Identifier: Apache-2.0
# This file is part of ibkr-stream.

"""Runs websocket-conformance against one misbehaving server per case and judges the outcome.

Safe means: the handshake was accepted or refused as it must be, exactly the messages before the
misbehaviour were delivered, an error was reported, the client said so to the server with the right
close code, it ended before the case's deadline, never held 64 MB, and printed no secret.
"""

import argparse
import concurrent.futures
import json
import os
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import certificates
from cases import CASES
from peer import Peer

import handshake_cases  # noqa: F401  (each registers its cases)
import frame_cases  # noqa: F401
import close_cases  # noqa: F401
import deflate_cases  # noqa: F401
import tls_cases  # noqa: F401
import resolver_cases

SECRET = "SECRET-4f1d"
MEMORY_LIMIT_MB = 64
TIMEOUT = 6
# What starting a process may take on a busy machine, beside the case's own deadline.
START_UP = 1.5


class Server:
    """Listens on a port of its own and serves one connection as the case says."""

    def __init__(self, case, folder):
        self.case = case
        self.folder = folder
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.target = socket.create_server(("127.0.0.1", 0))
        self.target.settimeout(0)
        case.target_port = self.target.getsockname()[1]
        case.target_hits = 0
        self.peer = None
        self.failure = None
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        try:
            self.listener.settimeout(20)
            connection, _ = self.listener.accept()
            connection.settimeout(20)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.case.tls not in (None, "raw"):
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(self.folder / f"{self.case.tls}.pem",
                                        self.folder / f"{self.case.tls}.key")
                connection = context.wrap_socket(connection, server_side=True,
                                                 suppress_ragged_eofs=True)
            self.peer = Peer(connection, self.case)
            self.case.serve(self.peer)
            self.peer.socket.close()
        except (OSError, TimeoutError, ConnectionError, ValueError):
            # The client has left, which in most cases is what it should do.
            if self.peer:
                self.peer.await_close(0.2)
        except Exception as error:  # a mistake in the case itself
            self.failure = error

    def stop(self):
        self.thread.join(timeout=2)
        if self.peer and self.peer.socket.fileno() >= 0:
            self.peer.socket.close()
        for attempt in (self.listener, self.target):
            try:
                attempt.settimeout(0)
                attempt.accept()
                self.case.target_hits += 1
            except OSError:
                pass
            attempt.close()


class PeakMemory:
    """Watches the high-water mark of a process.

    What `wait4` tells would count the memory of this program too, as it was at the fork.
    """

    def __init__(self, pid):
        self.status = Path(f"/proc/{pid}/status")
        self.peak = 0.0
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()

    def watch(self):
        while True:
            try:
                for line in self.status.read_text().splitlines():
                    if line.startswith("VmHWM:"):
                        self.peak = max(self.peak, int(line.split()[1]) / 1024)
            except OSError:
                return
            if self.ended.wait(0.01):
                return

    def stop(self):
        self.ended.set()
        self.thread.join()
        return self.peak


def run(case, client, folder):
    """Runs one case; returns its row and what is wrong."""
    server = Server(case, folder)
    scheme = "ws" if case.tls is None else "wss"
    host = "server.test" if case.resolver else "127.0.0.1"
    environment = dict(os.environ)
    if case.resolver:
        environment |= {"LD_PRELOAD": str(folder / resolver_cases.LIBRARY),
                        "RESOLVER": case.resolver}
    command = [client, "--once", f"{scheme}://{host}:{server.port}/ws?oauth_token={SECRET}",
               "--header", f"Authorization: Bearer {SECRET}", "--header", f"Cookie: api={SECRET}",
               "--timeout", str(TIMEOUT), *case.options]
    if case.tls and case.trusted:
        command += ["--ca", str(folder / "ca.pem")]
    started = time.monotonic()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    killer = threading.Timer(30, process.kill)
    killer.start()
    errors = []
    reader = threading.Thread(target=lambda: errors.append(process.stderr.read()))
    reader.start()
    watcher = PeakMemory(process.pid)
    output = process.stdout.read()
    reader.join()
    process.wait()
    killer.cancel()
    seconds = time.monotonic() - started
    memory = watcher.stop()
    server.stop()
    problems = judge(case, server, output, errors[0], process.returncode, seconds, memory)
    return seconds, memory, problems


def judge(case, server, output, errors, status, seconds, memory):
    if status != 0:
        return [f"exit code {status}: {errors.decode(errors='replace').strip()[-200:]}"]
    try:
        result = json.loads(output)
    except ValueError:
        return ["no JSON line"]
    problems = []

    def expect(condition, text):
        if not condition:
            problems.append(text)

    expect(server.failure is None, f"the case is wrong: {server.failure!r}")
    expect(result["opened"] == case.opened, f"opened: {result['opened']}")
    if case.messages is not None:
        expect(result["messages"] == case.messages, f"messages: {result['messages']}")
    if case.error is not None:
        expect(bool(result["error"]) == case.error, f"error: {result['error']}")
    if case.close is not None:
        expect(result["close"] == case.close, f"close: {result['close']}")
    if case.sent:
        code = server.peer.client_close if server.peer else None
        expect(code in case.sent, f"the client closed with {code}: {result['error']}")
    if case.check and server.peer:
        wrong = case.check(server.peer)
        expect(wrong is None, wrong)
    expect(seconds <= case.within + START_UP, f"{seconds:.1f} s, allowed {case.within:.0f}")
    expect(memory < MEMORY_LIMIT_MB, f"{memory:.0f} MB")
    expect(SECRET.encode() not in output + errors, "a secret was printed")
    return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("client", help="the websocket-conformance executable")
    parser.add_argument("names", nargs="*", help="only these cases")
    parser.add_argument("--jobs", type=int, default=4, help="cases at the same time")
    options = parser.parse_args()
    chosen = [case for case in CASES if not options.names or case.name in options.names]
    unknown = set(options.names) - {case.name for case in CASES}
    if unknown or len({case.name for case in CASES}) != len(CASES):
        sys.exit(f"no such case, or one name twice: {', '.join(unknown)}")
    failed = 0
    peak = 0
    with tempfile.TemporaryDirectory() as folder, \
            concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        certificates.make(Path(folder))
        resolver_cases.make(Path(folder))
        rows = pool.map(lambda case: run(case, options.client, Path(folder)), chosen)
        print(f"{'case':40} {'seconds':>7} {'MB':>5}  outcome")
        for case, (seconds, memory, problems) in zip(chosen, rows):
            print(f"{case.name:40} {seconds:7.2f} {memory:5.0f}  "
                  + ("safe" if not problems else "NOT SAFE: " + "; ".join(problems)), flush=True)
            failed += bool(problems)
            peak = max(peak, memory)
    print(f"{len(chosen)} cases, {len(chosen) - failed} safe, peak {peak:.0f} MB")
    print(f"{len(chosen) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
