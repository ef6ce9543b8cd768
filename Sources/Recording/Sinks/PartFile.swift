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

  /// When the file was last written to, as a count that only grows.
  private(set) var lastWrite: UInt64 = 0

  /// Whether it is among those that may have got lines since the last write.
  var isTouched = false

  private let run: RunID
  private let storage: any Storage
  private let tally: WriteTally
  /// How many of the sheet's lines are in the file.
  private var writtenLines = 0
  private var file: (any StorageFile)?
  private var isCreated = false
  /// Whether the file's name may not survive a power loss.
  private var needsNaming = false
  /// How many bytes of whole lines the file has.
  private var goodBytes = 0
  /// How many of them survive a power loss.
  private var safeBytes = 0
  /// Whether the file may be longer than that.
  private var mayBeTorn = false

  /// Names a part; nothing is created yet.
  init(
    _ place: PartPath,
    number: Int,
    run: RunID,
    storage: any Storage,
    tally: WriteTally = WriteTally()
  ) {
    self.tally = tally
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
    tally.add(channel, lines: sheet.count - writtenLines, bytes: taken)
    writtenLines = sheet.count
    lastWrite = count
    sheet.removeLines()
  }

  /// What a power loss would take of the part; nil if nothing.
  var pendingSync: PendingSync? {
    guard goodBytes > safeBytes else { return nil }
    return PendingSync(path: path, byteCount: goodBytes, folder: needsNaming ? place.folder : nil)
  }

  /// Notes what was made safe.
  func didSynchronize(_ done: PendingSync) {
    guard done.path == path else { return }
    safeBytes = max(safeBytes, done.byteCount)
    if done.folder != nil { needsNaming = false }
  }

  /// Makes what was written survive a power loss.
  ///
  /// - Throws: `StorageError`.
  func synchronize() throws(StorageError) {
    guard let pendingSync else { return }
    try pendingSync.perform(in: storage)
    didSynchronize(pendingSync)
  }

  /// Gives the descriptor back; the next write opens the file again.
  func closeFile() {
    file = nil
  }

  /// What is to be sealed, nil if there were no lines.
  var name: PartName? { isCreated ? PartName(path) : nil }

  /// Finishes the part: all of it written, file and folder synced, and closed.
  ///
  /// - Returns: What is to be sealed, nil if there were no lines.
  /// - Throws: `StorageError`.
  func finish() throws(StorageError) -> PartName? {
    try write()
    try synchronize()
    closeFile()
    return name
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
    (file, isCreated, goodBytes, safeBytes, mayBeTorn) = (nil, false, 0, 0, false)
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
