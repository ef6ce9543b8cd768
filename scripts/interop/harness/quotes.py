# SPDX-License-Identifier: Apache-2.0
# This file is part of ibkr-stream.
"""What the rows of ch=quote must say, worked out from the messages alone."""

import json
import re
from decimal import Decimal

COLUMNS = {
    "84": "bid", "88": "bid_size", "86": "ask", "85": "ask_size", "31": "last",
    "7059": "last_size", "87": "volume", "7295": "open", "70": "high", "71": "low",
    "7296": "close", "82": "change", "83": "change_pct",
}
PRICES = {"bid", "ask", "last", "open", "high", "low", "close"}
NOTHING = {"", "-", "N/A", "None", "null"}
# A message that is older than a value by no more than this has been overtaken by it.
LATEST = 5_000
SCALE = {"K": 3, "M": 6, "B": 9, "T": 12}


def value(column: str, token) -> tuple[Decimal | None, str | None]:
    """The number in a token, exactly, and the flag that its prefix gives."""
    if token is None or isinstance(token, bool):
        return None, None
    text, flag = str(token).strip(), None
    if column in PRICES and text[:1] in ("C", "H") and text not in NOTHING:
        flag = {"C": "last_close", "H": "last_halted"}[text[0]]
        text = text[1:]
    if text in NOTHING:
        return None, None
    match = re.fullmatch(r"([+-]?)(\d[\d,]*(?:\.\d+)?|\.\d+)([eE][+-]?\d+)?(%?)([KMBTkmbt]?)", text)
    if not match:
        return None, flag
    number = Decimal(match.group(1) + match.group(2).replace(",", "") + (match.group(3) or ""))
    if match.group(5):
        number = number.scaleb(SCALE[match.group(5).upper()])
    return number, flag


class Merger:
    """Merged state per instrument: the value as of now, forgotten at a new `server_id`."""

    def __init__(self):
        self._state: dict[int, dict[str, Decimal | None]] = {}
        self._times: dict[int, dict[str, int | None]] = {}
        self._server: dict[int, str] = {}

    def forget(self, conids=None) -> None:
        """After a gap no old value may read as now."""
        for conid in list(self._state) if conids is None else conids:
            self._state.pop(conid, None)
            self._times.pop(conid, None)
            self._server.pop(conid, None)

    def merge(self, text: bytes) -> dict | None:
        """What the row of this message must hold, or None if the message is no market data."""
        try:
            message = json.loads(text, parse_float=Decimal)
        except (ValueError, RecursionError):
            return None
        if not isinstance(message, dict) or not str(message.get("topic", "")).startswith("smd+"):
            return None
        named = re.match(r"smd\+(\d{1,18})(?:@|$)", message["topic"])
        conid = message.get("conid") or (int(named.group(1)) if named else None)
        if not isinstance(conid, int):
            return None
        server = message.get("server_id", self._server.get(conid))
        if server != self._server.get(conid):
            self._state[conid], self._times[conid] = {}, {}
            self._server[conid] = server
        state, times = self._state.setdefault(conid, {}), self._times.setdefault(conid, {})
        changed, flags = set(), set()
        updated = message.get("_updated")
        time = updated if isinstance(updated, int) else None
        for field, column in COLUMNS.items():
            if field in message:
                known = times.get(column)
                if time is not None and known is not None and 0 < known - time <= LATEST:
                    flags.add("late")
                    continue
                times[column] = time
                state[column], flag = value(column, message[field])
                changed.add(column)
                if flag:
                    flags.add(flag)
        return {
            "conid": conid,
            "ts_event": updated * 1_000_000 if isinstance(updated, int) else None,
            "state": dict(state), "changed": changed, "flags": flags,
            "abbreviated": {COLUMNS[f] for f in COLUMNS
                            if re.search(r"[KMBTkmbt]$", str(message.get(f, "")))},
        }


def differences(row: dict, wanted: dict) -> str | None:
    """The first way in which a row of ch=quote disagrees with what the message says."""
    for name in ("conid", "ts_event"):
        if row[name] != wanted[name]:
            return f"seq {row['seq']}: {name} is {row[name]}, not {wanted[name]}"
    for column in COLUMNS.values():
        want = wanted["state"].get(column)
        got = row[column]
        if column in wanted["abbreviated"] and got is None:
            continue  # a rounded display text may stand among `fields` only
        if want is not None and want.adjusted() > 30:
            continue  # no price: whether 1e400 is a number to a recorder is its own affair
        if got is not None and not isinstance(got, Decimal):
            return f"seq {row['seq']}: {column} is {got!r}, without a point"
        if (got is None) != (want is None) or (got is not None and got != want):
            return f"seq {row['seq']}: {column} is {got}, not {want}"
        if got is not None and -want.as_tuple().exponent > 0 and str(got) != str(want):
            return f"seq {row['seq']}: {column} lost digits: {got} for {want}"
    missing = (wanted["changed"] - wanted["abbreviated"]) - set(row["changed"])
    if missing:
        return f"seq {row['seq']}: changed lacks {sorted(missing)}"
    extra = set(row["changed"]) & set(COLUMNS.values()) - wanted["changed"]
    if extra:
        return f"seq {row['seq']}: changed claims {sorted(extra)}"
    if wanted["flags"] - set(row["flags"]):
        return f"seq {row['seq']}: flags lack {sorted(wanted['flags'])}"
    return None
