// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Crypto
import Flow

/// One part of a recording: a file of whole lines, written by one run and never appended to by
/// another.
///
/// Lines are made in ``sheet`` and reach the file together. The file is created with the first of
/// them, so that an empty one never exists, and it ends in a whole line after every failure: what
/// was only half taken is cut off again, and the lines stay in memory until they are taken.
final class PartFile {
  /// Where the part is.
  let path: String

  /// The folder that the part is in.
  private let folder: String

  /// The day of its lines.
  let date: UTCDate

  /// The lines that are not in the file yet.
  let sheet = LineSheet()

  /// Whether bytes were written since they were last synced.
  private(set) var needsSynchronizing = false

  /// The channel of its lines.
  let channel: Channel

  /// When the file was last written to, as a count that only grows.
  private(set) var lastWrite: UInt64 = 0

  private let run: RunID
  private let storage: any Storage
  private var file: (any StorageFile)?
  private var isCreated = false
  /// How many bytes of whole lines the file has.
  private var goodBytes = 0
  /// Whether the file may be longer than that.
  private var mayBeTorn = false

  /// Names a part; nothing is created yet.
  init(_ place: PartPath, number: Int, run: RunID, storage: any Storage) {
    path = place.file(run: run, number: number)
    folder = place.folder
    date = place.date
    channel = place.channel
    self.run = run
    self.storage = storage
  }

  /// Whether the file is open.
  var isOpen: Bool { file != nil }

  /// Brings all lines into the file.
  ///
  /// - Parameter count: What ``lastWrite`` shall be.
  /// - Throws: `StorageError`; then the lines are still in ``sheet``.
  func write(count: UInt64 = 0) throws(StorageError) {
    guard !sheet.lines.isEmpty else { return }
    let file = try openFile()
    try healTornTail(of: file)
    mayBeTorn = true
    let taken = sheet.lines.count
    do throws(StorageError) {
      try sheet.lines.withBytes { bytes throws(StorageError) in try file.writeAll(bytes) }
    } catch {
      // Should this fail as well, the next call begins with it.
      try? healTornTail(of: file)
      throw error
    }
    mayBeTorn = false
    goodBytes += taken
    needsSynchronizing = true
    lastWrite = count
    sheet.lines.removeAll()
  }

  /// Makes what was written survive a power loss.
  ///
  /// - Throws: `StorageError`.
  func synchronize() throws(StorageError) {
    guard needsSynchronizing else { return }
    try openFile().synchronize()
    needsSynchronizing = false
  }

  /// Gives the descriptor back; the next write opens the file again.
  func closeFile() {
    file = nil
  }

  /// Finishes the part: all of it written, file and folder synced.
  ///
  /// - Returns: The entry for the manifest, nil if there were no lines.
  /// - Throws: `StorageError`.
  func seal() throws(StorageError) -> ManifestEntry? {
    try write()
    guard isCreated, let seq = sheet.seq, let time = sheet.time else { return nil }
    try synchronize()
    try storage.synchronizeFolder(folder)
    let digest = try digest()
    file = nil
    return ManifestEntry(
      path: path,
      run: run,
      channel: channel,
      lines: sheet.count,
      seq: seq,
      time: time,
      bytes: goodBytes,
      digest: digest
    )
  }

  private func openFile() throws(StorageError) -> any StorageFile {
    if let file { return file }
    let file =
      if isCreated {
        try storage.append(to: path, creating: false)
      } else {
        try storage.create(path)
      }
    isCreated = true
    self.file = file
    return file
  }

  private func healTornTail(of file: any StorageFile) throws(StorageError) {
    guard mayBeTorn else { return }
    try file.truncate(to: goodBytes)
    mayBeTorn = false
  }

  /// The SHA-256 of the file as it is on the disk, in hexadecimal.
  private func digest() throws(StorageError) -> String {
    do {
      var digest = try Digest(.sha256)
      try storage.open(path).forEachChunk { chunk throws(StorageError) in
        do throws(CryptoError) {
          try digest.update(chunk)
        } catch {
          throw StorageError("hash", path, reason: error.description)
        }
        return true
      }
      return Hexadecimal.encode(try digest.finish())
    } catch let error as StorageError {
      throw error
    } catch {
      throw StorageError("hash", path, reason: "\(error)")
    }
  }
}
