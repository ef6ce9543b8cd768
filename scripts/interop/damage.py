# SPDX-License-Identifier: Apache-2.0
# This file is part of ibkr-stream.
"""Recordings that are damaged on purpose."""

import argparse
import asyncio
import gzip
import json
import resource
import shutil
import subprocess
import tempfile
import zlib
from collections import Counter
from pathlib import Path

from harness.checks import Checks
from harness.program import Program

DAMAGES: list[tuple[str, str, str, object]] = []


def damage(name: str, kind: str, compress: str = "none"):
    """Registers a damage: its name, what `verify` has to call it, which recording it is done to."""
    def register(inflict):
        DAMAGES.append((name, kind, compress, inflict))
        return inflict
    return register


def part(data: Path, number: int = 0, channel: str = "raw") -> Path:
    return sorted(data.glob(f"ch={channel}/**/part-*"))[number]


def change(path: Path, body):
    path.write_bytes(body(path.read_bytes()))


def lines(path: Path, body):
    """Changes the list of lines, in place."""
    content = path.read_bytes().splitlines()
    body(content)
    path.write_bytes(b"".join(line + b"\n" for line in content))


def line(path: Path, number: int, body):
    def at(content):
        content[number] = body(content[number])
    lines(path, at)


def replace(old: bytes, new: bytes):
    def body(text: bytes) -> bytes:
        assert old in text, f"{old!r} is not in {text[:200]!r}"
        return text.replace(old, new, 1)
    return body


def quoted(content: list[bytes], text: bytes) -> int:
    return next(n for n, entry in enumerate(content) if n and text in entry)


def members(content: bytes) -> list[bytes]:
    """The gzip members of a sealed part; a header tells the length of its own."""
    found = []
    while content:
        length = int.from_bytes(content[36:40], "little")
        found.append(content[:length])
        content = content[length:]
    return found


def arrived(path: Path, column: str, later: int):
    """Changes when a message came, or so it says; those behind it then come too early."""
    def body(content):
        n = [n for n, text in enumerate(content) if b'"op":"binary"' in text][5]
        value = json.loads(content[n])[column]
        content[n] = content[n].replace(b'"%s":%d' % (column.encode(), value),
                                        b'"%s":%d' % (column.encode(), value + later), 1)
    lines(path, body)


# In lines.

@damage("the last line is truncated", "torn_line")
def _(data):
    change(part(data, -1), lambda b: b[:-20])


@damage("a part is truncated in the middle", "torn_line")
def _(data):
    change(part(data), lambda b: b[:len(b) // 2 + 7])


@damage("a byte of the structure is flipped", "not_json")
def _(data):
    line(part(data), 3, lambda b: b"[" + b[1:])


@damage("a bit of a price is flipped", "wrong_digest")
def _(data):
    def body(content):
        n = quoted(content, b'\\"84\\":\\"')
        at = content[n].index(b'\\"84\\":\\"') + 9
        content[n] = content[n][:at] + bytes([content[n][at] ^ 1]) + content[n][at + 1:]
    lines(part(data), body)


@damage("a page of zeros", "not_json")
def _(data):
    change(part(data), lambda b: b[:900] + bytes(4096) + b[4996:])


@damage("a page of noise", "not_utf8")
def _(data):
    change(part(data), lambda b: b[:900] + bytes((n * 73 + 41) % 251 for n in range(2000)) + b[2900:])


@damage("not UTF-8", "not_utf8")
def _(data):
    line(part(data), 2, lambda b: b.replace(b"in", b"\x99\xff", 1))


@damage("two lines are swapped", "seq_order")
def _(data):
    def body(content):
        content[2], content[3] = content[3], content[2]
    lines(part(data), body)


@damage("all lines are reversed", "seq_order")
def _(data):
    lines(part(data), lambda content: content.reverse())


@damage("a line comes twice", "seq_repeated")
def _(data):
    lines(part(data), lambda content: content.insert(2, content[2]))


@damage("a line is missing", "seq_hole")
def _(data):
    lines(part(data), lambda content: content.pop(4))


@damage("a line is empty", "empty_line")
def _(data):
    lines(part(data), lambda content: content.insert(4, b""))


@damage("a line in two pieces", "not_json")
def _(data):
    line(part(data), 4, replace(b',"dir"', b'\n,"dir"'))


@damage("two lines run together", "not_json")
def _(data):
    lines(part(data), lambda content: content.insert(4, content.pop(4) + content.pop(4)))


@damage("lines end as in Windows", "wrong_size")
def _(data):
    change(part(data), lambda b: b.replace(b"\n", b"\r\n"))


@damage("a line of another run", "wrong_run")
def _(data):
    line(part(data), 4, replace(b'"run":"0', b'"run":"1'))


@damage("a line of another day", "wrong_day")
def _(data):
    line(part(data), 4, replace(b'"ts_recv":1', b'"ts_recv":2'))


@damage("the clock goes backwards", "time_backwards")
def _(data):
    arrived(part(data), "mono", 5_000_000_000)


@damage("the clock is set back", "clock_set_back")
def _(data):
    arrived(part(data), "ts_recv", 3_000_000_000)


@damage("a column is missing", "wrong_columns")
def _(data):
    line(part(data, 0, "quote"), 1, replace(b'"snapshot":', b'"image":'))


@damage("a number is a string", "wrong_type")
def _(data):
    line(part(data), 1, replace(b'"redacted":false', b'"redacted":"no"'))


@damage("another symbol", "wrong_symbol")
def _(data):
    line(part(data, 0, "quote"), 1, replace(b'"symbol":"', b'"symbol":"X'))


@damage("a quote of no message", "not_in_log")
def _(data):
    line(part(data, 0, "quote"), 1, replace(b'"seq":', b'"seq":900000'))


@damage("a quote is not that of its message", "differs_from_log")
def _(data):
    line(part(data, 0, "quote"), -1, replace(b'"bid":', b'"bid":9'))


@damage("the gap between two runs is missing", "undeclared_down_time")
def _(data):
    for path in data.glob("ch=raw/**/part-*"):
        lines(path, lambda content: content.__setitem__(
            slice(None), [entry for entry in content if b"process_down" not in entry]))


# In gzip members.

@damage("a sealed part is truncated", "damaged_member", "gz")
def _(data):
    change(part(data), lambda b: b[:-10])


@damage("a member is cut in the middle", "damaged_member", "gz")
def _(data):
    def body(content):
        first, *rest = members(content)
        return first[:len(first) // 2] + b"".join(rest)
    change(longest(data), body)


@damage("a member is missing", "seq_hole", "gz")
def _(data):
    change(longest(data), lambda b: b"".join([*members(b)[:1], *members(b)[2:]]))


@damage("two members are swapped", "seq_order", "gz")
def _(data):
    def body(content):
        first, second, *rest = members(content)
        return b"".join([second, first, *rest])
    change(longest(data), body)


@damage("a bit of a member is flipped", "damaged_member", "gz")
def _(data):
    change(part(data), lambda b: b[:len(b) // 2] + bytes([b[len(b) // 2] ^ 4]) + b[len(b) // 2 + 1:])


@damage("the checksum of a member", "damaged_member", "gz")
def _(data):
    change(part(data), lambda b: b[:-6] + bytes([b[-6] ^ 1]) + b[-5:])


@damage("something stands behind the last member", "damaged_member", "gz")
def _(data):
    change(part(data), lambda b: b + b"something")


def longest(data: Path) -> Path:
    return max(data.glob("ch=raw/**/part-*"), key=lambda path: len(members(path.read_bytes())))


# In files.

@damage("a part of the log is missing", "missing_part")
def _(data):
    part(data, 1).unlink()


@damage("a part of the quotes is missing", "missing_part")
def _(data):
    part(data, 0, "quote").unlink()


@damage("an empty file", "empty_part")
def _(data):
    change(part(data, 1), lambda _: b"")


@damage("an empty file too many", "empty_part")
def _(data):
    first = part(data)
    first.with_name(first.name.replace("-000001.", "-000999.")).touch()


@damage("a part lies in another run's name", "wrong_run")
def _(data):
    first, last = part(data), part(data, -1)
    first.rename(last.with_name(last.name.rsplit("-", 1)[0] + "-000999.ndjson"))


@damage("a file that is no part", "unknown_file")
def _(data):
    part(data).with_name("notes.txt").write_text("mine")


@damage("a draft was left behind", "leftover")
def _(data):
    part(data).with_name(part(data).name + ".gz.new").write_bytes(b"\x1f\x8b")


@damage("a part is there twice", "double_part", "gz")
def _(data):
    part(data).with_suffix("").write_bytes(gzip.decompress(part(data).read_bytes()))


@damage("the record of a run is missing", "missing_run")
def _(data):
    sorted((data / "runs").iterdir())[0].unlink()


@damage("half of the record of a run", "bad_run")
def _(data):
    change(sorted((data / "runs").iterdir())[0], lambda b: b[:len(b) // 2])


# In the ledgers.

@damage("the manifest is missing", "missing_manifest", "gz")
def _(data):
    (data / "_manifest.ndjson").unlink()


@damage("the manifest is truncated", "torn_line", "gz")
def _(data):
    change(data / "_manifest.ndjson", lambda b: b[:-30])


@damage("a line of the manifest is missing", "unlisted_part", "gz")
def _(data):
    lines(data / "_manifest.ndjson", lambda content: content.pop(0))


@damage("another digest in the manifest", "wrong_digest")
def _(data):
    line(data / "_manifest.ndjson", 0, replace(b'"sha256":"', b'"sha256":"00'))


@damage("another number of lines in the manifest", "wrong_counts")
def _(data):
    line(data / "_manifest.ndjson", 0, replace(b'"lines":', b'"lines":1'))


@damage("the instruments are truncated", "torn_line")
def _(data):
    change(data / "instruments.ndjson", lambda b: b[:-9])


def long_line(size: int):
    """A line that no memory should be made to hold, between good ones."""
    def inflict(data):
        path = part(data)
        content = path.read_bytes().splitlines(keepends=True)
        with open(path, "wb") as file:
            file.writelines(content[:3])
            file.write(b'{"v":1,"msg":"')
            for _ in range(size >> 20):
                file.write(b"x" * (1 << 20))
            file.write(b'"}\n')
            file.writelines(content[3:])
    return inflict


# What can be told of a recording without the program.

def texts(path: Path):
    """The whole lines of a part, of every gzip member that can be read."""
    if path.suffix != ".gz":
        with open(path, "rb") as file:
            # A line that is longer than any is read in pieces, none of which is JSON.
            while text := file.readline(1 << 24):
                yield text
        return
    content = path.read_bytes()
    while start := content.find(b"\x1f\x8b\x08") + 1:
        content = content[start - 1:]
        member = zlib.decompressobj(wbits=31)
        try:
            text = member.decompress(content)
            if not member.eof:
                raise zlib.error
        except zlib.error:
            content = content[1:]
            continue
        yield from text.splitlines(keepends=True)
        content = member.unused_data


def good_lines(data: Path) -> Counter:
    """Every good line, by its folder: whole, JSON, and of the run that its file is named after."""
    found: Counter = Counter()
    for path in sorted(data.glob("ch=*/**/part-*")):
        if not path.name.endswith((".ndjson", ".ndjson.gz")):
            continue
        run = path.name.split("-")[1].encode()
        for text in texts(path):
            try:
                value = json.loads(text) if text.endswith(b"\n") else None
            except ValueError:
                continue
            if isinstance(value, dict) and value.get("run", "").encode() == run and "seq" in value:
                found[str(path.parent.relative_to(data)), text.strip()] = 1
    return found


def verify(ibkr: str, data: Path, *options: str) -> tuple[int, list[dict], str]:
    done = subprocess.run([ibkr, "verify", data, "--deep", "--json", *options], capture_output=True,
                          timeout=600, check=False)
    return done.returncode, [json.loads(text) for text in done.stdout.splitlines()], done.stderr.decode()


async def make(ibkr: str, folder: Path, compress: str) -> Path:
    """A sound recording of two runs."""
    data, ca = folder / compress, folder / "ca.pem"
    async with Program(ibkr, "simulate", "--port", 0, "--ca-out", ca, "--rate", 400) as simulator:
        url = (await simulator.line()).removeprefix("listening ")
        for rotate in ("300KB", "3MB"):
            async with Program(ibkr, "record", "AAPL", "MSFT", "--gateway", url, "--ca", ca, "-o", data,
                               "--rotate", rotate, "--compress", compress, "--duration", "4s",
                               "-q") as recorder:
                assert await recorder.wait(60) == 0, recorder.errors()
    return data


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ibkr", required=True)
    parser.add_argument("--only", help="one damage, or a part of its name")
    parser.add_argument("--long-line", type=int, default=1_000_000_000, help="bytes")
    arguments = parser.parse_args()
    DAMAGES.append((f"a line of {arguments.long_line / 1e6:.0f} MB", "line_too_long", "none",
                    long_line(arguments.long_line)))
    checks = Checks(f"{len(DAMAGES)} kinds of damage")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        sound = {compress: await make(arguments.ibkr, folder, compress) for compress in ("none", "gz")}
        for compress, data in sound.items():
            code, findings, words = verify(arguments.ibkr, data)
            checks.that(f"undamaged ({compress}): exit code 0", code == 0 and not findings, words.strip())
        healed = 0
        for name, kind, compress, inflict in DAMAGES:
            if (arguments.only or "") not in name:
                continue
            data = folder / "copy"
            shutil.copytree(sound[compress], data)
            inflict(data)
            before = good_lines(data)
            code, findings, _ = verify(arguments.ibkr, data)
            kinds = Counter(finding["kind"] for finding in findings)
            harmless = all(not finding["damage"] for finding in findings)
            problems = []
            if kind not in kinds:
                problems.append(f"verify does not say {kind} but {dict(kinds)}")
            if code != (0 if harmless else 6):
                problems.append(f"verify: exit code {code}")
            after_code, _, words = verify(arguments.ibkr, data, "--repair")
            if after_code not in (0, 6):
                problems.append(f"repair: exit code {after_code}: {words[-300:]}")
            lost = before - good_lines(data)
            problems += [f"lost from {place}: {text[:120]!r}" for place, text in lost]
            healed += after_code == 0
            checks.none(name, problems,
                        f"{kind}; {len(before)} good lines, 0 lost, "
                        + ("whole again" if after_code == 0 else "told as before"))
            shutil.rmtree(data)
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        checks.that("memory stayed below 300 MB", peak < 300, f"{peak:.0f} MB")
        print(f"whole again after --repair: {healed}")
    checks.finish()


if __name__ == "__main__":
    asyncio.run(main())
