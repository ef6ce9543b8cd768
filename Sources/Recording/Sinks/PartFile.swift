// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow

/// One part of a recording: a file of whole lines, written by one run and never appended to by
/// another.
///
/// Lines are made in ``sheet`` and reach the file together. The file is created with the first of
/// them, so that an empty one never exists, and it ends in a whole line after every failure: what
/// was only half taken is cut off again, and the lines stay in memory until they are taken.
final class PartFile {
  /// The folder that the part is in.
  let place: PartPath

  /// The number of the part in folder and run.
  private(set) var number: Int

  /// The lines that are not in the file yet.
  let sheet = LineSheet()

  /// Whether bytes were written since they were last synced.
  private(set) var needsSynchronizing = false

  /// When the file was last written to, as a count that only grows.
  private(set) var lastWrite: UInt64 = 0

  private let run: RunID
  private let storage: any Storage
  private var file: (any StorageFile)?
  private var isCreated = false
  /// Whether the file's name may not survive a power loss.
  private var needsNaming = false
  /// How many bytes of whole lines the file has.
  private var goodBytes = 0
  /// Whether the file may be longer than that.
  private var mayBeTorn = false

  /// Names a part; nothing is created yet.
  init(_ place: PartPath, number: Int, run: RunID, storage: any Storage) {
    self.place = place
    self.number = number
    self.run = run
    self.storage = storage
  }

  /// Where the part is.
  var path: String { place.file(run: run, number: number) }

  /// The day of its lines.
  var date: UTCDate { place.date }

  /// The channel of its lines.
  var channel: Channel { place.channel }

  /// How many bytes of lines the file has.
  var byteCount: Int { goodBytes }

  /// Whether the file is open.
  var isOpen: Bool { file != nil }

  /// Brings all lines into the file.
  ///
  /// - Parameter count: What ``lastWrite`` shall be.
  /// - Throws: `StorageError`; then the lines are still in ``sheet``.
  func write(count: UInt64 = 0) throws(StorageError) {
    guard !sheet.lines.isEmpty else { return }
    let file = try fileWithName()
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
    sheet.removeLines()
  }

  /// Makes what was written survive a power loss.
  ///
  /// - Throws: `StorageError`.
  func synchronize() throws(StorageError) {
    guard needsSynchronizing else { return }
    let wasOpen = isOpen
    do throws(StorageError) {
      try openFile().synchronize()
      // What is in a file counts for nothing when its name is lost.
      if needsNaming { try storage.synchronizeFolder(place.folder) }
    } catch {
      // Of a part that somebody has removed there is nothing to keep; the next write begins another.
      guard error.code == .missing else { throw error }
    }
    needsNaming = false
    needsSynchronizing = false
    if !wasOpen { closeFile() }
  }

  /// Gives the descriptor back; the next write opens the file again.
  func closeFile() {
    file = nil
  }

  /// Finishes the part: all of it written, file and folder synced, and closed.
  ///
  /// - Returns: What is to be sealed, nil if there were no lines.
  /// - Throws: `StorageError`.
  func finish() throws(StorageError) -> PartName? {
    try write()
    try synchronize()
    closeFile()
    return isCreated ? PartName(path) : nil
  }

  /// The file; a new one with the next number if somebody has removed it, because lines must not go
  /// where nobody will find them.
  private func fileWithName() throws(StorageError) -> any StorageFile {
    do throws(StorageError) {
      let file = try openFile()
      if try file.isNamed() { return file }
    } catch {
      guard isCreated, error.code == .missing else { throw error }
    }
    number += 1
    (file, isCreated, goodBytes, mayBeTorn) = (nil, false, 0, false)
    needsSynchronizing = false
    return try openFile()
  }

  private func openFile() throws(StorageError) -> any StorageFile {
    if let file { return file }
    let file =
      if isCreated {
        try storage.append(to: path, creating: false)
      } else {
        try storage.create(path)
      }
    self.file = file
    guard !isCreated else { return file }
    isCreated = true
    needsNaming = true
    return file
  }

  private func healTornTail(of file: any StorageFile) throws(StorageError) {
    guard mayBeTorn else { return }
    try file.truncate(to: goodBytes)
    mayBeTorn = false
  }
}
