# SPDX-License-Identifier: Apache-2.0
# This file is part of ibkr-stream.
"""A day of market data, recorded on virtual time."""

import argparse
import gzip
import json
import subprocess
import tempfile
import time
from pathlib import Path

import pyarrow
import pyarrow.json
import pyarrow.parquet

from harness import recording
from harness.checks import Checks

INTEGERS = {"v", "seq", "ts_recv", "ts_event", "mono", "conid"}
BOOLEANS = {"snapshot", "redacted"}
LISTS = {"changed", "flags"}
TEXTS = {"run", "symbol", "avail", "fields", "dir", "op", "topic", "msg", "b64"}


def schema(columns: list[str]) -> pyarrow.Schema:
    def of(name: str) -> pyarrow.DataType:
        if name in INTEGERS:
            return pyarrow.int64()
        if name in BOOLEANS:
            return pyarrow.bool_()
        if name in LISTS:
            return pyarrow.list_(pyarrow.string())
        return pyarrow.string() if name in TEXTS else pyarrow.float64()
    return pyarrow.schema([(name, of(name)) for name in columns])


SCHEMAS = {"raw": schema(recording.RAW_COLUMNS), "quote": schema(recording.QUOTE_COLUMNS)}


def sizes(data: Path, channel: str, scratch: Path) -> tuple[int, int, int, int]:
    """Rows, and bytes as they lie there, as plain NDJSON and as Parquet, a file for each part."""
    rows = sealed = plain = parquet = 0
    options = pyarrow.json.ParseOptions(explicit_schema=SCHEMAS[channel],
                                        unexpected_field_behavior="error")
    reading = pyarrow.json.ReadOptions(block_size=16 << 20)
    for path in recording.parts(data, channel):
        sealed += path.stat().st_size
        with gzip.open(path, "rb") as file:
            while piece := file.read(1 << 22):
                plain += len(piece)
        table = pyarrow.json.read_json(path, read_options=reading, parse_options=options)
        rows += table.num_rows
        pyarrow.parquet.write_table(table, scratch, compression="zstd")
        parquet += scratch.stat().st_size
    return rows, sealed, plain, parquet


def record(arguments, data: Path, checks: Checks) -> list[dict]:
    command = [arguments.day, "--hours", str(arguments.hours), "--instruments",
               str(arguments.instruments), "-o", str(data)]
    print(f"{'hour':>4} {'messages':>10} {'resident MB':>12} {'open files':>11} {'seconds':>8}")
    hours = []
    began = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE) as program:
        for text in program.stdout:
            hour = json.loads(text)
            hours.append(hour)
            print(f"{hour['hour']:>4} {hour['messages']:>10} {hour['resident_kb'] / 1024:>12.1f} "
                  f"{hour['open_files']:>11} {hour['seconds']:>8.1f}")
    checks.that("recorded to its end", program.returncode == 0,
                f"{time.monotonic() - began:.0f} s, exit code {program.returncode}")
    return hours


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--day", required=True)
    parser.add_argument("--ibkr", required=True)
    parser.add_argument("--hours", type=int, default=24)
    parser.add_argument("--instruments", type=int, default=100)
    parser.add_argument("--keep", type=Path)
    arguments = parser.parse_args()
    checks = Checks(f"{arguments.hours} hours of {arguments.instruments} instruments")
    with tempfile.TemporaryDirectory() as temporary:
        data = arguments.keep or Path(temporary) / "data"
        hours = record(arguments, data, checks)
        if hours:
            settled = hours[min(1, len(hours) - 1)]["resident_kb"] / 1024
            most = max(hour["resident_kb"] for hour in hours) / 1024
            checks.that("memory is flat after the second hour", most <= settled * 1.15 + 8,
                        f"{settled:.1f} MB then, {most:.1f} MB at most")
            files = max(hour["open_files"] for hour in hours)
            checks.that("open files are bounded", files <= arguments.instruments + 30, files)
        verified = subprocess.run([arguments.ibkr, "verify", data], capture_output=True, check=False)
        checks.that("verify", verified.returncode == 0, verified.stderr.decode().strip())
        print(f"{'channel':<8} {'rows':>10} {'sealed MB':>10} {'plain MB':>10} {'Parquet MB':>11}")
        total = [0, 0, 0, 0]
        for channel in SCHEMAS:
            found = sizes(data, channel, Path(temporary) / "parquet")
            total = [a + b for a, b in zip(total, found)]
            line(channel, found)
        line("both", total)
        checks.that("both channels have rows", total[0] > 0, total[0])
        days = arguments.hours / 24
        print(f"a day: {total[1] / days / 1e6:.0f} MB sealed, {total[2] / days / 1e6:.0f} MB as plain "
              f"NDJSON, {total[3] / days / 1e6:.0f} MB as Parquet")
    checks.finish()


def line(name: str, found):
    rows, *sized = found
    print(f"{name:<8} {rows:>10} " + " ".join(f"{size / 1e6:>10.1f}" for size in sized))


if __name__ == "__main__":
    main()
