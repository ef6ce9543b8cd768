# SPDX-License-Identifier: Apache-2.0
# This file is part of ibkr-stream.
"""What foreign readers find in the files of `ibkr export`: rows, and of each column the values that
are not null, times as nanoseconds."""

import csv
import json
import sqlite3
from decimal import Decimal
from pathlib import Path

Found = tuple[int, dict[str, list], dict[str, str]]

# The readers of each format; those with "exact" behind them are given what --exact makes.
PARQUET = ["pyarrow", "pandas", "polars", "duckdb", "pyarrow exact", "polars exact", "duckdb exact"]
CSV = ["csv", "pandas", "polars", "duckdb"]


def parquet(reader: str, folder: Path, channel: str) -> Found:
    """All of a channel's files, and the type of each column in the reader's own words."""
    pattern = str(folder / f"ch={channel}" / "**" / "*.parquet")
    files = sorted(folder.glob(f"ch={channel}/**/*.parquet"))
    match reader.split()[0]:
        case "pyarrow":
            import pyarrow
            from pyarrow import parquet as reading
            table = pyarrow.concat_tables(
                reading.ParquetFile(f, page_checksum_verification=True).read() for f in files)
            return table.num_rows, arrow_columns(table), {
                field.name: str(field.type) for field in table.schema}
        case "pandas":
            import pandas
            frame = pandas.concat(
                pandas.read_parquet(f, dtype_backend="pyarrow", partitioning=None) for f in files)
            columns = {}
            for name in frame.columns:
                values = frame[name].dropna()
                if "timestamp" in str(values.dtype):
                    values = values.astype("int64[pyarrow]")
                columns[name] = list(values)
            return len(frame), columns, {
                n: str(t).removesuffix("[pyarrow]") for n, t in frame.dtypes.items()}
        case "polars":
            import polars
            frame = polars.concat(polars.read_parquet(f, hive_partitioning=False) for f in files)
            columns = {}
            for name in frame.columns:
                values = frame[name].drop_nulls()
                if isinstance(values.dtype, polars.Datetime):
                    values = values.to_physical()
                columns[name] = values.to_list()
            return frame.height, columns, {n: str(t) for n, t in frame.schema.items()}
    import duckdb
    source = f"read_parquet('{pattern}', hive_partitioning = false)"
    return duckdb_columns(duckdb.connect(), source)


def arrow_columns(table) -> dict[str, list]:
    import pyarrow
    columns = {}
    for name in table.column_names:
        values = table[name].drop_null()
        if pyarrow.types.is_timestamp(values.type):
            values = values.cast(pyarrow.int64())
        columns[name] = values.to_pylist()
    return columns


def duckdb_columns(connection, source: str) -> Found:
    types = {row[0]: row[1] for row in connection.execute(f"DESCRIBE FROM {source}").fetchall()}
    columns = {}
    for name, kind in types.items():
        value = f'epoch_ns("{name}")' if "TIMESTAMP" in kind else f'"{name}"'
        rows = connection.execute(
            f'SELECT {value} FROM {source} WHERE "{name}" IS NOT NULL').fetchall()
        columns[name] = [row[0] for row in rows]
    rows = connection.execute(f"SELECT count(*) FROM {source}").fetchone()[0]
    return rows, columns, types


def comma_separated(reader: str, folder: Path, channel: str, kinds: dict) -> Found:
    """As `parquet`, of the files of --to csv; the types are asked for, so there are none to find."""
    files = sorted(folder.glob(f"ch={channel}/**/*.csv"))
    if reader == "csv":
        rows, columns = 0, {name: [] for name in kinds}
        for path in files:
            with open(path, newline="", encoding="utf-8") as file:
                for row in csv.DictReader(file, strict=True):
                    if list(row) != list(kinds):
                        raise ValueError(f"{path}: the columns are {list(row)}")
                    rows += 1
                    for name, text in row.items():
                        # The module does not tell an empty text from nothing.
                        if text != "":
                            columns[name].append(value(kinds[name], text))
        return rows, columns, {}
    texts = {name: [] for name in kinds}
    rows = 0
    for path in files:
        match reader:
            case "pandas":
                import pandas
                frame = pandas.read_csv(path, dtype=str, keep_default_na=False, na_values=[""])
                found = {name: list(frame[name].dropna()) for name in frame.columns}
                rows += len(frame)
            case "polars":
                import polars
                frame = polars.read_csv(path, schema={name: polars.String for name in kinds})
                found = {name: frame[name].drop_nulls().to_list() for name in frame.columns}
                rows += frame.height
            case _:
                import duckdb
                source = (f"read_csv('{path}', header = true, all_varchar = true, quote = '\"', "
                          "hive_partitioning = false)")
                count, found, _ = duckdb_columns(duckdb.connect(), source)
                rows += count
        for name, values in found.items():
            texts[name] += [value(kinds[name], text) for text in values if text != ""]
    return rows, texts, {}


def value(kind: str, text: str):
    match kind:
        case "integer":
            return int(text)
        case "decimal":
            return Decimal(text)
        case "flag":
            return {"true": True, "false": False}[text]
        case "texts" | "integers":
            return json.loads(text)
    return text


def database(path: Path, channel: str, kinds: dict, exact: bool) -> Found:
    """A table of the database of --to sqlite."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    types = {row[1]: row[2] for row in connection.execute(f'PRAGMA table_info("{channel}")')}
    columns = {}
    for name, kind in kinds.items():
        values = [row[0] for row in connection.execute(
            f'SELECT "{name}" FROM "{channel}" WHERE "{name}" IS NOT NULL')]
        if kind in ("texts", "integers"):
            values = [json.loads(text) for text in values]
        elif kind == "flag":
            values = [{0: False, 1: True}[number] for number in values]
        elif kind == "decimal" and exact:
            values = [Decimal(text) for text in values]
        columns[name] = values
    rows = connection.execute(f'SELECT count(*) FROM "{channel}"').fetchone()[0]
    connection.close()
    return rows, columns, types
