# SPDX-License-Identifier: Apache-2.0
# This file is part of ibkr-stream.
"""Reads a recording as any user would: NDJSON parts under ch=…/date=…, plain or gzip."""

import base64
import gzip
import json
from decimal import Decimal
from pathlib import Path

RAW_COLUMNS = ["v", "run", "seq", "ts_recv", "ts_event", "mono", "dir", "op", "topic", "msg", "b64",
               "redacted"]
QUOTE_COLUMNS = ["v", "run", "seq", "ts_recv", "ts_event", "conid", "symbol", "snapshot", "bid",
                 "bid_size", "ask", "ask_size", "last", "last_size", "volume", "open", "high", "low",
                 "close", "change", "change_pct", "changed", "flags", "avail", "fields"]


def parts(directory: Path, channel: str) -> list[Path]:
    return sorted(p for p in Path(directory).glob(f"ch={channel}/**/part-*") if p.is_file())


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


def holes(raw: list[dict], others: list[dict]) -> list:
    """Where `seq` does not run from 1 without a hole. Gaps and own events that stand in another
    channel only are counted with it."""
    seen = sorted({r["seq"] for r in raw} | {r["seq"] for r in others})
    return [f"after {a} comes {b}" for a, b in zip([0, *seen], seen) if b != a + 1][:10]
