// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import Glibc

@testable import Recording

/// A directory in memory that fails when it is told to.
///
/// Everything is counted and listed, so that a test can let the n-th operation fail and look at
/// what is left.
final class MemoryStorage: Storage {
  struct State: Sendable {
    var files: [String: Contents] = [:]
    var folders: Set<String> = [""]
    var isLocked = false
    var operations: [String] = []
    /// Asked before each operation: its name, its path; an error number lets it fail.
    var fault: (@Sendable (String, String) -> Int32?)?
    /// The most bytes that all files together may have.
    var capacity = Int.max
    var openFiles = 0
    var mostOpenFiles = 0
  }

  struct Contents: Sendable {
    var bytes: [UInt8] = []
    /// How many of them survive a power loss.
    var synced = 0
  }

  private let state = Locked(State())

  /// Looks at the directory, or changes it.
  func with<Result, Failure: Error>(
    _ body: (inout State) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try state.withLock(body)
  }

  func lock() throws(StorageError) -> any StorageLock {
    try state.withLock { state throws(StorageError) in
      guard !state.isLocked else { throw StorageError(inUse: "memory", by: "process 1") }
      state.isLocked = true
    }
    return Lock(storage: self)
  }

  private final class Lock: StorageLock {
    let storage: MemoryStorage
    init(storage: MemoryStorage) { self.storage = storage }
    deinit { storage.with { $0.isLocked = false } }
  }

  func create(_ path: String) throws(StorageError) -> any StorageFile {
    try perform("create", path) { state throws(StorageError) in
      guard state.files[path] == nil else { throw StorageError("create", path, number: EEXIST) }
      state.files[path] = Contents()
      var folder = path[...]
      while let slash = folder.lastIndex(of: "/") {
        folder = folder[..<slash]
        state.folders.insert(String(folder))
      }
    }
    return File(path, self)
  }

  func append(to path: String, creating: Bool) throws(StorageError) -> any StorageFile {
    try perform("append", path) { state throws(StorageError) in
      if state.files[path] == nil {
        guard creating else { throw StorageError("open", path, number: ENOENT) }
        state.files[path] = Contents()
      }
    }
    return File(path, self)
  }

  func open(_ path: String) throws(StorageError) -> any StorageFile {
    try perform("open", path) { state throws(StorageError) in
      guard state.files[path] != nil else { throw StorageError("open", path, number: ENOENT) }
    }
    return File(path, self)
  }

  func rename(_ path: String, to newPath: String) throws(StorageError) {
    try perform("rename", path) { state throws(StorageError) in
      guard let file = state.files.removeValue(forKey: path) else {
        throw StorageError("rename", path, number: ENOENT)
      }
      state.files[newPath] = file
    }
  }

  func remove(_ path: String) throws(StorageError) {
    try perform("remove", path) { state throws(StorageError) in
      guard state.files.removeValue(forKey: path) != nil else {
        throw StorageError("remove", path, number: ENOENT)
      }
    }
  }

  func synchronizeFolder(_ path: String) throws(StorageError) {
    try perform("folder", path) { _ in }
  }

  func list(_ path: String) throws(StorageError) -> [String] {
    let prefix = path.isEmpty ? "" : "\(path)/"
    return state.withLock { state in
      let below = (state.files.keys + state.folders.map { "\($0)/" })
        .filter { $0.hasPrefix(prefix) && $0.count > prefix.count }
        .map { $0.dropFirst(prefix.count) }
      let names = below.compactMap { name -> String? in
        guard let slash = name.firstIndex(of: "/") else { return String(name) }
        return slash == name.startIndex ? nil : "\(name[..<slash])/"
      }
      return Set(names).sorted()
    }
  }

  func freeByteCount() throws(StorageError) -> Int {
    try perform("free", "") { $0.capacity - $0.files.values.reduce(0) { $0 + $1.bytes.count } }
  }

  func perform<Result: Sendable>(
    _ name: String,
    _ path: String,
    _ body: (inout State) throws(StorageError) -> Result
  ) throws(StorageError) -> Result {
    try state.withLock { state throws(StorageError) in
      state.operations.append("\(name) \(path)")
      if let number = state.fault?(name, path) { throw StorageError(name, path, number: number) }
      return try body(&state)
    }
  }

  /// The contents of a file as text, nil if there is none.
  func text(_ path: String) -> String? {
    state.withLock { $0.files[path].map { String(decoding: $0.bytes, as: UTF8.self) } }
  }

  /// The lines of all files whose path begins so, in the order of the paths, compressed or not.
  func lines(under prefix: String) -> [String] {
    var lines: [String] = []
    for path in paths where path.hasPrefix(prefix) {
      _ = try? PartReader(path, storage: self).forEachLine { line in
        lines.append(String(decoding: line.bytes, as: UTF8.self))
      }
    }
    return lines
  }

  /// The paths of all files, in order.
  var paths: [String] { state.withLock { $0.files.keys.sorted() } }

  final class File: StorageFile {
    let path: String
    let storage: MemoryStorage

    init(_ path: String, _ storage: MemoryStorage) {
      self.path = path
      self.storage = storage
      storage.with { state in
        state.openFiles += 1
        state.mostOpenFiles = max(state.mostOpenFiles, state.openFiles)
      }
    }

    deinit { storage.with { $0.openFiles -= 1 } }

    func byteCount() throws(StorageError) -> Int {
      try storage.perform("size", path) { $0.files[self.path]?.bytes.count ?? 0 }
    }

    func isNamed() throws(StorageError) -> Bool {
      storage.with { $0.files[path] != nil }
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(StorageError) -> Int {
      try storage.perform("write", path) { state throws(StorageError) in
        let used = state.files.values.reduce(0) { $0 + $1.bytes.count }
        let count = min(bytes.count, state.capacity - used)
        guard count > 0 || bytes.isEmpty else {
          throw StorageError("write", self.path, number: ENOSPC)
        }
        state.files[self.path, default: Contents()].bytes.append(contentsOf: bytes.prefix(count))
        return count
      }
    }

    func read(
      into buffer: UnsafeMutableRawBufferPointer,
      at offset: Int
    ) throws(StorageError) -> Int {
      try storage.perform("read", path) { state in
        let bytes = state.files[self.path]?.bytes.dropFirst(offset).prefix(buffer.count) ?? []
        buffer.copyBytes(from: bytes)
        return bytes.count
      }
    }

    func synchronize() throws(StorageError) {
      try storage.perform("sync", path) { state in
        let count = state.files[self.path]?.bytes.count ?? 0
        state.files[self.path]?.synced = count
      }
    }

    func truncate(to byteCount: Int) throws(StorageError) {
      try storage.perform("truncate", path) { state in
        let count = state.files[self.path]?.bytes.count ?? 0
        state.files[self.path]?.bytes.removeLast(max(0, count - byteCount))
      }
    }
  }
}
