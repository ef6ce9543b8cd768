# SPDX-License-Identifier: Apache-2.0
# This file is part of ibkr-stream.
"""Foreign readers load every channel, and what `ibkr export` makes of it, and find what is there."""

import argparse
import asyncio
import gzip
import importlib.util
import itertools
import json
import math
import shutil
import signal
import subprocess
import tempfile
from decimal import Decimal
from pathlib import Path

from harness import exported
from harness.checks import Checks
from harness.program import Program

FEEDS = "book,history,order,trade,pnl,ledger,summary"
RECORDED = ["raw", "quote", "gap", "status", *FEEDS.split(",")]
READERS = ["pyarrow", "pyarrow exact", "pandas", "pandas exact", "polars", "polars exact", "duckdb",
           "duckdb exact"]


# ---------------------------------------------------------------- what is there

def lines(data: Path, channel: str):
    """Every line of a channel, read without anything of load.py."""
    parts = {p for p in (data / f"ch={channel}").rglob("part-*")
             if p.name.endswith((".ndjson", ".ndjson.gz", ".ndjson.zst"))}
    for path in sorted(parts):
        if any(path.with_name(path.name + codec) in parts for codec in (".gz", ".zst")):
            continue  # sealed a moment ago: the same lines are in the other file
        if path.suffix == ".zst":
            yield from zstandard_lines(path)
            continue
        with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
            yield from (line for line in file if line.endswith(b"\n"))


def zstandard_lines(path: Path):
    import pyarrow
    yield from pyarrow.input_stream(str(path), compression="zstd").read().splitlines(keepends=True)


class Facts:
    """Rows, and of each column how many values there are and what they come to."""

    def __init__(self, rows=0):
        self.rows = rows
        self.counts, self.sums, self.floats, self.spans = {}, {}, {}, {}

    @classmethod
    def read(cls, data: Path, channel: str, kinds: dict):
        facts, columns = cls(), {name: [] for name in kinds}
        for line in lines(data, channel):
            row = json.loads(line, parse_float=Decimal)
            if list(row) != list(kinds):
                raise ValueError(f"{channel}: the columns are {list(row)}")
            facts.rows += 1
            for name, value in row.items():
                if value is not None:
                    columns[name].append(value)
        for name, values in columns.items():
            facts.add(name, kinds[name], values)
        return facts

    def add(self, name, kind, values):
        """Takes the values of a column that are not null."""
        self.counts[name] = len(values)
        if kind == "decimal":
            self.floats[name] = math.fsum(map(float, values))
            if all(isinstance(value, Decimal) for value in values):
                self.sums[name] = sum(values, Decimal(0))
        elif kind == "integer":
            self.sums[name] = sum(map(int, values))
            if name in ("ts_recv", "ts_event") and values:
                self.spans[name] = (int(min(values)), int(max(values)))
        elif kind == "flag":
            self.sums[name] = sum(map(bool, values))
        elif kind == "text":
            self.sums[name] = sum(map(len, values))
        else:
            self.sums[name] = sum(len(list(value)) for value in values)

    @classmethod
    def of(cls, found: exported.Found, kinds: dict):
        rows, columns, _ = found
        facts = cls(rows)
        for name, kind in kinds.items():
            facts.add(name, kind, columns.get(name, []))
        return facts

    def differences(self, other, exact: bool) -> list[str]:
        """What another found otherwise; sums of floats are rounded once, so they must agree too."""
        found = [] if self.rows == other.rows else [f"{other.rows} rows, not {self.rows}"]
        for what in ("counts", "spans", "sums" if exact else "floats"):
            mine, theirs = getattr(self, what), getattr(other, what)
            found += [f"{what} of {name}: {theirs.get(name)}, not {mine[name]}"
                      for name in mine if theirs.get(name) != mine[name]]
        if not exact:
            found += [f"sum of {name}: {other.sums.get(name)}, not {value}"
                      for name, value in self.sums.items()
                      if name not in self.floats and other.sums.get(name) != value]
        return found


# ---------------------------------------------------------------- what the readers find

def arrow_facts(table, kinds: dict) -> Facts:
    facts = Facts(table.num_rows)
    for name, kind in kinds.items():
        facts.add(name, kind, table[name].drop_null().to_pylist())
    return facts


def pandas_facts(frame, kinds: dict) -> Facts:
    facts = Facts(len(frame))
    for name, kind in kinds.items():
        facts.add(name, kind, list(frame[name].dropna()))
    return facts


def polars_facts(frame, kinds: dict) -> Facts:
    facts = Facts(frame.height)
    for name, kind in kinds.items():
        facts.add(name, kind, frame[name].drop_nulls().to_list())
    return facts


def duckdb_facts(connection, channel: str, kinds: dict) -> Facts:
    facts = Facts(connection.execute(f'SELECT count(*) FROM "{channel}"').fetchone()[0])
    for name, kind in kinds.items():
        column = f'"{name}"'
        rows = connection.execute(
            f'SELECT {column} FROM "{channel}" WHERE {column} IS NOT NULL').fetchall()
        facts.add(name, kind, [row[0] for row in rows])
    return facts


def read(reader: str, load, connection, channel: str) -> tuple[Facts, dict]:
    """What a reader finds in a channel, and the type of each column in its own words."""
    exact, kinds = reader.endswith("exact"), load.COLUMNS[channel]
    match reader.split()[0]:
        case "pyarrow":
            table = load.arrow(channel, exact)
            return arrow_facts(table, kinds), {f.name: str(f.type) for f in table.schema}
        case "pandas":
            frame = load.pandas(channel, exact)
            types = {n: str(t).removesuffix("[pyarrow]") for n, t in frame.dtypes.items()}
            return pandas_facts(frame, kinds), types
        case "polars":
            frame = load.polars(channel, exact)
            return polars_facts(frame, kinds), {n: str(t) for n, t in frame.schema.items()}
    types = {row[0]: row[1] for row in connection.execute(f'DESCRIBE "{channel}"').fetchall()}
    return duckdb_facts(connection, channel, kinds), types


NUMBERS = {"pyarrow": "double", "pandas": "double", "polars": "Float64", "duckdb": "DOUBLE",
           "pyarrow exact": "decimal128(38, 12)", "pandas exact": "decimal128(38, 12)",
           "polars exact": "Decimal(precision=38, scale=12)", "duckdb exact": "DECIMAL(38,12)"}
INTEGERS = {"pyarrow": "int64", "pandas": "int64", "polars": "Int64", "duckdb": "BIGINT"}


def wrong_types(reader: str, found: dict, kinds: dict) -> list[str]:
    wanted = {"decimal": NUMBERS[reader], "integer": INTEGERS[reader.split()[0]]}
    return [f"{name} is {found.get(name)}, not {wanted[kind]}" for name, kind in kinds.items()
            if kind in wanted and found.get(name) != wanted[kind]]


def stats(ibkr: str, data: Path) -> dict[str, Facts]:
    """What `ibkr stats` finds in each channel."""
    output = subprocess.run([ibkr, "stats", data, "--json"], capture_output=True, text=True,
                            check=True, timeout=120).stdout
    found = {}
    for line in output.splitlines():
        row = json.loads(line, parse_float=Decimal)
        if row["symbol"] is not None:
            continue
        facts = found[row["channel"]] = Facts(row["rows"])
        for name in ("ts_recv", "ts_event"):
            if row[f"{name}_first"] is not None:
                facts.spans[name] = (row[f"{name}_first"], row[f"{name}_last"])
        for name, column in row["columns"].items():
            facts.counts[name] = column["count"]
            if column["sum"] is not None:
                facts.sums[name] = column["sum"]
    return found


def load_module(data: Path):
    spec = importlib.util.spec_from_file_location("load", data / "load.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def compare(checks: Checks, title: str, ibkr: str, data: Path, channels: list[str]):
    """Loads all of a recording with every reader."""
    print(f"-- {title}", flush=True)
    load = load_module(data)
    facts = {c: Facts.read(data, c, load.COLUMNS[c]) for c in load.COLUMNS}
    rows = {c: f.rows for c, f in facts.items() if f.rows}
    checks.none(f"{title}: channels", [c for c in channels if c not in rows],
                " ".join(f"{c}:{n}" for c, n in rows.items()))
    counted = stats(ibkr, data)
    problems = []
    for channel in rows:
        mine, theirs = facts[channel], counted.get(channel, Facts())
        problems += [f"{channel}: {p}" for p in (
            [] if mine.rows == theirs.rows else [f"{theirs.rows} rows, not {mine.rows}"])]
        problems += [f"{channel}: {n}: {theirs.counts.get(n)} values, not {c}"
                     for n, c in mine.counts.items() if theirs.counts.get(n) != c]
        problems += [f"{channel}: {n}: {theirs.spans.get(n)}, not {s}"
                     for n, s in mine.spans.items() if theirs.spans.get(n) != s]
        problems += [f"{channel}: {n}: sum {theirs.sums.get(n)}, not {s}"
                     for n, s in mine.sums.items()
                     if load.COLUMNS[channel][n] in ("decimal", "integer") and mine.counts[n]
                     and theirs.sums.get(n) != s]
    checks.none(f"{title}: ibkr stats", problems, f"{sum(rows.values()):,} rows")
    plain, decimal = load.duckdb(), load.duckdb(exact=list(rows))
    for reader in READERS:
        exact, problems = reader.endswith("exact"), []
        connection = decimal if exact else plain
        for channel in load.COLUMNS:
            if channel not in rows and channel != "bar":
                continue
            found, types = read(reader, load, connection, channel)
            problems += [f"{channel}: {p}" for p in facts[channel].differences(found, exact)]
            if channel in rows:
                problems += [f"{channel}: {p}"
                             for p in wrong_types(reader, types, load.COLUMNS[channel])]
        checks.none(f"{title}: {reader}", problems, f"{len(rows)} channels")


# ---------------------------------------------------------------- exports

def export(ibkr: str, data: Path, place: Path, *options) -> tuple[int, dict]:
    """Runs `ibkr export`: its exit code, and what it says of each channel."""
    done = subprocess.run([ibkr, "export", data, "--json", "-o", place, *options],
                          capture_output=True, text=True, check=False, timeout=300)
    if done.returncode:
        print(done.stderr[-2000:])
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return done.returncode, {row["channel"]: row for row in rows}


def compare_exports(checks: Checks, title: str, ibkr: str, data: Path, traits: bool,
                    few: bool = False):
    """Exports all of a recording in every way and loads that with every reader, or with a few."""
    load = load_module(data)
    facts = {c: Facts.read(data, c, load.COLUMNS[c]) for c in load.COLUMNS}
    facts = {c: f for c, f in facts.items() if f.rows}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        ways = {"parquet": [], "exact": ["--exact"], "csv": []}
        if traits:
            ways = {"sqlite": [], "sqlite exact": ["--exact"]}
        for way, options in ways.items():
            place = folder / way.replace(" ", "-")
            kind = {"exact": "parquet", "sqlite exact": "sqlite"}.get(way, way)
            code, told = export(ibkr, data, place, "--to", kind, *options)
            rows = {c: (r["rows_read"], r["rows_written"]) for c, r in told.items()}
            checks.that(f"{title}: export {way}", code == 0 and rows == {
                c: (f.rows, f.rows) for c, f in facts.items()}, f"exit code {code}, {rows}")
        readers = [] if traits else [
            *(("parquet", r) for r in (exported.PARQUET[:4] if few else exported.PARQUET)),
            *(("csv", r) for r in (exported.CSV[:1] if few else exported.CSV))]
        readers += [("sqlite", "sqlite3"), ("sqlite", "sqlite3 exact")] if traits else []
        for kind, reader in readers:
            exact, problems = reader.endswith("exact") or kind == "csv", []
            for channel, wanted in facts.items():
                kinds = load.COLUMNS[channel]
                match kind:
                    case "parquet":
                        found = exported.parquet(
                            reader, folder / ("exact" if exact else "parquet"), channel)
                        problems += [f"{channel}: {p}" for p in wrong_types(
                            reader, found[2], {n: k for n, k in kinds.items() if k == "decimal"})]
                        problems += [f"{channel}: {n} is {found[2].get(n)}"
                                     for n in ("ts_recv", "ts_event")
                                     if found[2].get(n) != TIMES[reader.split()[0]]]
                    case "csv":
                        found = exported.comma_separated(reader, folder / "csv", channel, kinds)
                    case _:
                        name = "sqlite-exact" if exact else "sqlite"
                        found = exported.database(folder / name, channel, kinds, exact)
                        problems += [] if found[0] == wanted.rows else [f"{channel}: {found[0]} rows"]
                empty = empty_texts(data, channel, kinds) if kind == "csv" and not few else {}
                for name, count in empty.items():
                    # Most readers of CSV take an empty text for nothing.
                    found[1][name] += [""] * count
                problems += [f"{channel}: {p}"
                             for p in wanted.differences(Facts.of(found, kinds), exact)]
            checks.none(f"{title}: {kind} by {reader}", problems, f"{len(facts)} channels")
        if not traits:
            # Nothing is replaced unasked, and what is asked for is the same again.
            code, _ = export(ibkr, data, folder / "parquet", "--to", "parquet")
            checks.that(f"{title}: nothing is replaced", code == 7, code)
            before = {p: p.read_bytes() for p in folder.rglob("*.parquet")}
            code, _ = export(ibkr, data, folder / "parquet", "--to", "parquet", "--force")
            same = before == {p: p.read_bytes() for p in folder.rglob("*.parquet")}
            checks.that(f"{title}: twice the same bytes", code == 0 and same, code)


def empty_texts(data: Path, channel: str, kinds: dict) -> dict[str, int]:
    """How many texts of each column are empty."""
    texts = [name for name, kind in kinds.items() if kind == "text"]
    counts = dict.fromkeys(texts, 0)
    for line in lines(data, channel):
        row = json.loads(line)
        for name in texts:
            counts[name] += row[name] == ""
    return counts


TIMES = {"pyarrow": "timestamp[ns, tz=UTC]", "pandas": "timestamp[ns, tz=UTC]",
         "polars": "Datetime(time_unit='ns', time_zone='UTC')", "duckdb": "TIMESTAMPTZ_NS"}


# ---------------------------------------------------------------- recordings

async def record(checks: Checks, ibkr: str, folder: Path, seconds: float,
                 codec: str) -> tuple[Path, Path]:
    """Two runs, and what the second has left while it stood still."""
    data, ca, still = folder / "data", folder / "ca.pem", folder / "still"
    async with Program(ibkr, "simulate", "--ca-out", ca, "--rate", 4, "--fills", "700ms") as gateway:
        url = (await gateway.line()).removeprefix("listening ")
        for options in ([], ["--rotate", "2s"]):
            async with Program(ibkr, "record", "AAPL", "MSFT", "IS3Q", "--gateway", url, "--ca", ca,
                               "-o", data, "--feeds", FEEDS, "--bars", "1d/5min",
                               "--compress", codec, *options) as recorder:
                for _ in range(100):
                    await asyncio.sleep(seconds / 10)
                    there = {c for c in RECORDED if any(lines(data, c))}
                    sealed = any(p.suffix in (".gz", ".zst") for p in data.rglob("ch=quote/**/part-*"))
                    if there >= set(RECORDED) - {"gap"} and (sealed or not options):
                        break
                await asyncio.sleep(seconds)
                if options:
                    recorder.process.send_signal(signal.SIGSTOP)
                    shutil.copytree(data, still, symlinks=True,
                                    ignore=shutil.ignore_patterns(".lock"))
                    recorder.process.send_signal(signal.SIGCONT)
                code = await recorder.stop(60)
                if not checks.that("the recorder ends well", code == 0, code):
                    print(recorder.errors()[-3000:])
    return data, still


def trap(template: Path, data: Path, nulls: int):
    """A recording whose columns begin with nulls, and whose numbers are round until they are not."""
    shutil.copytree(template, data, ignore=shutil.ignore_patterns("ch=*", "_manifest*", ".lock"))
    run = sorted((data / "runs").glob("*.json"))[-1].stem
    load = load_module(data)
    samples = {"integer": itertools.cycle([7, 1780000000123456789]), "text": itertools.cycle(["x", "é"]),
               "decimal": itertools.cycle(["150.0", "150.25", "64.780", "-0.000001", "12345678.5"]),
               "flag": itertools.cycle([True, False])}
    day = 1_780_012_800_000_000_000  # 2026-05-29
    # What no row can be without.
    never_null = {"mono": 1, "dir": "in", "op": "text", "redacted": False, "fields": "{}",
                  "source": "stream", "kind": "sts", "duplicate": False, "is_last": False}
    gap = {"gap_id": "g", "ts_start": day, "mono_start": 1, "reason": "disconnect",
           "detected_by": "close", "seq_first": 1, "backfill": "none"}
    for channel, kinds in load.COLUMNS.items():
        fixed = never_null | {"v": 1, "run": run, "i": 0, "conid": 1, "symbol": "S", "snapshot": False}
        fixed |= gap if channel == "gap" else {}
        folder = data / f"ch={channel}" / "date=2026-05-29"
        folder /= "symbol=S" if channel == "quote" else ""
        folder.mkdir(parents=True)

        def line(number, filled):
            values = fixed | {"seq": number, "ts_recv": day + number}
            parts = []
            for name, kind in kinds.items():
                if name in values:
                    text = json.dumps(values[name])
                elif kind in ("texts", "integers"):
                    text = '["a","b"]' if kind == "texts" else "[1,2,3]"
                elif not filled:
                    text = "null"
                elif name in ("ts_event", "ts_end"):
                    text = str(day + number - 1)
                else:
                    value = next(samples[kind])
                    text = value if kind == "decimal" else json.dumps(value)
                parts.append(f'"{name}":{text}')
            return ("{" + ",".join(parts) + "}\n").encode()

        first = [line(number, False) for number in range(1, nulls + 1)]
        last = [line(nulls + number, True) for number in range(1, 101)]
        # One part open, one sealed as a string of members.
        (folder / f"part-{run}-000001.ndjson").write_bytes(b"".join(first + last[:50]))
        members = [b"".join(last[start:start + 20]) for start in range(50, 100, 20)]
        (folder / f"part-{run}-000002.ndjson.gz").write_bytes(b"".join(map(gzip.compress, members)))


def tear(checks: Checks, ibkr: str, data: Path):
    """A crash has torn the last line of a part, and nobody has started a recorder since."""
    rest = '{"v":1,"run":"01","seq":7,"ts_re'
    with open(next(data.rglob("ch=quote/**/*.ndjson")), "a", encoding="utf-8") as part:
        part.write(rest)
    load = load_module(data)
    connection = load.duckdb()
    wanted = stats(ibkr, data)["quote"].rows
    found = {"duckdb": connection.sql("SELECT count(*) FROM quote").fetchall()[0][0],
             "pyarrow": load.arrow("quote").num_rows, "polars": load.polars("quote").height}
    problems = [f"{reader}: {rows} rows" for reader, rows in found.items() if rows != wanted]
    left_out = [line for (line,) in connection.sql("SELECT line FROM unreadable").fetchall()]
    if left_out != [rest]:
        problems.append(f"unreadable: {left_out}")
    checks.none("a torn line: every whole line is read, and what is left out is shown", problems,
                f"{wanted:,} rows")


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ibkr", required=True)
    parser.add_argument("--seconds", type=float, default=4, help="how long each run lasts at least")
    parser.add_argument("--nulls", type=int, default=30_000)
    parser.add_argument("--keep", type=Path, help="leave the recordings in this folder")
    parser.add_argument("--traits", action="store_true",
                        help="what a build with all traits does: SQLite, and parts as Zstandard")
    arguments = parser.parse_args()
    checks = Checks("foreign readers")
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        data, still = await record(checks, arguments.ibkr, folder, arguments.seconds,
                                   "zstd" if arguments.traits else "gz")
        parts = [p.name for p in still.rglob("part-*")]
        is_open = sum(name.endswith(".ndjson") for name in parts)
        checks.that("parts of both kinds", 0 < is_open < len(parts),
                    f"{is_open} open, {len(parts) - is_open} sealed")
        # As in the moment after a part was sealed: it is there twice.
        twice = next(p for p in still.rglob("ch=quote/**/part-*") if p.suffix in (".gz", ".zst"))
        twice.with_suffix("").write_bytes(b"".join(
            zstandard_lines(twice) if twice.suffix == ".zst" else gzip.open(twice)))
        compare(checks, "open and sealed", arguments.ibkr, still, RECORDED)
        compare(checks, "sealed", arguments.ibkr, data, RECORDED)
        compare_exports(checks, "sealed", arguments.ibkr, data, arguments.traits)
        verified = subprocess.run([arguments.ibkr, "verify", data, "--deep"], capture_output=True,
                                  text=True, timeout=120)
        checks.that("ibkr verify --deep", verified.returncode == 0, verified.stdout[-500:])
        trap(data, folder / "trap", arguments.nulls)
        channels = list(load_module(data).COLUMNS)
        compare(checks, f"{arguments.nulls:,} nulls first", arguments.ibkr, folder / "trap", channels)
        compare_exports(checks, f"{arguments.nulls:,} nulls first", arguments.ibkr, folder / "trap",
                        arguments.traits, few=True)
        tear(checks, arguments.ibkr, folder / "trap")
    checks.finish()


asyncio.run(main())
