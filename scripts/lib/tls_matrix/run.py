# SPDX-License-Identifier: Apache-2.0
# This file is part of ibkr-stream.

"""Connects to every set-up with curl and with our client and prints a table of both."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import server
from cases import Case, all_cases
from certificates import Workshop

LEAST_CASES = 25


def curl(case: Case, port: int) -> tuple[bool, str]:
    name = case.host.strip("[]")
    command = ["curl", "--silent", "--show-error", "--output", "/dev/null", "--max-time", "10",
               "--noproxy", "*", "--http1.1"]
    if name != case.address:
        command += ["--resolve", f"{name}:{port}:{case.address}"]
    if isinstance(case.trust, Path):
        command += ["--cacert", str(case.trust)]
    elif isinstance(case.trust, list):
        command += ["--insecure", "--pinnedpubkey", ";".join(f"sha256//{p}" for p in case.trust)]
    elif case.trust == "insecure":
        command += ["--insecure"]
    if case.own:
        command += ["--cert", str(case.own.pem), "--key", str(case.own.key)]
    command.append(f"https://{case.host}:{port}/")
    done = subprocess.run(command, capture_output=True, text=True)
    return done.returncode == 0, done.stderr.strip()


def ours(client: str, case: Case, port: int) -> tuple[bool, str]:
    command = [client, "--once", f"wss://{case.host}:{port}/", "--address", case.address]
    if isinstance(case.trust, Path):
        command += ["--ca", str(case.trust)]
    elif isinstance(case.trust, list):
        for pin in case.trust:
            command += ["--pin", f"sha256/{pin}"]
    elif case.trust == "insecure":
        command += ["--insecure"]
    if case.own:
        command += ["--certificate", str(case.own.pem), "--key", str(case.own.key)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        return False, f"exit code {done.returncode}: {done.stderr.strip()}"
    outcome = json.loads(done.stdout)
    return outcome["opened"], outcome["error"] or ""


def judge(case: Case, theirs: bool, opened: bool, reason: str) -> str:
    """What is wrong, or nothing."""
    if opened == bool(case.refusal):
        return f"must be {'refused' if case.refusal else 'accepted'}"
    if opened != theirs and not (case.stricter and theirs):
        return "curl does otherwise"
    if case.refusal and case.refusal not in reason:
        return f"the reason must contain {case.refusal!r}"
    return ""


def main(client: str, wanted: list[str]) -> int:
    with tempfile.TemporaryDirectory(prefix="tls-matrix-") as folder:
        shop = Workshop(Path(folder))
        cases = [c for c in all_cases(shop) if not wanted or c.name in wanted]
        if unknown := set(wanted) - {case.name for case in cases}:
            print(f"no such case: {', '.join(sorted(unknown))}", file=sys.stderr)
            return 2
        wrong = sum(not run(client, shop, case) for case in cases)
    print(f"{len(cases)} set-ups, {len(cases) - wrong} as they must be, {wrong} not")
    if not wanted and len(cases) < LEAST_CASES:
        print(f"there must be at least {LEAST_CASES}", file=sys.stderr)
        return 1
    return 1 if wrong else 0


def run(client: str, shop: Workshop, case: Case) -> bool:
    chain = shop.bundle(case.certificate, *case.chain)
    tls = server.context(chain, case.certificate.key, **case.context)
    with server.Server(case.address, tls, **case.server) as running:
        theirs, complaint = curl(case, running.port)
        opened, reason = ours(client, case, running.port)
    fault = judge(case, theirs, opened, reason)
    words = {True: "accepted", False: "refused"}
    print(f"{'ok  ' if not fault else 'FAIL'} {case.name:32} curl {words[theirs]:8} "
          f"we {words[opened]:8}  {reason if not opened else ''}".rstrip())
    if case.stricter and not fault:
        print(f"     stricter than curl on purpose: {case.stricter}")
    if fault:
        print(f"     {fault}; curl: {complaint or 'no complaint'}")
    sys.stdout.flush()
    return not fault


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
