# SPDX-License-Identifier: Apache-2.0
# This file is part of ibkr-stream.
"""Reads a recording as any user would: NDJSON parts under ch=…/date=…, plain or gzip."""

import base64
import gzip
import hashlib
import json
from decimal import Decimal
from pathlib import Path

RAW_COLUMNS = ["v", "run", "seq", "ts_recv", "ts_event", "mono", "dir", "op", "topic", "msg", "b64",
               "redacted"]
QUOTE_COLUMNS = ["v", "run", "seq", "ts_recv", "ts_event", "conid", "symbol", "snapshot", "bid",
                 "bid_size", "ask", "ask_size", "last", "last_size", "volume", "open", "high", "low",
                 "close", "change", "change_pct", "changed", "flags", "avail", "fields"]


def parts(directory: Path, channel: str) -> list[Path]:
    return sorted(p for p in Path(directory).glob(f"ch={channel}/**/part-*")
                  if p.is_file() and p.name.endswith((".ndjson", ".ndjson.gz")))


def rows(directory: Path, channel: str) -> list[dict]:
    """All rows of a channel in order of `seq`; numbers with a point come as Decimal."""
    found = []
    for path in parts(directory, channel):
        with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    raise ValueError(f"{path}:{number}: a line without an end")
                found.append(json.loads(line, parse_float=Decimal))
    return sorted(found, key=lambda row: row["seq"])


def payload(row: dict) -> bytes:
    """The exact bytes of a row of ch=raw."""
    if row["b64"] is not None:
        return base64.b64decode(row["b64"], validate=True)
    return row["msg"].encode("utf-8", "surrogatepass")


def messages(raw: list[dict], direction: str) -> list[dict]:
    return [r for r in raw if r["dir"] == direction and r["op"] in ("text", "binary")]


def holes(raw: list[dict]) -> list[str]:
    """Where `seq` of ch=raw does not run from 1 without a hole."""
    seen = [row["seq"] for row in raw]
    found = [f"after {a} comes {b}" for a, b in zip([0, *seen], seen) if b != a + 1][:10]
    return found if seen else ["ch=raw is empty"]


def gaps_begun(raw: list[dict]) -> dict[int, list[int]]:
    """The conids of each gap, by the `seq` at which the recorder noticed it."""
    found = {}
    for row in raw:
        if row["dir"] == "self" and row["op"] == "gap":
            gap = json.loads(row["msg"])
            if gap["phase"] == "began":
                found[row["seq"]] = [s["conid"] for s in gap["subscriptions"]]
    return found


def unsealed(directory: Path) -> list[str]:
    """What keeps a recording from being whole after a clean stop: a part that the manifest does
    not name, or names with another size, digest or number of lines."""
    manifest = Path(directory) / "_manifest.ndjson"
    entries = {}
    for line in manifest.read_text().splitlines() if manifest.exists() else []:
        entry = json.loads(line)
        entries[entry["path"]] = entry
    problems = []
    for path in parts(directory, "*"):
        name = str(path.relative_to(directory))
        content, entry = path.read_bytes(), entries.pop(name, None)
        if entry is None:
            problems.append(f"{name} is not in the manifest")
        elif (entry["bytes"], entry["sha256"], entry["lines"]) != (
            len(content), hashlib.sha256(content).hexdigest(),
            (gzip.decompress(content) if path.suffix == ".gz" else content).count(b"\n"),
        ):
            problems.append(f"{name} is not what the manifest says")
    problems += [f"{name} is in the manifest only" for name in entries]
    for path in Path(directory).glob("runs/*.json"):
        run = json.loads(path.read_text())
        if run["ts_end"] is None or run["seq_last"] is None:
            problems.append(f"{path.name} does not tell the end of its run")
    return problems


def leaks(directory: Path, secrets: list[str]) -> list[str]:
    """Which files, and which names of files, show a secret."""
    def content(path: Path) -> bytes:
        return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()

    return [
        f"{path}: {secret}" for path in Path(directory).rglob("*") for secret in secrets
        if secret in path.name or path.is_file() and secret.encode() in content(path)
    ]
