// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import JSON

/// The end of a recording, and what is added to it.
///
/// It follows parts, compressed or not, to the next part, the next day and the next run. Of each part
/// it remembers how many bytes of lines were read, which is the same number before and after its
/// sealing, so it keeps no file open.
public struct RecordingTail {
  /// A line and its place in the order of the recording.
  private struct Entry {
    let run: String
    let seq: UInt64
    /// Which of several lines with one number it is, from different channels.
    let order: Int
    let text: [UInt8]

    static func areInOrder(_ first: Entry, _ second: Entry) -> Bool {
      (first.run, first.seq, first.order) < (second.run, second.seq, second.order)
    }
  }

  /// What is known of a part.
  private struct Place {
    /// How many bytes of its lines were read.
    var offset = 0
    /// How many bytes the file had then.
    var byteCount = -1
    var isCompressed = false
  }

  private let reader: RecordingReader
  private let channels: Set<Channel>
  private let symbols: Set<String>
  private var places: [String: Place] = [:]
  private var firstDay: UTCDate?

  /// Names the end of a recording.
  ///
  /// - Parameters:
  ///   - reader: The recording.
  ///   - channels: The channels to read.
  ///   - symbols: The names of the instruments to read; empty for all.
  public init(of reader: RecordingReader, channels: Set<Channel>, symbols: Set<String> = []) {
    self.reader = reader
    self.channels = channels
    self.symbols = symbols
  }

  /// The last lines; ``next(at:)`` goes on behind them.
  ///
  /// - Parameter count: How many lines.
  /// - Returns: The lines with their ends, in the order of run and number.
  /// - Throws: ``StorageError``, `.damaged` for what cannot be read.
  public mutating func last(_ count: Int) throws(StorageError) -> [[UInt8]] {
    var kept: [Entry] = []
    var days: [Substring: [RecordedPart]] = [:]
    for part in try reader.parts(of: channels) { days[part.date, default: []].append(part) }
    // Days from the last to the first, until there are enough lines.
    for day in days.keys.sorted(by: >) {
      var entries: [Entry] = []
      for part in days[day] ?? [] where isWanted(part) {
        guard kept.count < count else {
          try skip(part)
          continue
        }
        try read(part) { entry in
          entries.append(entry)
          if entries.count >= 4 * count + 1_024 { Self.trim(&entries, to: count) }
        }
      }
      Self.trim(&entries, to: count - kept.count)
      kept = entries + kept
    }
    return kept.map(\.text)
  }

  /// What has been added since the last call.
  ///
  /// - Parameter realtime: The time now, in nanoseconds since 1970: days before yesterday get no
  ///   more lines.
  /// - Returns: The lines with their ends, in the order of run and number.
  /// - Throws: ``StorageError``, `.damaged` for what cannot be read.
  public mutating func next(at realtime: Int64) throws(StorageError) -> [[UInt8]] {
    let now = UTCDate(realtime: realtime)
    let yesterday = UTCDate(realtime: realtime - 86_400_000_000_000)
    // A clock that is ahead of ours may have opened tomorrow already.
    let tomorrow = UTCDate(realtime: realtime + 86_400_000_000_000)
    var entries: [Entry] = []
    for part in try reader.parts(of: channels, inDays: min(yesterday, now)...tomorrow)
    where isWanted(part) {
      try read(part) { entries.append($0) }
    }
    entries.sort(by: Entry.areInOrder)
    return entries.map(\.text)
  }

  private func isWanted(_ part: RecordedPart) -> Bool {
    guard !symbols.isEmpty, let folder = part.symbolFolder else { return true }
    return symbols.contains { PartPath.encoded($0) == folder }
  }

  private static func trim(_ entries: inout [Entry], to count: Int) {
    entries.sort(by: Entry.areInOrder)
    entries.removeFirst(max(0, entries.count - max(0, count)))
  }

  /// Notes that everything in a part has been read.
  private mutating func skip(_ part: RecordedPart) throws(StorageError) {
    // An old part that is sealed grows no more; of an open one the lines have to be counted.
    guard !part.isCompressed else {
      places[part.name.plainPath] = Place(offset: .max, byteCount: .max, isCompressed: true)
      return
    }
    try read(part) { _ in }
  }

  private mutating func read(
    _ part: RecordedPart,
    _ body: (Entry) -> Void
  ) throws(StorageError) {
    var place = places[part.name.plainPath] ?? Place()
    guard place.offset < .max else { return }
    do throws(StorageError) {
      let cursor = try PartCursor(part, of: reader.storage)
      let byteCount = try cursor.byteCount()
      // Nothing was added, and nothing else can have happened to it.
      if byteCount == place.byteCount, part.isCompressed == place.isCompressed { return }
      let start = place.offset
      var end = start
      try cursor.readAll(from: start) { line throws(StorageError) in
        guard line.offset >= start else { return }
        end = line.offset + line.bytes.count + 1
        if let entry = try entry(line, of: part, cursor) { body(entry) }
      }
      place = Place(offset: end, byteCount: byteCount, isCompressed: part.isCompressed)
    } catch {
      // Removed because of its age, between the look and the reading.
      guard error.code == .missing else { throw error }
      place.offset = .max
    }
    places[part.name.plainPath] = place
  }

  private func entry(
    _ line: Line,
    of part: RecordedPart,
    _ cursor: PartCursor
  ) throws(StorageError) -> Entry? {
    guard let fields = LineFields(line.bytes) else {
      throw cursor.damage("line \(line.number) is no record")
    }
    if !symbols.isEmpty, part.symbolFolder == nil, let symbol = fields.symbol {
      guard let name = JSONString.text(symbol), symbols.contains(name) else { return nil }
    }
    return Entry(
      run: part.run.description,
      seq: fields.seq,
      order: Channel.allCases.firstIndex(of: part.channel) ?? 0,
      text: Array(line.bytes) + [UInt8(ascii: "\n")]
    )
  }
}
