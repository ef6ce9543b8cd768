// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

#if SQLite
  import JSON

  /// One SQLite database with a table for each channel.
  ///
  /// It comes into being under another name, in transactions that nobody else sees, is counted and
  /// synced, and gets its name then. Where a database of ours has that name already, its rows go there
  /// in one transaction, each instead of the one with its key: exporting twice is exporting once.
  ///
  /// It is SQLite's own C interface, not GRDB: that links the same library, and brings Foundation.
  final class SQLiteExport {
    /// What `PRAGMA application_id` says of a database of ours: `IBKR`.
    private static let application = 0x4942_4B52
    /// The version of the tables, plus one where decimal numbers are text.
    private static let version = 10

    private let path: String
    private let isExact: Bool
    private let storage: any Storage
    private let name: String
    private let draft: String
    // Nil once everything is written, so that another connection may have the file.
    private var database: SQLiteDatabase?

    /// Begins.
    ///
    /// - Parameters:
    ///   - path: Where the database will be, or is.
    ///   - isExact: Whether decimal numbers are text with all their digits.
    ///   - replaces: Whether what is there is replaced instead of added to.
    /// - Throws: `StorageError`; `.exists` for a file that is none of ours.
    init(_ path: String, isExact: Bool, replaces: Bool) throws(StorageError) {
      self.path = path
      self.isExact = isExact
      let slash = path.lastIndex(of: "/")
      let folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
      name = String(slash.map { path[path.index(after: $0)...] } ?? path[...])
      guard !name.isEmpty, name != ".", name != ".." else {
        throw StorageError("write", path, reason: "it is a folder, and a database is a file")
      }
      storage = try POSIXStorage(directory: folder)
      isPresent = replaces ? false : try Self.isPresent(name, in: storage)
      if isPresent { try Self.check(path, version: Self.version + (isExact ? 1 : 0)) }
      draft = "\(path).new"
      try storage.removeIfPresent("\(name).new")
      let database = try SQLiteDatabase(draft, isNew: true)
      self.database = database
      // Nobody but us sees the draft, and after a crash it is made anew.
      try database.execute(
        """
        PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF;
        PRAGMA cache_size = -65536; PRAGMA application_id = \(Self.application);
        PRAGMA user_version = \(Self.version + (isExact ? 1 : 0));
        """
      )
    }

    private let isPresent: Bool

    private static func isPresent(_ name: String, in storage: any Storage) throws(StorageError)
      -> Bool
    {
      do throws(StorageError) {
        return try storage.open(name).byteCount() > 0
      } catch  where error.code == .missing {
        return false
      }
    }

    private static func check(_ path: String, version: Int) throws(StorageError) {
      let found: (Int, Int)
      do throws(StorageError) {
        let database = try SQLiteDatabase(path, isNew: false)
        found = (
          try database.number("PRAGMA application_id"), try database.number("PRAGMA user_version")
        )
      } catch {
        throw StorageError(inTheWay: path)
      }
      guard found.0 == application else { throw StorageError(inTheWay: path) }
      guard found.1 == version else {
        throw StorageError(
          "add to",
          path,
          reason: "its numbers are of the other type: --exact or not as it was made, or --force"
        )
      }
    }

    /// Begins a table.
    func table(_ channel: Channel) throws(StorageError) -> SQLiteTable {
      guard let database else { throw StorageError("write", path, reason: "it is finished") }
      return try SQLiteTable(channel, in: database, isExact: isExact)
    }

    /// Gives the database its name, or puts its rows into the one that has it.
    ///
    /// - Parameter channels: What was written, and how many rows.
    /// - Throws: `StorageError`, or ``ExportError`` if there are other rows than were read.
    func publish(_ channels: [ExportReport.Figures]) throws {
      database = nil
      guard channels.contains(where: { $0.rowsRead > 0 }) else { return }
      guard isPresent else {
        let file = try storage.open("\(name).new")
        try file.synchronize()
        try storage.rename("\(name).new", to: name)
        return try storage.synchronizeFolder("")
      }
      let target = try SQLiteDatabase(path, isNew: false)
      // Whoever reads the database goes on reading it as it was.
      try target.execute(
        "PRAGMA journal_mode = WAL; ATTACH \(SQLiteDatabase.literal(draft)) AS fresh; BEGIN IMMEDIATE"
      )
      for figures in channels where figures.rowsRead > 0 {
        let name = SQLiteDatabase.quoted(figures.channel.rawValue)
        try target.execute(
          SQLiteTable.creation(figures.channel, in: "main", isExact: isExact)
            + "; INSERT OR REPLACE INTO main.\(name) SELECT * FROM fresh.\(name)"
        )
        let keys = SQLiteTable.keys(of: figures.channel).joined(separator: ", ")
        let rows = try target.number(
          "SELECT count(*) FROM fresh.\(name) JOIN main.\(name) USING (\(keys))"
        )
        guard rows == figures.rowsRead else {
          throw ExportError(channel: figures.channel, read: figures.rowsRead, written: rows)
        }
      }
      try target.execute("COMMIT; DETACH fresh")
      // A file alone, which can be copied and read anywhere; unless somebody is reading just now.
      try? target.execute("PRAGMA journal_mode = DELETE")
    }

    /// Removes what was written.
    func discard() {
      try? storage.removeIfPresent("\(name).new")
    }
  }

  /// Rows on their way into a table.
  final class SQLiteTable: ExportTable {
    private let database: SQLiteDatabase
    private let channel: Channel
    private let columns: [Column]
    private let insert: SQLiteStatement
    private let isExact: Bool
    private let pagesBefore: Int
    private var scratch = LineBuffer()

    private(set) var roundedNumbers = 0

    init(_ channel: Channel, in database: SQLiteDatabase, isExact: Bool) throws(StorageError) {
      self.database = database
      self.channel = channel
      self.isExact = isExact
      columns = channel.columns
      pagesBefore = try database.number("PRAGMA page_count")
      try database.execute("BEGIN; " + Self.creation(channel, in: "main", isExact: isExact))
      let places = columns.map { _ in "?" }.joined(separator: ", ")
      insert = try SQLiteStatement(
        "INSERT INTO \(SQLiteDatabase.quoted(channel.rawValue)) VALUES (\(places))",
        of: database
      )
    }

    /// What a row is known by: no two have the same.
    static func keys(of channel: Channel) -> [String] {
      ["run", "seq"] + (channel.columns.contains { $0.name == "i" } ? ["i"] : [])
    }

    /// The statement that makes a channel's table.
    static func creation(_ channel: Channel, in schema: String, isExact: Bool) -> String {
      let columns = channel.columns.map { column in
        "  \(SQLiteDatabase.quoted(column.name)) \(type(column.kind, isExact))"
      }
      return """
        CREATE TABLE IF NOT EXISTS \(schema).\(SQLiteDatabase.quoted(channel.rawValue)) (
        \(columns.joined(separator: ",\n")),
          PRIMARY KEY (\(keys(of: channel).joined(separator: ", "))))
        """
    }

    private static func type(_ kind: Column.Kind, _ isExact: Bool) -> String {
      switch kind {
      case .integer, .time, .bool: "INTEGER NOT NULL"
      case .integerOrNull, .timeOrNull, .boolOrNull: "INTEGER"
      case .decimalOrNull: isExact ? "TEXT" : "REAL"
      case .string, .strings, .integers: "TEXT NOT NULL"
      case .stringOrNull: "TEXT"
      }
    }

    func append(_ row: ExportRow) throws(StorageError) {
      insert.reset()
      for (index, column) in columns.enumerated() where !row.isNull(index) {
        let place = index + 1
        switch column.kind {
        case .integer, .integerOrNull:
          if let number = row.integer(index) { insert.bind(place, number) }
        case .time, .timeOrNull: if let time = row.time(index) { insert.bind(place, time) }
        case .bool, .boolOrNull: insert.bind(place, row.flag(index) ? Int64(1) : 0)
        case .string, .stringOrNull: row.withText(index, &scratch) { insert.bind(place, $0) }
        case .strings, .integers: insert.bind(place, row.bytes(index))
        case .decimalOrNull:
          guard !isExact, let number = Decimal(row.bytes(index)) else {
            insert.bind(place, row.bytes(index))
            continue
          }
          let (value, isSame) = number.double
          if !isSame { roundedNumbers += 1 }
          insert.bind(place, value)
        }
      }
      _ = try insert.step()
    }

    func finish() throws(StorageError) -> (rows: Int, bytes: Int) {
      insert.reset()
      try database.execute("COMMIT")
      let rows = try database.number(
        "SELECT count(*) FROM \(SQLiteDatabase.quoted(channel.rawValue))"
      )
      let pages = try database.number("PRAGMA page_count") - pagesBefore
      return (rows, pages * (try database.number("PRAGMA page_size")))
    }

    // The database is published as a whole.
    func publish() {}

    func discard() {}
  }
#endif
