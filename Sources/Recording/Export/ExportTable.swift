// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Where the rows of one channel, or of one of its days, go.
protocol ExportTable: AnyObject {
  /// How many numbers have more digits than the table's type for them holds.
  var roundedNumbers: Int { get }

  /// Adds a row.
  ///
  /// - Parameter row: The row, valid during the call.
  /// - Throws: `StorageError`, `.damaged` for a row that cannot be there and was left out; after any
  ///   other the table is of no use.
  func append(_ row: ExportRow) throws(StorageError)

  /// Makes everything safe and counts the rows anew, from what was written.
  ///
  /// - Returns: How many rows there are, and how many bytes they take.
  /// - Throws: `StorageError`.
  func finish() throws(StorageError) -> (rows: Int, bytes: Int)

  /// Gives the finished table its name.
  ///
  /// - Throws: `StorageError`.
  func publish() throws(StorageError)

  /// Removes what was written.
  func discard()
}

/// A file that comes into being under another name.
final class ExportDraft {
  /// Where it will be, relative to the output's directory.
  let path: String
  /// The open file.
  let file: any StorageFile

  private let storage: any Storage

  /// Creates the file.
  ///
  /// - Parameters:
  ///   - path: Where it will be.
  ///   - storage: The output's directory.
  /// - Throws: `StorageError`.
  init(_ path: String, in storage: any Storage) throws(StorageError) {
    self.path = path
    self.storage = storage
    // Only an export that was killed leaves one.
    try storage.removeIfPresent("\(path).new")
    file = try storage.create("\(path).new")
  }

  /// Makes what was written survive a power loss, and opens it for reading.
  ///
  /// - Throws: `StorageError`.
  func synchronize() throws(StorageError) -> any StorageFile {
    try file.synchronize()
    return try storage.open("\(path).new")
  }

  /// Gives the file its name.
  ///
  /// - Throws: `StorageError`.
  func publish() throws(StorageError) {
    try storage.rename("\(path).new", to: path)
    let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
    try storage.synchronizeNames(downTo: folder)
  }

  /// Removes the file; what stays is removed by the next export.
  func discard() {
    try? storage.removeIfPresent("\(path).new")
  }
}
