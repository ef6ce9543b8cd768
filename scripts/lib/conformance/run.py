#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# This file is part of ibkr-stream.
"""Runs the Autobahn suite against websocket-conformance, as client or as server, and judges."""

import argparse
import json
import shutil
import socket
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

CASES, INFORMATIONAL = 517, 3
AGENT = "ibkr-stream"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port, process):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    sys.exit(f"error: nothing listens on port {port}")


class Run:
    def __init__(self, options):
        self.options = options
        self.folder = options.reports / f"{options.role}-{'wss' if options.tls else 'ws'}"
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.certificate, self.key = self.folder / "cert.pem", self.folder / "key.pem"
        if options.tls:
            subprocess.run(
                ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                 "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30", "-subj", "/CN=localhost",
                 "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                 "-keyout", self.key, "-out", self.certificate],
                check=True, capture_output=True)

    def run(self, cases):
        """Runs these cases; gives their results by case."""
        outdir = self.folder / "reports"
        shutil.rmtree(outdir, ignore_errors=True)
        port = free_port()
        url = f"{'wss' if self.options.tls else 'ws'}://127.0.0.1:{port}"
        spec = {"outdir": str(outdir), "cases": cases, "exclude-cases": [],
                "exclude-agent-cases": {}, "options": {"failByDrop": False},
                "deflate-count": self.options.deflate_count}
        if self.options.role == "client":
            self.run_client(spec, url, port)
        else:
            self.run_server(spec, url, port)
        return next(iter(json.loads((outdir / "index.json").read_text()).values()))

    def suite(self, spec):
        path = self.folder / "spec.json"
        path.write_text(json.dumps(spec))
        log = open(self.folder / "suite.log", "w")
        return subprocess.Popen([sys.executable, "-m", "abts3", path], stdout=log, stderr=log)

    def run_client(self, spec, url, port):
        spec["url"] = url
        command = [self.options.program, "--url", url, "--agent", AGENT, "--deflate"]
        if self.options.tls:
            spec.update(key=str(self.key), cert=str(self.certificate))
            command += ["--ca", self.certificate]
        suite = self.suite(spec)
        try:
            wait_for(port, suite)
            subprocess.run(command, check=True, timeout=7200)
        finally:
            suite.terminate()
            suite.wait()

    def run_server(self, spec, url, port):
        spec["servers"] = [{"agent": AGENT, "url": url}]
        command = [self.options.program, "--serve", str(port), "--deflate"]
        if self.options.tls:
            command += ["--certificate", self.certificate, "--key", self.key]
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            wait_for(port, server)
            if self.suite(spec).wait(timeout=7200):
                sys.exit(f"error: the suite failed, see {self.folder / 'suite.log'}")
        finally:
            server.terminate()
            server.wait()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--reports", type=Path, required=True)
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--role", choices=["client", "server"], default="client")
    parser.add_argument("--deflate-count", type=int, default=50)
    parser.add_argument("--cases", default="*")
    options = parser.parse_args()

    start = time.monotonic()
    run = Run(options)
    results = run.run(options.cases.split(","))
    # The suite waits one second for a close, which on a loaded machine may pass while its own
    # process is not running: such a case gets a second chance. Nothing else does.
    late = [case for case, result in results.items() if result["behaviorClose"] == "UNCLEAN"]
    if late:
        print(f"unclean close, run again: {' '.join(late)}")
        results.update(run.run(late))

    behavior = Counter(result["behavior"] for result in results.values())
    closes = Counter(result["behaviorClose"] for result in results.values())
    seconds = time.monotonic() - start
    scheme = "wss" if options.tls else "ws"
    print(f"{options.role} over {scheme}, {options.deflate_count} deflate messages a case: "
          f"{len(results)} cases in {seconds:.0f} s")
    print("behavior: " + ", ".join(f"{count} {name}" for name, count in sorted(behavior.items())))
    print("close:    " + ", ".join(f"{count} {name}" for name, count in sorted(closes.items())))

    good = {"OK", "INFORMATIONAL"}
    bad = {case: result for case, result in results.items()
           if result["behavior"] not in good or result["behaviorClose"] not in good}
    for case in sorted(bad, key=lambda case: [int(part) for part in case.split(".")]):
        print(f"FAILED {case}: {bad[case]['behavior']}, close {bad[case]['behaviorClose']}")
    complete = options.cases != "*" or (
        len(results) == CASES and behavior["INFORMATIONAL"] == INFORMATIONAL)
    if not complete:
        print(f"FAILED: expected {CASES} cases, {INFORMATIONAL} of them informational")
    passed = len(results) - len(bad)
    print(f"{passed} passed, {len(bad)} failed")
    return 1 if bad or not complete else 0


if __name__ == "__main__":
    sys.exit(main())
