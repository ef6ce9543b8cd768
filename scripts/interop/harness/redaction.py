# SPDX-License-Identifier: Apache-2.0
# This file is part of ibkr-stream.
"""The substitution of secrets, worked out independently: for a message as sent, a pattern that the
recorded message has to match from its first to its last byte."""

import functools
import re

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_SECRET_KEYS = {"session", "MAC", "hardware_info", "username"}
_ACCOUNT_KEYS = {"acct", "account", "accountCode", "acctCode", "accountId", "acctId",
                 "selectedAccount", "account_allocation_name", "accounts"}
_ACCOUNT_MAPS = {"aliases", "acctProps"}
_ACCOUNT_TOPICS = re.compile(r"^(ssd|sld|sbd)\+([^+]+)(.*)$", re.S)


def _strings(text: str):
    """Yields (start, end, is_key, path) of each string; `path` holds the keys above it."""
    path, stack, key = [], [], None
    position = 0
    while position < len(text):
        character = text[position]
        if character == '"':
            end = _STRING.match(text, position).end()
            is_key = bool(stack) and stack[-1] == "{" and text[end:].lstrip()[:1] == ":" and key is None
            yield position + 1, end - 1, is_key, [*path, key] if not is_key else list(path)
            if is_key:
                key = text[position + 1 : end - 1]
            position = end
            continue
        if character in "{[":
            stack.append(character)
            path.append(key)
            # Elements of a list stand under the list's own key.
            key = None if character == "{" else key
        elif character in "}]":
            stack.pop()
            path.pop()
            key = None
        elif character == "," and stack and stack[-1] == "{":
            key = None
        position += 1


@functools.lru_cache(maxsize=10_000)
def pattern(text: str) -> tuple[re.Pattern, list[str]] | None:
    """None when nothing in the message is secret. Otherwise the pattern and, for its groups, the
    account ids that the recorder has to replace by an alias."""
    topic = re.search(r'"topic"\s*:\s*"((?:[^"\\]|\\.)*)"', text)
    topic = topic.group(1) if topic else ""
    cuts: list[tuple[int, int, str, str | None]] = []
    for start, end, is_key, path in _strings(text):
        value, name = text[start:end], next((p for p in reversed(path) if p), None)
        if not value:
            continue
        if is_key:
            if name in _ACCOUNT_MAPS:
                cuts.append((start, end, "account", value))
            elif topic == "spl" and name == "args":
                account = value.split(".")[0]
                cuts.append((start, start + len(account), "account", account))
        elif name in _SECRET_KEYS or (topic == "tic" and name == "id") or (
            topic == "system" and name == "success"
        ):
            cuts.append((start, end, "secret", None))
        elif name == "sessionId":
            cuts.append((start, end, "either", None))
        elif name in _ACCOUNT_KEYS or any(p in _ACCOUNT_MAPS for p in path[:-1]) and value[1:].isdigit():
            cuts.append((start, end, "account", value))
        elif name == "topic" and (match := _ACCOUNT_TOPICS.match(value)):
            cuts.append((start + match.start(2), start + match.end(2), "account", match.group(2)))
        elif name in _ACCOUNT_MAPS:
            cuts.append((start, end, "account", value))
    if not any(kind != "either" for _, _, kind, _ in cuts):
        return None
    out, accounts, position = [], [], 0
    for start, end, kind, account in sorted(cuts):
        out.append(re.escape(text[position:start]))
        if kind == "account":
            out.append(r"(acct-\d+)")
            accounts.append(account)
        elif kind == "secret":
            out.append(r"<redacted>")
        else:
            out.append(f"(?:<redacted>|{re.escape(text[start:end])})")
        position = end
    out.append(re.escape(text[position:]))
    return re.compile("".join(out), re.S), accounts


class Substitution:
    """Compares rows with what was sent; aliases must be the same for the whole run."""

    def __init__(self):
        self.aliases: dict[str, str] = {}
        self.substituted = 0

    def differs(self, sent: bytes, row: dict, recorded: bytes) -> str | None:
        try:
            wanted = pattern(sent.decode())
        except (UnicodeDecodeError, AttributeError, IndexError):
            wanted = None  # not JSON: nothing to find in it, so it must be kept as it is
        if wanted is None:
            if recorded != sent:
                return f"seq {row['seq']}: {recorded[:120]!r} is not {sent[:120]!r}"
            return f"seq {row['seq']}: redacted without a reason" if row["redacted"] else None
        expression, accounts = wanted
        match = expression.fullmatch(recorded.decode(errors="replace"))
        if not match:
            return f"seq {row['seq']}: {recorded!r} does not match {expression.pattern!r}"
        self.substituted += 1
        for account, alias in zip(accounts, match.groups()):
            if self.aliases.setdefault(account, alias) != alias:
                return f"seq {row['seq']}: {account} was {self.aliases[account]}, now {alias}"
        if len(set(self.aliases.values())) != len(self.aliases):
            return f"seq {row['seq']}: two accounts share an alias: {self.aliases}"
        return None if row["redacted"] else f"seq {row['seq']}: substituted, but redacted is false"
