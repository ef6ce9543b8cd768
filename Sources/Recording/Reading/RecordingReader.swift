// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

package import Flow
public import IBKR

/// A recording, for reading: its runs, its parts, and their lines in order.
///
/// It reads a recording that is still being made as well as one of years, and changes nothing.
/// Every line is read as a stream, so memory does not depend on how much there is.
public struct RecordingReader: Sendable {
  let storage: any Storage

  /// Names a recording.
  ///
  /// - Parameter directory: The directory; it must be there.
  /// - Throws: ``StorageError`` if there is no such directory.
  public init(directory: String) throws(StorageError) {
    self.init(storage: try POSIXStorage(existing: directory))
  }

  /// Names a recording in a storage of the caller's.
  package init(storage: any Storage) {
    self.storage = storage
  }

  /// The parts of some channels, in the order of channel, run, day, instrument and number.
  ///
  /// - Parameters:
  ///   - channels: The channels.
  ///   - days: The first and the last day that matter; nil for all.
  /// - Returns: The parts; of one that is there twice, because a crash interrupted its sealing, the
  ///   one that is whole.
  /// - Throws: `StorageError`.
  package func parts(
    of channels: Set<Channel> = Set(Channel.allCases),
    inDays days: ClosedRange<UTCDate>? = nil
  ) throws(StorageError) -> [RecordedPart] {
    let range = days.map { "date=\($0.lowerBound)"..."date=\($0.upperBound)" }
    let paths = try storage.channelFiles { name in
      // The names of days sort as the days do.
      range?.contains(name) ?? true
    }
    var found: [String: RecordedPart] = [:]
    for path in paths {
      guard let name = PartName(path), name.state == .plain || name.state == .compressed,
        let part = RecordedPart(name), channels.contains(part.channel)
      else { continue }
      // The plain file is whole for as long as it is there.
      if name.state == .compressed, found[name.plainPath] != nil { continue }
      found[name.plainPath] = part
    }
    let order = Dictionary(uniqueKeysWithValues: zip(Channel.allCases, 0...))
    return found.values.sorted { first, second in
      first.channel == second.channel
        ? RecordedPart.areInOrder(first, second)
        : order[first.channel, default: 0] < order[second.channel, default: 0]
    }
  }

  /// Reads the lines of a part.
  ///
  /// - Parameters:
  ///   - part: The part.
  ///   - body: Called with each whole line, without its end.
  /// - Throws: `StorageError`, `.damaged` for what cannot be read, or what `body` throws.
  package func forEachLine(
    of part: RecordedPart,
    _ body: (UnsafeRawBufferPointer) throws(StorageError) -> Void
  ) throws(StorageError) {
    try PartCursor(part, of: storage).readAll { line throws(StorageError) in try body(line.bytes) }
  }

  /// The runs that have anything in the recording, in the order in which they were made.
  ///
  /// - Throws: `StorageError`.
  func runs() throws(StorageError) -> [RunID] {
    try RunRecord.runs(in: storage).sorted { $0.description < $1.description }
  }

  /// All instruments that any run has looked up, the latest look-up of each.
  ///
  /// - Returns: The instruments by conid, in ascending order.
  /// - Throws: ``StorageError``.
  public func instruments() throws(StorageError) -> [Instrument] {
    var found: [Int: Instrument] = [:]
    do {
      _ = try PartReader(Instrument.path, storage: storage).forEachLine { line in
        guard line.isComplete, let known = Instrument.line(line.bytes) else { return }
        found[known.instrument.conid] = known.instrument
      }
    } catch  where error.code == .missing {
      // Nothing was looked up.
    }
    return found.values.sorted { $0.conid < $1.conid }
  }
}
