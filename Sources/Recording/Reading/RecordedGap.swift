// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
public import IBKR
import JSON

/// A stretch of time in which a recording may lack data, as `ch=gap` tells it.
public struct RecordedGap: Sendable, Hashable {
  /// Its name: the run and its number there.
  public var id: String
  /// The run that noticed it.
  public var run: String
  /// The last proof of life before it, in nanoseconds since 1970.
  public var start: Int64
  /// When data came again, in nanoseconds since 1970; nil if the run ended before.
  public var end: Int64?
  /// Why.
  public var reason: GapReason
  /// The names of the instruments' records.
  public var symbols: [String]
  /// The instruments.
  public var conids: [Int]
  /// How it was noticed.
  public var detectedBy: String
  /// How many events were lost, where that is known.
  public var count: UInt64?
  /// Whether the run was going to ask for the bars of this time.
  public var willBeFilled = false

  /// How long it lasted; nil if nobody knows.
  public var duration: Duration? { end.map { .nanoseconds($0 - start) } }

  /// Reads a line of `ch=gap`; nothing comes of any other.
  init?(_ line: UnsafeRawBufferPointer) {
    guard let value = try? JSONValue(parsing: line), let id = value["gap_id"]?.string,
      let run = value["run"]?.string, let start = Self.time(value["ts_start"]),
      let reason = value["reason"]?.string.flatMap(GapReason.init(rawValue:)),
      let symbols = value["symbols"]?.elements, let conids = value["conids"]?.elements
    else { return nil }
    self.id = id
    self.run = run
    self.start = start
    self.end = Self.time(value["ts_end"])
    self.reason = reason
    self.symbols = symbols.compactMap(\.string)
    self.conids = conids.compactMap(\.int)
    detectedBy = value["detected_by"]?.string ?? ""
    count = value["count"]?.int.flatMap(UInt64.init(exactly:))
    willBeFilled = value["backfill"]?.string == RecordedBackfill.State.pending.rawValue
  }

  /// A point in time, whichever ``TimeFormat`` it is written in.
  private static func time(_ value: JSONValue?) -> Int64? {
    if let number = value?.int { return Int64(number) }
    guard var text = value?.string else { return nil }
    return text.withUTF8 { UTCTime(UnsafeRawBufferPointer($0))?.realtime }
  }
}

extension RecordedGap {
  /// The gap as a line of JSON.
  public var json: String {
    var text = LineBuffer()
    text.append("{\"gap_id\":")
    text.append(string: id)
    text.append(",\"ts_start\":")
    text.append(start)
    text.append(",\"ts_end\":")
    text.append(orNull: end)
    text.append(",\"seconds\":")
    text.append(orNull: end.flatMap { Decimal(mantissa: Int128($0 - start), exponent: -9) })
    text.append(",\"reason\":")
    text.append(string: reason.rawValue)
    text.append(",\"symbols\":")
    text.append(strings: symbols)
    text.append(",\"conids\":")
    text.append(integers: conids)
    text.append(",\"detected_by\":")
    text.append(string: detectedBy)
    text.append(",\"count\":")
    if let count { text.append(count) } else { text.append("null") }
    text.append("}\n")
    return text.withBytes { String(decoding: $0, as: UTF8.self) }
  }
}

extension RecordingReader {
  /// The gaps of all runs, in the order in which they began.
  ///
  /// - Returns: The gaps; one outage may be several, each of other instruments.
  /// - Throws: ``StorageError``, `.damaged` for what cannot be read.
  public func gaps() throws(StorageError) -> [RecordedGap] {
    var found: [RecordedGap] = []
    for part in try parts(of: [.gap]) {
      try forEachLine(of: part) { line throws(StorageError) in
        guard let gap = RecordedGap(line) else {
          throw StorageError(damaged: part.path, reason: "a line tells of no gap")
        }
        found.append(gap)
      }
    }
    return found.sorted { ($0.start, $0.id) < ($1.start, $1.id) }
  }
}
