// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// The operations on a recording's directory, and no others.
///
/// Everything that the recorder does to a disk goes through here, so that a test can refuse, cut
/// short or forget any of it. Paths are relative to the directory, with `/` between their parts. The
/// calls block: they belong on the thread that a sink keeps for them.
package protocol Storage: AnyObject, Sendable {
  /// Makes this process the directory's only writer.
  ///
  /// - Returns: What holds the lock: it is let go with the last reference, or when the process ends,
  ///   however it ends.
  /// - Throws: `StorageError` with the code `.inUse` if another recorder writes here.
  func lock() throws(StorageError) -> any StorageLock

  /// Creates a file that must not exist yet, and the folders above it; no name is synced.
  ///
  /// - Parameter path: Where the file shall be.
  /// - Returns: The empty file.
  /// - Throws: `StorageError`; `.exists` if something is there already.
  func create(_ path: String) throws(StorageError) -> any StorageFile

  /// Opens a file at its end.
  ///
  /// - Parameters:
  ///   - path: Where the file is.
  ///   - creating: Whether an empty one is created if there is none.
  /// - Returns: The file.
  /// - Throws: `StorageError`; `.missing` if it is not there and shall not be created.
  func append(to path: String, creating: Bool) throws(StorageError) -> any StorageFile

  /// Opens a file that exists, for reading.
  ///
  /// - Parameter path: Where the file is.
  /// - Returns: The file.
  /// - Throws: `StorageError`; `.missing` if it is not there.
  func open(_ path: String) throws(StorageError) -> any StorageFile

  /// Gives a file another name in one step, replacing what had that name.
  ///
  /// - Parameters:
  ///   - path: Where the file is.
  ///   - newPath: Where it shall be; its folder must exist.
  /// - Throws: `StorageError`.
  func rename(_ path: String, to newPath: String) throws(StorageError)

  /// Removes a file.
  ///
  /// - Parameter path: Where the file is.
  /// - Throws: `StorageError`; `.missing` if it is not there.
  func remove(_ path: String) throws(StorageError)

  /// Makes what happened to the names in a folder survive a power loss, if its own name does.
  ///
  /// - Parameter path: The folder; empty for the recording's own.
  /// - Throws: `StorageError`.
  func synchronizeFolder(_ path: String) throws(StorageError)

  /// The names in a folder, in ascending order.
  ///
  /// - Parameter path: The folder; empty for the recording's own.
  /// - Returns: The names, folders with a `/` behind; empty if there is no such folder.
  /// - Throws: `StorageError`.
  func list(_ path: String) throws(StorageError) -> [String]

  /// How many bytes this user may still write to the file system.
  ///
  /// - Returns: The number.
  /// - Throws: `StorageError`.
  func freeByteCount() throws(StorageError) -> Int
}

extension Storage {
  /// Makes the name of a new file survive a power loss, and those of the folders that it is in.
  ///
  /// - Parameter folder: The folder that the file is in.
  /// - Throws: `StorageError`.
  package func synchronizeNames(downTo folder: String) throws(StorageError) {
    var folder = folder[...]
    while true {
      try synchronizeFolder(String(folder))
      if folder.isEmpty { return }
      folder = folder.lastIndex(of: "/").map { folder[..<$0] } ?? ""
    }
  }

  /// Removes a file, if it is there.
  ///
  /// - Parameter path: Where the file is.
  /// - Throws: `StorageError`.
  package func removeIfPresent(_ path: String) throws(StorageError) {
    do {
      try remove(path)
    } catch  where error.code == .missing {
      // As it should be.
    }
  }
}

/// An open file of a ``Storage``.
package protocol StorageFile: AnyObject {
  /// How many bytes the file has.
  ///
  /// - Throws: `StorageError`.
  func byteCount() throws(StorageError) -> Int

  /// Whether the file still has a name, so that others can find it.
  ///
  /// - Returns: Whether it does.
  /// - Throws: `StorageError`.
  func isNamed() throws(StorageError) -> Bool

  /// Appends bytes with one system call, which may take fewer than it is given.
  ///
  /// - Parameter bytes: What to append.
  /// - Returns: How many bytes were taken; more than 0 unless `bytes` is empty.
  /// - Throws: `StorageError`; then nothing was taken.
  func write(_ bytes: UnsafeRawBufferPointer) throws(StorageError) -> Int

  /// Reads bytes from a place in the file.
  ///
  /// - Parameters:
  ///   - buffer: Where to put them.
  ///   - offset: Where in the file to begin.
  /// - Returns: How many bytes there were; 0 at the end of the file.
  /// - Throws: `StorageError`.
  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(StorageError) -> Int

  /// Makes the contents survive a power loss (`fdatasync`).
  ///
  /// - Throws: `StorageError`.
  func synchronize() throws(StorageError)

  /// Cuts the file.
  ///
  /// - Parameter byteCount: How many bytes shall be left.
  /// - Throws: `StorageError`.
  func truncate(to byteCount: Int) throws(StorageError)
}

extension StorageFile {
  /// Appends all bytes, with as many system calls as it takes.
  ///
  /// - Parameter bytes: What to append.
  /// - Throws: `StorageError`; then a part of the bytes may be in the file.
  package func writeAll(_ bytes: UnsafeRawBufferPointer) throws(StorageError) {
    var rest = bytes
    while !rest.isEmpty {
      rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(try write(rest)))
    }
  }

  /// Reads the whole file, for the small ones.
  ///
  /// - Parameter limit: The most bytes that may be read.
  /// - Returns: The contents, cut off at the limit.
  /// - Throws: `StorageError`.
  package func readAll(limit: Int) throws(StorageError) -> [UInt8] {
    var contents: [UInt8] = []
    try forEachChunk { (chunk: UnsafeRawBufferPointer) throws(StorageError) in
      contents.append(contentsOf: chunk.prefix(limit - contents.count))
      return contents.count < limit
    }
    return contents
  }

  /// Works through the file in pieces of 256 KiB.
  ///
  /// - Parameters:
  ///   - start: Where to begin.
  ///   - body: Called with each piece; answers whether it wants more.
  /// - Throws: `StorageError`, its own or that of `body`.
  package func forEachChunk(
    from start: Int = 0,
    _ body: (UnsafeRawBufferPointer) throws(StorageError) -> Bool
  ) throws(StorageError) {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 16)
    defer { buffer.deallocate() }
    var offset = start
    while true {
      let count = try read(into: buffer, at: offset)
      guard count > 0 else { return }
      offset += count
      guard try body(UnsafeRawBufferPointer(rebasing: buffer[..<count])) else { return }
    }
  }
}

/// Holds a directory for one writer as long as it lives.
package protocol StorageLock: AnyObject, Sendable {}
