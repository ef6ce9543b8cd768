// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// A file of lines that all runs share: the manifest, the instruments.
///
/// Lines are appended whole and synced at once; they are few. What a crash left of a last line is
/// moved to a file with `.torn` behind its name before anything is appended to it.
final class LedgerFile {
  private let path: String
  private let storage: any Storage
  private var file: (any StorageFile)?
  private var goodBytes = 0

  /// Names a ledger; it is opened with the first line.
  init(_ path: String, storage: any Storage) {
    self.path = path
    self.storage = storage
  }

  /// Appends lines and syncs them.
  ///
  /// - Parameter lines: Whole lines.
  /// - Throws: `StorageError`; then none of the lines is in the file, unless that is beyond repair
  ///   too: then the next append begins with it.
  func append(_ lines: borrowing LineBuffer) throws(StorageError) {
    guard !lines.isEmpty else { return }
    let file = try openFile()
    do throws(StorageError) {
      try lines.withBytes { bytes throws(StorageError) in try file.writeAll(bytes) }
      try file.synchronize()
    } catch {
      // Opening it again cuts off what was written.
      try? file.truncate(to: goodBytes)
      self.file = nil
      throw error
    }
    goodBytes += lines.count
  }

  /// Moves away what a crash left of a last line, if there is a ledger at all.
  ///
  /// - Throws: `StorageError`.
  func mend() throws(StorageError) {
    do {
      file = try storage.append(to: path, creating: false)
    } catch  where error.code == .missing {
      return
    }
    if let file { goodBytes = try cutTornTail(of: file) }
  }

  private func openFile() throws(StorageError) -> any StorageFile {
    if let file { return file }
    let file = try storage.append(to: path, creating: true)
    goodBytes = try cutTornTail(of: file)
    // A new file's name must not be lost when its lines are not.
    if goodBytes == 0 { try storage.synchronizeFolder("") }
    self.file = file
    return file
  }

  /// Moves what stands behind the last newline to another file.
  ///
  /// - Parameter file: The ledger.
  /// - Returns: How many bytes of whole lines it has.
  /// - Throws: `StorageError`.
  private func cutTornTail(of file: any StorageFile) throws(StorageError) -> Int {
    let size = try file.byteCount()
    var tail: [UInt8] = []
    var start = size
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 4_096, alignment: 1)
    defer { buffer.deallocate() }
    while start > 0 {
      let length = min(buffer.count, start)
      let room = UnsafeMutableRawBufferPointer(rebasing: buffer[..<length])
      let count = try file.read(into: room, at: start - length)
      let bytes = room.prefix(count)
      if let newline = bytes.lastIndex(of: UInt8(ascii: "\n")) {
        tail.insert(contentsOf: bytes[(newline + 1)...], at: 0)
        break
      }
      tail.insert(contentsOf: bytes, at: 0)
      start -= length
    }
    guard !tail.isEmpty else { return size }
    let torn = try storage.append(to: "\(path).torn", creating: true)
    tail.append(UInt8(ascii: "\n"))
    let count = tail.count
    try tail.withUnsafeBufferPointer { bytes throws(StorageError) in
      try torn.writeAll(UnsafeRawBufferPointer(bytes))
    }
    try torn.synchronize()
    try storage.synchronizeFolder("")
    try file.truncate(to: size - (count - 1))
    try file.synchronize()
    return size - (count - 1)
  }
}
