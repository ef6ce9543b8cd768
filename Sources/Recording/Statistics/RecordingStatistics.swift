// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import JSON

/// What a recording holds: rows, times, bytes and sums, by channel and instrument.
public struct RecordingStatistics: Sendable {
  /// A channel as a whole first, then each of its instruments by name; channels by name.
  public private(set) var rows: [ChannelStatistics] = []

  /// Reads a whole recording.
  ///
  /// - Parameters:
  ///   - reader: The recording.
  ///   - channels: The channels that matter; nil for all.
  /// - Throws: ``StorageError``, `.damaged` for what cannot be read.
  public init(of reader: RecordingReader, channels: Set<Channel>? = nil) throws(StorageError) {
    let wanted = channels ?? Set(Channel.allCases)
    for channel in wanted.sorted(by: { $0.rawValue < $1.rawValue }) {
      try add(channel, of: reader)
    }
    try countGaps(of: reader)
  }

  private mutating func add(
    _ channel: Channel,
    of reader: RecordingReader
  ) throws(StorageError) {
    let count = ChannelCount(channel)
    for part in try reader.parts(of: [channel]) {
      let cursor: PartCursor
      do throws(StorageError) {
        cursor = try PartCursor(part, of: reader.storage)
      } catch  where error.code == .missing {
        // Removed meanwhile, because of its age.
        continue
      }
      count.beginPart(storedBytes: try cursor.byteCount())
      try cursor.readAll { line throws(StorageError) in
        guard count.add(line.bytes) else {
          throw cursor.damage("line \(line.number) is no record")
        }
      }
    }
    rows += count.statistics
  }

  private mutating func countGaps(of reader: RecordingReader) throws(StorageError) {
    let gaps = try reader.gaps()
    guard !gaps.isEmpty else { return }
    for index in rows.indices {
      for gap in gaps {
        if let symbol = rows[index].symbol, !gap.symbols.contains(symbol) { continue }
        rows[index].gaps += 1
        // What a damaged line says of its ends may be anything.
        let (length, overflow) = (gap.end ?? gap.start).subtractingReportingOverflow(gap.start)
        let (sum, overflow2) = rows[index].gapNanoseconds.addingReportingOverflow(length)
        if !overflow, !overflow2 { rows[index].gapNanoseconds = sum }
      }
    }
  }
}

/// What a recording holds of a channel, or of one instrument there.
public struct ChannelStatistics: Sendable, Hashable {
  /// The channel.
  public let channel: Channel
  /// The instrument's name; nil for the channel as a whole.
  public let symbol: String?
  /// How many parts hold it.
  public internal(set) var parts = 0
  /// How many rows there are.
  public internal(set) var rows = 0
  /// How many bytes the rows have when nothing is compressed.
  public internal(set) var bytes = 0
  /// How many bytes the parts have on the disk; known for a channel as a whole only.
  public internal(set) var storedBytes: Int?
  /// The earliest and the latest `ts_recv`.
  public internal(set) var received: ClosedRange<Int64>?
  /// The earliest and the latest `ts_event`.
  public internal(set) var events: ClosedRange<Int64>?
  /// How many gaps there are, for the channel as a whole or that name the instrument.
  public internal(set) var gaps = 0
  /// How long those lasted together, as far as their ends are known.
  public internal(set) var gapNanoseconds: Int64 = 0
  /// The columns, in their order.
  public internal(set) var columns: [ColumnStatistics] = []

  init(_ channel: Channel, symbol: String?) {
    self.channel = channel
    self.symbol = symbol
  }

  /// The statistics as a line of JSON.
  public var json: String {
    var text = LineBuffer()
    text.append("{\"channel\":")
    text.append(string: channel.rawValue)
    text.append(",\"symbol\":")
    text.append(stringOrNull: symbol)
    for (name, number) in numbers {
      text.append(contentsOf: Array(",\"\(name)\":".utf8))
      text.append(orNull: number)
    }
    text.append(",\"columns\":{")
    for (index, column) in columns.enumerated() {
      if index > 0 { text.append(UInt8(ascii: ",")) }
      text.append(string: column.name)
      text.append(":{\"count\":")
      text.append(Int64(column.count))
      text.append(",\"sum\":")
      if let sum = column.sum {
        text.append(contentsOf: Array(sum.description.utf8))
      } else {
        text.append("null")
      }
      text.append("}")
    }
    text.append("}}\n")
    return text.withBytes { String(decoding: $0, as: UTF8.self) }
  }

  private var numbers: [(String, Int64?)] {
    [
      ("parts", Int64(parts)), ("rows", Int64(rows)), ("bytes", Int64(bytes)),
      ("stored_bytes", storedBytes.map(Int64.init)),
      ("ts_recv_first", received?.lowerBound), ("ts_recv_last", received?.upperBound),
      ("ts_event_first", events?.lowerBound), ("ts_event_last", events?.upperBound),
      ("gaps", Int64(gaps)), ("gap_ns", gapNanoseconds),
    ]
  }
}

/// Counts the rows of one channel.
private final class ChannelCount {
  /// The rows of one instrument, or those that are of none.
  private struct Count {
    var statistics: ChannelStatistics
    var sums = ColumnSums()
    /// The part of the last row.
    var lastPart = 0
  }

  private let channel: Channel
  private var total: ChannelStatistics
  private var places: [[UInt8]: Int] = [:]
  private var counts: [Count] = []
  private var part = 0
  private var members: [JSONMember] = []
  /// The instrument of the last row, which is most often that of the next as well.
  private var latest: (name: [UInt8], place: Int)?

  init(_ channel: Channel) {
    self.channel = channel
    total = ChannelStatistics(channel, symbol: nil)
  }

  /// A part begins.
  func beginPart(storedBytes: Int) {
    part += 1
    total.parts += 1
    total.storedBytes = (total.storedBytes ?? 0) + storedBytes
  }

  /// Counts a row.
  ///
  /// - Parameter line: The row.
  /// - Returns: Whether it is one.
  func add(_ line: UnsafeRawBufferPointer) -> Bool {
    members.removeAll(keepingCapacity: true)
    guard let fields = LineFields(line, column: { member, _ in members.append(member) }) else {
      return false
    }
    let place = place(of: fields.symbol)
    let scanner = JSONScanner(line)
    counts[place].sums.beginRow()
    for member in members { counts[place].sums.count(member, in: scanner) }
    if counts[place].lastPart != part {
      counts[place].lastPart = part
      counts[place].statistics.parts += 1
    }
    counts[place].statistics.add(fields, byteCount: line.count + 1)
    return true
  }

  private func place(of symbol: UnsafeRawBufferPointer?) -> Int {
    if let latest, latest.name.elementsEqual(symbol ?? .empty) { return latest.place }
    let name = symbol.map(Array.init) ?? []
    let place = places[name] ?? counts.count
    if place == counts.count {
      places[name] = place
      // As it stands in the line, so its escapes are to be undone.
      let text = symbol.flatMap { JSONString.text($0) }
      counts.append(Count(statistics: ChannelStatistics(channel, symbol: text)))
    }
    latest = (name, place)
    return place
  }

  /// The channel as a whole and its instruments by name; nothing for a channel without rows.
  var statistics: [ChannelStatistics] {
    guard !counts.isEmpty else { return [] }
    var total = total
    var columns = ColumnSums()
    var instruments: [ChannelStatistics] = []
    for count in counts {
      var statistics = count.statistics
      statistics.columns = count.sums.columns
      total.merge(statistics)
      columns.merge(count.sums)
      if statistics.symbol != nil { instruments.append(statistics) }
    }
    total.columns = columns.columns
    return [total] + instruments.sorted { $0.symbol ?? "" < $1.symbol ?? "" }
  }
}

extension ChannelStatistics {
  fileprivate mutating func add(_ fields: LineFields, byteCount: Int) {
    rows += 1
    bytes += byteCount
    received = LineSheet.extended(received, to: fields.realtime)
    if let event = fields.event { events = LineSheet.extended(events, to: event) }
  }

  fileprivate mutating func merge(_ other: ChannelStatistics) {
    rows += other.rows
    bytes += other.bytes
    if let range = other.received {
      received = LineSheet.extended(received, to: range.lowerBound)
      received = LineSheet.extended(received, to: range.upperBound)
    }
    if let range = other.events {
      events = LineSheet.extended(events, to: range.lowerBound)
      events = LineSheet.extended(events, to: range.upperBound)
    }
  }
}

extension UnsafeRawBufferPointer {
  fileprivate static var empty: UnsafeRawBufferPointer { .init(start: nil, count: 0) }
}
