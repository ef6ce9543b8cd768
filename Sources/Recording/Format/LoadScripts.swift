// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// `load.py` and `load.sql`: how the recording is read with the right types.
///
/// A reader that guesses types from the first rows takes a column that is null there for nothing at
/// all, and a price that is a round number for an integer. The scripts are made from the columns
/// that the recorder writes, and lie beside the data, so that they go where it goes.
struct LoadScripts {
  private let time: TimeFormat

  /// Prepares the scripts of a recording.
  ///
  /// - Parameter time: How its lines write points in time.
  init(time: TimeFormat) {
    self.time = time
  }

  /// Writes the scripts, unless they are there already.
  ///
  /// - Parameter storage: The recording; it must be locked.
  /// - Throws: `StorageError`.
  func write(to storage: any Storage) throws(StorageError) {
    try Self.write(sql, to: "load.sql", in: storage)
    try Self.write(python, to: "load.py", in: storage)
  }

  private static func write(
    _ text: String,
    to path: String,
    in storage: any Storage
  ) throws(StorageError) {
    let bytes = Array(text.utf8)
    if try contents(of: path, in: storage) == bytes { return }
    let draft = "\(path).new"
    try storage.removeIfPresent(draft)
    let file = try storage.create(draft)
    var lines = LineBuffer(capacity: bytes.count)
    lines.append(contentsOf: bytes)
    try lines.withBytes { bytes throws(StorageError) in try file.writeAll(bytes) }
    try file.synchronize()
    try storage.rename(draft, to: path)
    try storage.synchronizeFolder("")
  }

  private static func contents(
    of path: String,
    in storage: any Storage
  ) throws(StorageError) -> [UInt8]? {
    do throws(StorageError) {
      return try storage.open(path).readAll(limit: 1 << 20)
    } catch {
      guard error.code == .missing else { throw error }
      return nil
    }
  }

  // MARK: - SQL

  /// The script for DuckDB.
  var sql: String {
    var text = """
      -- Views of this recording for DuckDB, one for each channel, with explicit types.
      --
      --   cd data && duckdb -init load.sql
      --   D SELECT symbol, count(*), max(ask - bid) FROM quote GROUP BY symbol;
      --   D FROM "order" WHERE status = 'Filled';
      --
      -- Run it again to see parts that were added since. Open parts and sealed ones are read
      -- together; of a plain part the whole lines, so that one that is being written, or that a
      -- crash has torn, stops nothing. What is left out of plain parts is never more than
      --
      --   FROM unreadable;
      --
      -- shows. Decimal numbers are DOUBLE; `load.py` has them exactly. To export a channel:
      --
      --   COPY (FROM quote) TO 'quote.parquet';


      """
    for channel in Channel.allCases { text += view(of: channel) }
    text += Self.unreadable
    text += """
      -- Each execution once, as it was told last: its commission comes late.
      CREATE OR REPLACE VIEW execution AS
      SELECT * FROM trade WHERE execution_id IS NOT NULL
      QUALIFY row_number() OVER (
        PARTITION BY execution_id ORDER BY ts_recv DESC, seq DESC, i DESC) = 1;

      """
    return text
  }

  /// The lines of plain parts that are no JSON: at most the last one of a part that a crash has torn,
  /// unless somebody has changed the file.
  private static let unreadable = """
    SET VARIABLE plain_files = (
      SELECT coalesce(
        list(file ORDER BY file) FILTER (regexp_matches(file, '\\.ndjson$')),
        (SELECT [min(file)] FROM glob('runs/*.json')))
      FROM glob('ch=*/**/part-*'));
    CREATE OR REPLACE VIEW unreadable AS
    SELECT filename, line FROM read_csv(getvariable('plain_files'), columns = {'line': 'VARCHAR'},
      auto_detect = false, header = false, delim = chr(1), quote = '', escape = '',
      max_line_size = 134217728, filename = true)
    WHERE line IS NOT NULL AND NOT json_valid(line);


    """

  private func view(of channel: Channel) -> String {
    let name = channel.rawValue
    let columns = channel.columns.map { "  '\($0.name)': '\(sqlType($0.kind))'" }
      .joined(separator: ",\n")
    // A part that has just been sealed is there twice for a moment. Where there is none, a file
    // without a row of the channel stands for it, because a view must have one.
    return """
      SET VARIABLE \(name)_sealed = (
        SELECT coalesce(
          list(file ORDER BY file) FILTER (regexp_matches(file, '\\.ndjson\\.(gz|zst)$')),
          (SELECT [min(file)] FROM glob('runs/*.json')))
        FROM glob('ch=\(name)/**/part-*'));
      SET VARIABLE \(name)_plain = (
        WITH part AS (SELECT file FROM glob('ch=\(name)/**/part-*'))
        SELECT coalesce(
          list(file ORDER BY file) FILTER (
            regexp_matches(file, '\\.ndjson$')
            AND file || '.gz' NOT IN (SELECT file FROM part)
            AND file || '.zst' NOT IN (SELECT file FROM part)),
          (SELECT [min(file)] FROM glob('runs/*.json')))
        FROM part);
      CREATE OR REPLACE VIEW "\(name)" AS
      SELECT * FROM read_json(getvariable('\(name)_sealed'), format = 'newline_delimited',
        hive_partitioning = false, maximum_object_size = 134217728, columns = {
      \(columns)
      }) WHERE seq IS NOT NULL
      UNION ALL
      SELECT * FROM read_json(getvariable('\(name)_plain'), format = 'newline_delimited',
        hive_partitioning = false, maximum_object_size = 134217728, ignore_errors = true, columns = {
      \(columns)
      }) WHERE seq IS NOT NULL;


      """
  }

  private func sqlType(_ kind: Column.Kind) -> String {
    switch kind {
    case .integer, .integerOrNull: "BIGINT"
    case .time, .timeOrNull: time == .iso ? "TIMESTAMP_NS" : "BIGINT"
    case .decimalOrNull: "DOUBLE"
    case .string, .stringOrNull: "VARCHAR"
    case .bool, .boolOrNull: "BOOLEAN"
    case .strings: "VARCHAR[]"
    case .integers: "BIGINT[]"
    }
  }

  // MARK: - Python

  /// The script for pandas, polars, pyarrow and DuckDB from Python.
  var python: String {
    let columns = Channel.allCases.map { channel in
      let list = channel.columns.map { "\"\($0.name)\": \"\(pythonType($0.kind))\"" }
      return "    \"\(channel.rawValue)\": {\(list.joined(separator: ", "))},\n"
    }
    return Self.pythonHead + "COLUMNS = {\n\(columns.joined())}\n" + Self.pythonBody
  }

  private func pythonType(_ kind: Column.Kind) -> String {
    switch kind {
    case .integer, .integerOrNull: "integer"
    case .time, .timeOrNull: time == .iso ? "time" : "integer"
    case .decimalOrNull: "decimal"
    case .string, .stringOrNull: "text"
    case .bool, .boolOrNull: "flag"
    case .strings: "texts"
    case .integers: "integers"
    }
  }

  private static let pythonHead = #"""
    #!/usr/bin/env python3
    """Reads this recording with explicit column types, whatever its first rows look like.

        python3 load.py                         the rows of each channel
        import load                             with this directory in sys.path
        load.polars("quote")                    a polars.DataFrame
        load.pandas("trade")                    a pandas.DataFrame (Arrow-backed: integers stay integers)
        load.arrow("quote", exact=True)         a pyarrow.Table, numbers as decimal128
        load.duckdb().sql("FROM quote LIMIT 5") a connection with the views of load.sql

    Open parts and sealed ones are read together; of an open one the whole lines. `date` and `symbol`
    choose folders: load.polars("quote", date="2026-11-23"). Numbers are float64, or with exact=True
    decimals with all their digits.
    """

    from pathlib import Path

    HERE = Path(__file__).resolve().parent

    """#

  private static let pythonBody = #"""


    def files(channel, date=None, symbol=None):
        """The parts of a channel; of one that was sealed a moment ago, the sealed file."""
        found = {path for path in (HERE / f"ch={channel}").glob(f"date={date or '*'}/**/part-*")
                 if path.name.endswith((".ndjson", ".ndjson.gz", ".ndjson.zst"))
                 and (symbol is None or path.parent.name == f"symbol={symbol}")}
        return sorted(path for path in found if path.with_name(path.name + ".gz") not in found
                      and path.with_name(path.name + ".zst") not in found)


    def _whole_lines(path):
        data = path.read_bytes()
        return data[:data.rfind(b"\n") + 1]


    def schema(channel, exact=False):
        """The pyarrow schema of a channel."""
        import pyarrow as pa
        types = {"integer": pa.int64(), "time": pa.timestamp("ns", "UTC"), "text": pa.string(),
                 "decimal": pa.decimal128(38, 12) if exact else pa.float64(), "flag": pa.bool_(),
                 "texts": pa.list_(pa.string()), "integers": pa.list_(pa.int64())}
        return pa.schema([(name, types[kind]) for name, kind in COLUMNS[channel].items()])


    def arrow(channel, exact=False, date=None, symbol=None):
        """A pyarrow.Table."""
        import pyarrow as pa
        from pyarrow import json
        wanted = schema(channel, exact)
        options = json.ParseOptions(explicit_schema=wanted, unexpected_field_behavior="ignore")
        tables = [wanted.empty_table()]
        for path in files(channel, date, symbol):
            for size in (1 << 20, 1 << 28):
                stream = (pa.input_stream(str(path)) if path.suffix in (".gz", ".zst")
                          else pa.BufferReader(_whole_lines(path)))
                try:
                    tables.append(json.read_json(stream, json.ReadOptions(block_size=size), options))
                    break
                except pa.ArrowInvalid as error:  # a line that is longer than a block
                    if "Empty JSON" in str(error):
                        break
                    if size > 1 << 20 or "straddling" not in str(error):
                        raise
        return pa.concat_tables([table.select(wanted.names) for table in tables])


    def pandas(channel, exact=False, date=None, symbol=None):
        """A pandas.DataFrame; its columns are backed by Arrow, so that null is no NaN."""
        import pandas
        return arrow(channel, exact, date, symbol).to_pandas(types_mapper=pandas.ArrowDtype)


    def polars(channel, exact=False, date=None, symbol=None):
        """A polars.DataFrame."""
        import polars
        if exact:
            return polars.from_arrow(arrow(channel, True, date, symbol))
        # Times are read as text first: polars would cut them to microseconds.
        types = {"integer": polars.Int64, "time": polars.String, "text": polars.String,
                 "decimal": polars.Float64, "flag": polars.Boolean,
                 "texts": polars.List(polars.String), "integers": polars.List(polars.Int64)}
        kinds = COLUMNS[channel]
        wanted = {name: types[kind] for name, kind in kinds.items()}
        frames = [polars.DataFrame(schema=wanted)]
        for path in files(channel, date, symbol):
            # polars takes gzip and Zstandard as they are.
            data = path.read_bytes() if path.suffix in (".gz", ".zst") else _whole_lines(path)
            if data:
                frames.append(polars.read_ndjson(data, schema=wanted))
        return polars.concat(frames).with_columns(
            polars.col(name).str.strptime(polars.Datetime("ns", "UTC"), "%Y-%m-%dT%H:%M:%S%.fZ")
            for name, kind in kinds.items() if kind == "time")


    def duckdb(exact=()):
        """A DuckDB connection with the views of load.sql; those of the channels that `exact` names
        are tables of decimals."""
        import duckdb
        connection = duckdb.connect()
        where = str(HERE).replace("'", "''")
        connection.execute(f"SET file_search_path = '{where}'")
        connection.execute((HERE / "load.sql").read_text())
        for channel in exact:
            connection.register("_exact", arrow(channel, True))
            connection.execute(f'DROP VIEW "{channel}"')
            connection.execute(f'CREATE TABLE "{channel}" AS FROM _exact')
            connection.unregister("_exact")
        return connection


    if __name__ == "__main__":
        for name in COLUMNS:
            rows = arrow(name).num_rows
            if rows:
                print(f"{name:8} {rows:12,} rows in {len(files(name)):6,} parts")

    """#
}
