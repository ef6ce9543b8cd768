// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow

/// Takes the typed lines that follow from the log, and writes those that a crash left out.
///
/// They go to new parts of the run that they are of, each behind the last part of its folder.
final class DerivedSheets: LineSheets {
  /// What a folder has of a run.
  struct Present {
    /// The number of the last part.
    var number = 0
    /// How many lines have each number, as far as it matters.
    ///
    /// A power loss may take any part that was not synced, and leave a later one.
    var rows: [UInt64: Int] = [:]
  }

  private let run: RunID
  private let storage: any Storage
  private let present: [String: Present]
  /// Up to where everything is there.
  private let completeUpTo: UInt64?
  private var parts: [PartPath: PartFile] = [:]

  init(
    run: RunID,
    storage: any Storage,
    present: [String: Present],
    completeUpTo: UInt64?
  ) {
    self.run = run
    self.storage = storage
    self.present = present
    self.completeUpTo = completeUpTo
  }

  func sheet(_ channel: Channel, symbol: String?, at realtime: Int64) -> LineSheet {
    let place = PartPath(channel: channel, date: UTCDate(realtime: realtime), symbol: symbol)
    if let part = parts[place] { return part.sheet }
    let found = present[place.folder] ?? Present()
    let part = PartFile(place, number: found.number + 1, run: run, storage: storage)
    var rows = found.rows
    part.sheet.isWanted = { [completeUpTo] seq in
      if let completeUpTo, seq <= completeUpTo { return false }
      // Several lines may have one number, and the crash may have come between them.
      guard let left = rows[seq], left > 0 else { return true }
      rows[seq] = left - 1
      return false
    }
    parts[place] = part
    return part.sheet
  }

  /// Writes what waits, if it is much.
  ///
  /// - Parameter always: Whether little is written as well.
  /// - Throws: `StorageError`.
  func write(always: Bool = false) throws(StorageError) {
    for part in parts.values where always || part.sheet.lines.count > 1 << 20 {
      try part.write()
      part.closeFile()
    }
  }

  /// Writes everything, and makes it survive a power loss.
  ///
  /// - Returns: The new parts.
  /// - Throws: `StorageError`.
  func finish() throws(StorageError) -> [PartName] {
    var names: [PartName] = []
    for part in parts.values.sorted(by: { $0.path < $1.path }) {
      if let name = try part.finish() { names.append(name) }
    }
    return names
  }
}
