// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Glibc
import Testing

@testable import Recording

@Suite struct POSIXStorageTests {
  @Test func writesReadsAndLists() throws {
    let directory = try TemporaryDirectory()
    let storage = try POSIXStorage(directory: "\(directory.path)/deep/er")
    let file = try storage.create("a/b/one")
    try write("hello\nworld", to: file)
    try file.truncate(to: 6)
    try file.synchronize()
    try write("again\n", to: storage.append(to: "a/b/one", creating: false))
    #expect(directory.contents("deep/er/a/b/one") == "hello\nagain\n")
    #expect(try file.byteCount() == 12)
    #expect(try storage.open("a/b/one").readAll(limit: 8) == Array("hello\nag".utf8))
    try storage.rename("a/b/one", to: "a/b/two")
    _ = try storage.create("a/c")
    try storage.synchronizeFolder("a/b")
    try storage.synchronizeFolder("")
    #expect(try storage.list("a") == ["b/", "c"])
    #expect(try storage.list("a/b") == ["two"])
    #expect(try storage.list("nowhere") == [])
    try storage.remove("a/c")
    #expect(try storage.list("a") == ["b/"])
  }

  @Test func aPartIsNeverOpenedOverAnother() throws {
    let directory = try TemporaryDirectory()
    let storage = try POSIXStorage(directory: directory.path)
    try write("kept", to: storage.create("part"))
    expect(.exists) { try storage.create("part") }
    #expect(symlink("part", "\(directory.path)/link") == 0)
    #expect(throws: StorageError.self) { try storage.append(to: "link", creating: true) }
    #expect(directory.contents("part") == "kept")
  }

  @Test func whatIsMissingIsNamed() throws {
    let directory = try TemporaryDirectory()
    let storage = try POSIXStorage(directory: directory.path)
    expect(.missing) { try storage.open("none") }
    expect(.missing) { try storage.append(to: "none", creating: false) }
    expect(.missing) { try storage.remove("none") }
    let error = #expect(throws: StorageError.self) { try storage.open("none") }
    #expect(
      error?.description == "cannot open \(directory.path)/none: No such file or directory"
    )
  }

  @Test func aSecondRecorderIsToldWhoHoldsTheDirectory() throws {
    let directory = try TemporaryDirectory()
    let first = try POSIXStorage(directory: directory.path)
    let second = try POSIXStorage(directory: directory.path)
    do {
      let lock = try first.lock()
      let error = expect(.inUse) { try second.lock() }
      #expect(error?.description.contains("(process \(getpid()))") == true)
      withExtendedLifetime(lock) {}
    }
    _ = try second.lock()
  }

  @Test func aDirectoryThatCannotBeSaysSo() throws {
    let directory = try TemporaryDirectory()
    try write("x", to: POSIXStorage(directory: directory.path).create("file"))
    #expect(throws: StorageError.self) { try POSIXStorage(directory: "\(directory.path)/file") }
    #expect(throws: StorageError.self) { try POSIXStorage(directory: "\(directory.path)/file/x") }
    #expect(throws: StorageError.self) { try POSIXStorage(directory: "/proc/no") }
  }

  @Test func aFullDiskSaysWhatToDo() throws {
    let file = POSIXFile(descriptor: open("/dev/full", O_WRONLY), path: "/dev/full")
    let error = expect(.full) { try write("x", to: file) }
    #expect(error?.description.contains("free some space") == true)
  }

  private func write(_ text: String, to file: any StorageFile) throws(StorageError) {
    let bytes = Array(text.utf8)
    try bytes.withUnsafeBufferPointer { bytes throws(StorageError) in
      try file.writeAll(UnsafeRawBufferPointer(bytes))
    }
  }

  /// Runs something that must fail, and checks how.
  @discardableResult
  private func expect(
    _ code: StorageError.Code,
    _ body: () throws -> some Any
  ) -> StorageError? {
    let error = #expect(throws: StorageError.self) { _ = try body() }
    #expect(error?.code == code)
    return error
  }
}
