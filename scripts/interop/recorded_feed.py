# SPDX-License-Identifier: Apache-2.0
# This file is part of ibkr-stream.
"""Plays recorded messages to `ibkr record` and compares what it wrote, byte for byte."""

import argparse
import asyncio
import datetime
import json
import re
import tempfile
import time
from decimal import Decimal
from pathlib import Path

from harness import frames, quotes, recording
from harness.checks import Checks
from harness.gateway import ACCOUNT, GREETING, SESSION, STATUS, Gateway
from harness.program import Program
from harness.redaction import Substitution

# Messages that no recording holds, and that must still be kept as they are.
ODDITIES = [
    (frames.BINARY, b'{"topic":"smd+265598","conid":265598,"58":"caf\x99"}'),
    (frames.TEXT, b'{"topic":"smd+265598","conid":265598,"58":"caf\x99"}'),
    (frames.TEXT, '{"topic":"blt","args":[{"id":1,"message":"Zürich 株式 \U0001f4c8"}]}'.encode()),
    (frames.BINARY, b""),
    (frames.BINARY, b"null"),
    (frames.BINARY, b"[]"),
    (frames.BINARY, b'[{"topic":"smd+265598"}]'),
    (frames.BINARY, b'{"topic":"smd+265598","conid":'),
    (frames.BINARY, b'265598,"31":"1.00"}'),
    (frames.BINARY, b'{"topic":17}'),
    (frames.BINARY, b'{"topic":"smd+"}'),
    (frames.BINARY, b'{"topic":"smd+99999999999999999999","31":"1.00"}'),
    (frames.BINARY, b'{"topic":"smd+265598","31":"1.00"}'),
    (frames.BINARY, b'{"topic":"smd+265598","conid":265598,"31":1e400,"84":"-0.50","86":"1,300.25"}'),
    (frames.BINARY, b'{"topic":"smd+265598","conid":265598,"_updated":"soon","31":{"a":[1]}}'),
    (frames.BINARY, b'\x00\x01\x02"\\\n\r\t\x7f'),
    (frames.BINARY, b'{"topic":"blt","args":[{"message":"' + b"x" * 1_000_000 + b'"}]}'),
    (frames.BINARY, b"[" * 10_000),
]


def inbound(path: Path) -> list[tuple[float, bytes]]:
    """The messages a recording holds, with their distance from the first in seconds."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    found = [
        (datetime.datetime.fromisoformat(line["ts"]).timestamp(), line["raw"].encode())
        for line in lines if line["dir"] == "in"
    ]
    return [(stamp - found[0][0], raw) for stamp, raw in found]


def samples(reference: Path) -> list[bytes]:
    """Every message of section 4 of the protocol reference: fenced blocks and those in the text."""
    text = reference.read_text()
    section = text[text.index("\n## 4. ") : text.index("\n## 5. ")]
    lines = [
        line.strip() for block in re.findall(r"```json\n(.*?)```", section, re.S)
        for line in block.splitlines() if line.strip()
    ]
    lines += re.findall(r"(?<!`)`(\{[^`\n]*\})`(?!`)", section)
    found = []
    for line in lines:
        try:
            json.loads(line)
        except ValueError:
            continue
        found.append(line.encode())
    return found


def conids(messages) -> list[int]:
    found = {int(c) for m in messages for c in re.findall(rb'"topic":"smd\+(\d{2,9})[@"]', m)}
    return sorted(found)


class Run:
    """One gateway, one recorder, one directory."""

    def __init__(self, name: str, arguments, folder: Path, wanted: list[int], script):
        self.name, self.arguments, self.wanted, self.script = name, arguments, wanted, script
        self.folder, self.data = folder / name, folder / name / "data"
        self.done = asyncio.Event()
        self.errors, self.code, self.memory, self.seconds = "", None, 0.0, 0.0

    async def play(self, connection):
        everything = lambda commands: {
            int(m.group(1)) for c in commands if (m := re.match(r"smd\+(\d+)", c))
        } >= set(self.wanted)
        if not await connection.commands_match(everything):
            self.gateway.problems.append(f"not everything subscribed: {connection.commands}")
        began = time.monotonic()
        if await self.script(connection):
            self.seconds = time.monotonic() - began
            self.done.set()

    async def run(self, limit: float):
        async with Gateway(self.folder, self.play, seed=self.arguments.seed) as self.gateway:
            async with Program(
                self.arguments.ibkr, "record", *self.wanted, "--gateway", self.gateway.url,
                "--ca", self.gateway.ca, "-o", self.data,
            ) as recorder:
                playing = asyncio.create_task(self.done.wait())
                ending = asyncio.create_task(recorder.process.wait())
                await asyncio.wait({playing, ending}, timeout=limit,
                                   return_when=asyncio.FIRST_COMPLETED)
                self.survived = recorder.running
                self.memory = recorder.memory()
                self.code = await recorder.stop()
                self.errors = recorder.errors()
                playing.cancel()
                ending.cancel()
        return self

    def check(self, checks: Checks):
        name, connections = self.name, self.gateway.connections
        alive = checks.that(f"{name}: nothing stopped the recorder", self.survived and self.done.is_set(),
                            f"{self.seconds:.1f} s, {len(connections)} connections, {self.memory:.0f} MB")
        stopped = checks.that(f"{name}: SIGINT ends it with code 0", self.code == 0, self.code)
        if not (alive and stopped):
            print(self.errors[-3000:])
        checks.none(f"{name}: as the gateway demands", self.gateway.problems)
        self.raw = recording.rows(self.data, "raw")
        checks.none(f"{name}: seq from 1 without a hole", recording.holes(self.raw),
                    f"{self.raw[-1]['seq'] if self.raw else 0} numbers")
        checks.that(f"{name}: columns of ch=raw",
                    all(list(r) == recording.RAW_COLUMNS for r in self.raw))
        self._check_inbound(checks)
        self._check_outbound(checks)
        self._check_quotes(checks)
        checks.none(f"{name}: every part sealed", recording.unsealed(self.data))
        secrets = [SESSION, ACCOUNT, "username1", STATUS["MAC"], STATUS["hardware_info"]]
        checks.none(f"{name}: no secret in any file", recording.leaks(self.data, secrets))
        checks.none(f"{name}: no secret in its log", [s for s in secrets if s in self.errors])

    def _check_inbound(self, checks: Checks):
        rows = recording.messages(self.raw, "in")
        substitution, problems, position = Substitution(), [], 0
        self.matched: list[tuple[dict, bytes]] = []
        total = 0
        for number, connection in enumerate(self.gateway.connections):
            total += len(connection.sent)
            for index, sent in enumerate(connection.sent):
                row = rows[position] if position < len(rows) else None
                wrong = substitution.differs(sent, row, recording.payload(row)) if row else "missing"
                if wrong:
                    if index >= connection.proven and connection.closed:
                        break  # sent into a connection that the client had already left
                    problems.append(f"connection {number}, message {index}: {wrong}")
                    if len(problems) > 20:
                        break
                self.matched.append((row, sent))
                position += 1
        if position < len(rows):
            problems.append(f"{len(rows) - position} rows that nobody sent")
        checks.none(f"{self.name}: each message byte for byte in ch=raw", problems,
                    f"{position} of {total}, {substitution.substituted} with secrets")

    def _check_outbound(self, checks: Checks):
        said = [c.encode() for connection in self.gateway.connections for c in connection.commands]
        rows = recording.messages(self.raw, "out")
        substitution = Substitution()
        problems = [
            wrong for sent, row in zip(said, rows)
            if (wrong := substitution.differs(sent, row, recording.payload(row)))
        ]
        if len(said) != len(rows):
            problems.append(f"{len(said)} received, {len(rows)} recorded")
        checks.none(f"{self.name}: each command of ours in ch=raw", problems, len(rows))

    def _check_quotes(self, checks: Checks):
        rows = {(row["seq"], row["conid"]): row for row in recording.rows(self.data, "quote")}
        checks.that(f"{self.name}: columns of ch=quote",
                    all(list(r) == recording.QUOTE_COLUMNS for r in rows.values()), len(rows))
        merger, problems, values = quotes.Merger(), [], 0
        gaps = sorted(recording.gaps_begun(self.raw).items())
        for row, sent in self.matched:
            if row is None:
                continue
            while gaps and gaps[0][0] < row["seq"]:
                merger.forget(gaps.pop(0)[1])
            wanted = merger.merge(sent)
            if wanted is None or wanted["conid"] not in self.wanted:
                continue
            found = rows.get((row["seq"], wanted["conid"]))
            if wanted["changed"]:
                values += 1
                if found is None:
                    problems.append(f"seq {row['seq']}: no quote for {sent[:200]!r}")
                    continue
            if found is not None and (wrong := quotes.differences(found, wanted)):
                problems.append(f"{wrong}: {sent[:300]!r}")
        checks.none(f"{self.name}: quotes agree with the recording", problems, f"{values} messages")
        self.quotes = rows


async def own_timing(connection, messages) -> bool:
    began = time.monotonic()
    for offset, message in messages:
        await asyncio.sleep(max(0, began + offset - time.monotonic()))
        await connection.send([message])
    return await connection.prove()


async def at_full_speed(connection, messages, repeat) -> bool:
    for _ in range(repeat):
        await connection.send(messages, fragments=2, split=False, batch=len(messages))
    # Once more, in the smallest pieces.
    await connection.send(messages, fragments=6, split=True)
    return await connection.prove(120)


def check_typed(checks: Checks, run: Run):
    """What section 5.1 of the reference demands of single values."""
    latest = {}
    for (_, conid), row in run.quotes.items():
        latest.setdefault(conid, []).append(row)
    closing = next((r for r in latest.get(38708077, []) if r["last"] is not None), None)
    checks.that("typed: C4735.10 is 4735.10 with the flag last_close",
                closing and closing["last"] == Decimal("4735.10") and str(closing["last"]) == "4735.10"
                and "last_close" in closing["flags"], closing and (closing["last"], closing["flags"]))
    checks.that("typed: N/A is null",
                all(r["last"] is None for r in latest.get(8595, [])), len(latest.get(8595, [])))
    first = latest.get(265598, [])[:2]
    checks.that("typed: the doubled first image is there twice, the second a duplicate",
                len(first) == 2 and "duplicate" in first[1]["flags"]
                and "duplicate" not in first[0]["flags"]
                and first[0]["bid"] == first[1]["bid"] == Decimal("271.55"),
                [r["flags"] for r in first])
    checks.that("typed: a number beside strings (83)",
                bool(first) and first[0]["change_pct"] == Decimal("0.56"), first and first[0]["change_pct"])
    checks.that("typed: the first messages of a server_id are images",
                bool(first) and first[0]["snapshot"] is True, first and first[0]["snapshot"])
    digits = next((r for r in latest.get(80268543, []) if r["bid"] is not None), None)
    checks.that("typed: 64.780 keeps its zero", digits and str(digits["bid"]) == "64.780",
                digits and digits["bid"])
    sizes = [r for rs in latest.values() for r in rs if r["bid_size"] == Decimal(1300)]
    checks.that("typed: the size 1,300 is 1300.0", bool(sizes), sizes and sizes[0]["bid_size"])


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ibkr", required=True)
    parser.add_argument("--shared", required=True, type=Path)
    parser.add_argument("--repeat", type=int, default=1000)
    parser.add_argument("--own-timing", nargs="*", default=["smd-large", "smd-multi", "smd-single"])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path)
    arguments = parser.parse_args()

    files = {p.stem: inbound(p) for p in sorted((arguments.shared / "recorded-ws").glob("*.ndjson"))}
    everything = [m for messages in files.values() for _, m in messages]
    checks = Checks(f"recorded feed: {len(everything)} recorded messages")

    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.keep or Path(temporary)

        timed = [n for n in arguments.own_timing if n != "none"]
        runs = [
            Run(f"timed-{n}", arguments, folder, conids(m for _, m in files[n]),
                lambda connection, n=n: own_timing(connection, files[n]))
            for n in timed
        ]
        for run in await asyncio.gather(*(r.run(180) for r in runs)):
            run.check(checks)

        fast = Run("fast", arguments, folder, conids(everything),
                   lambda connection: at_full_speed(connection, everything, arguments.repeat))
        await fast.run(60 + arguments.repeat * 0.5)
        fast.check(checks)
        count = len(everything) * (arguments.repeat + 1)
        print(f"          {count} messages in {fast.seconds:.1f} s: "
              f"{count / max(fast.seconds, 0.001):.0f} a second from the Python server")

        messages = [(frames.BINARY, m) for m in samples(arguments.shared / "ibkr-protocol.md")]
        checks.that("samples: found in the reference", len(messages) >= 40, len(messages))
        # From the list and the position in it, so that a reconnect goes on where it stopped.
        left = iter([*messages, *ODDITIES])
        proofs = []

        async def one_by_one(connection) -> bool:
            for opcode, message in left:
                await connection.send([message], opcode)
                if not await connection.prove():
                    proofs.append(message[:80])
                    return False  # the client left, as some of these ask it to; go on with the next
                if b"waiting for session" in message:
                    await connection.send(GREETING)
            return await connection.prove()

        sampled = Run("samples", arguments, folder, conids(m for _, m in messages), one_by_one)
        await sampled.run(300)
        if proofs:
            print(f"          the client left after: {proofs}")
        sampled.check(checks)
        check_typed(checks, sampled)
    checks.finish()


if __name__ == "__main__":
    asyncio.run(main())
