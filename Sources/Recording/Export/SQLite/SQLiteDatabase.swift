// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

#if SQLite
  internal import CSQLite

  /// An open SQLite database, and what is asked of it.
  final class SQLiteDatabase {
    /// Where it is, for errors.
    let path: String

    // Closed only in `deinit`, when no statement can be left: each holds its database.
    private let handle: OpaquePointer

    /// Opens a database.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - isNew: Whether it is created; otherwise it must be there.
    /// - Throws: `StorageError`.
    init(_ path: String, isNew: Bool) throws(StorageError) {
      self.path = path
      var handle: OpaquePointer?
      let flags = SQLITE_OPEN_READWRITE | (isNew ? SQLITE_OPEN_CREATE : 0)
      let result = sqlite3_open_v2(path, &handle, flags, nil)
      guard let handle, result == SQLITE_OK else {
        let words = handle.flatMap { sqlite3_errmsg($0) }.map { String(cString: $0) }
        sqlite3_close_v2(handle)
        throw StorageError("open", path, reason: words ?? "there is no memory")
      }
      self.handle = handle
      // Somebody may be reading.
      sqlite3_busy_timeout(handle, 10_000)
    }

    deinit { sqlite3_close_v2(handle) }

    /// Does something that answers nothing, or whose answer does not matter.
    ///
    /// - Parameter sql: Statements.
    /// - Throws: `StorageError`.
    func execute(_ sql: String) throws(StorageError) {
      guard sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK else { throw failure() }
    }

    /// Asks for a number.
    ///
    /// - Parameter sql: A query of one value.
    /// - Returns: The number; 0 for none.
    /// - Throws: `StorageError`.
    func number(_ sql: String) throws(StorageError) -> Int {
      let statement = try SQLiteStatement(sql, of: self)
      return try statement.step() ? statement.number(0) : 0
    }

    /// Asks for texts.
    ///
    /// - Parameter sql: A query of one column.
    /// - Returns: The texts.
    /// - Throws: `StorageError`.
    func texts(_ sql: String) throws(StorageError) -> [String] {
      let statement = try SQLiteStatement(sql, of: self)
      var texts: [String] = []
      while try statement.step() { texts.append(statement.text(0)) }
      return texts
    }

    /// What SQLite says of the last failure.
    func failure() -> StorageError {
      let words = sqlite3_errmsg(handle).map { String(cString: $0) } ?? "SQLite does not say why"
      // That two rows have one key is a matter of the rows.
      return csqlite_is_taken(handle) != 0
        ? StorageError(damaged: path, reason: words)
        : StorageError("write", path, reason: words)
    }

    fileprivate func prepare(_ sql: String) throws(StorageError) -> OpaquePointer {
      var statement: OpaquePointer?
      guard sqlite3_prepare_v2(handle, sql, -1, &statement, nil) == SQLITE_OK, let statement else {
        throw failure()
      }
      return statement
    }

    /// A text as a name in SQL.
    static func quoted(_ name: String) -> String {
      "\"\(name.replacing("\"", with: "\"\""))\""
    }

    /// A text as a value in SQL.
    static func literal(_ text: String) -> String { "'\(text.replacing("'", with: "''"))'" }
  }

  /// A statement that is prepared once and run for each row.
  final class SQLiteStatement {
    private let database: SQLiteDatabase
    private let handle: OpaquePointer

    init(_ sql: String, of database: SQLiteDatabase) throws(StorageError) {
      self.database = database
      handle = try database.prepare(sql)
    }

    deinit { sqlite3_finalize(handle) }

    /// Runs the statement, or goes on to its next row.
    ///
    /// - Returns: Whether there is a row.
    /// - Throws: `StorageError`; `.damaged` if there is a row with this primary key.
    func step() throws(StorageError) -> Bool {
      switch sqlite3_step(handle) {
      case SQLITE_ROW: return true
      case SQLITE_DONE: return false
      default: throw database.failure()
      }
    }

    /// Prepares for the next row.
    func reset() {
      sqlite3_reset(handle)
      sqlite3_clear_bindings(handle)
    }

    /// Gives the statement a value; places count from 1, and what is given nothing is null.
    func bind(_ place: Int, _ number: Int64) {
      sqlite3_bind_int64(handle, Int32(place), number)
    }

    /// As above.
    func bind(_ place: Int, _ number: Double) {
      sqlite3_bind_double(handle, Int32(place), number)
    }

    /// As above; the bytes are copied.
    func bind(_ place: Int, _ text: UnsafeRawBufferPointer) {
      csqlite_bind_text(handle, Int32(place), text.baseAddress, Int32(clamping: text.count))
    }

    func number(_ column: Int) -> Int { Int(sqlite3_column_int64(handle, Int32(column))) }

    func text(_ column: Int) -> String {
      sqlite3_column_text(handle, Int32(column)).map { String(cString: $0) } ?? ""
    }
  }
#endif
