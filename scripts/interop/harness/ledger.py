# SPDX-License-Identifier: Apache-2.0
# This file is part of ibkr-stream.
"""What the simulator has sent, and what of it a recording has."""

import json
from pathlib import Path

from harness import recording


def sockets(path: Path) -> list[list[tuple[int, bytes]]]:
    """What was sent on each socket, in order: when, and the message."""
    found: dict[int, list] = {}
    for line in path.read_bytes().splitlines():
        entry = json.loads(line)
        if entry.get("op") == "binary":
            found.setdefault(entry["socket"], []).append((entry["ts"], entry["msg"].encode()))
    return [found[number] for number in sorted(found)]


def is_same(row: dict, message: bytes) -> bool:
    """Whether a row of ch=raw is the message. Secrets are not compared."""
    return row["redacted"] or recording.payload(row) == message


def account(raw: list[dict], sent: list[tuple[int, bytes]]) -> tuple[list[str], int, int]:
    """Compares the log of one run with what was sent on its socket.

    A message may be missing only where `seq` has a hole, and a hole only be as large as the gaps
    `overflow` say. Returns the problems, how many messages are missing, and how many came after the
    last one that is there.
    """
    problems, place, missing, spare, holes, previous = [], 0, 0, 0, 0, None
    for row in raw:
        if previous is not None:
            spare += row["seq"] - previous - 1
            holes += row["seq"] - previous - 1
        previous = row["seq"]
        if row["dir"] != "in" or row["op"] not in ("text", "binary"):
            continue
        step = next((n for n, (_, message) in enumerate(sent[place:place + spare + 1])
                     if is_same(row, message)), None)
        if step is None:
            return [*problems, f"seq {row['seq']} is not what was sent"], missing, 0
        place, missing, spare = place + step + 1, missing + step, 0
    declared = sum(gap["count"] or 0 for gap in ended_gaps(raw, "overflow"))
    if holes != declared:
        problems.append(f"{holes} numbers are missing, the gaps say {declared}")
    return problems, missing, len(sent) - place


def ended_gaps(raw: list[dict], reason: str) -> list[dict]:
    gaps = [json.loads(row["msg"]) for row in raw if row["op"] == "gap" and row["dir"] == "self"]
    return [gap for gap in gaps if gap["reason"] == reason and gap["phase"] != "began"]
