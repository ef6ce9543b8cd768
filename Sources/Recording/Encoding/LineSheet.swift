// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import IBKR

/// Lines on their way to one place, and what is to be known of them.
final class LineSheet {
  /// The lines that wait.
  var lines = LineBuffer()

  /// How many lines there have been, with those that wait no more.
  private(set) var count = 0

  /// The lowest and the highest `seq` of all of them.
  private(set) var seq: ClosedRange<UInt64>?

  /// The earliest and the latest `ts_recv` of all of them.
  private(set) var time: ClosedRange<Int64>?

  /// Asked for each line by its `seq` whether it is wanted; nil for every line.
  var isWanted: ((UInt64) -> Bool)?

  /// Where the line that is being made begins; kept only where lines may be unwanted.
  private var lineStart = 0

  /// Counts a line that was just completed, or takes it back if it is not wanted.
  func endLine(seq number: UInt64, realtime: Int64) {
    if let isWanted {
      guard isWanted(number) else { return lines.truncate(to: lineStart) }
      lineStart = lines.count
    }
    count += 1
    seq = Self.extended(seq, to: number)
    time = Self.extended(time, to: realtime)
  }

  /// Makes a line, and counts it.
  ///
  /// - Parameters:
  ///   - record: What the line follows from.
  ///   - body: Makes the line.
  /// - Returns: How many bytes it has.
  func line(of record: EventRecord, _ body: (inout LineBuffer) -> Void) -> Int {
    let before = lines.count
    body(&lines)
    endLine(seq: record.seq, realtime: record.realtime)
    return lines.count - before
  }

  /// Forgets the lines that wait.
  func removeLines() {
    lines.removeAll()
    lineStart = 0
  }

  /// A range that has a value in it as well.
  static func extended<Bound>(
    _ range: ClosedRange<Bound>?,
    to value: Bound
  ) -> ClosedRange<Bound> {
    guard let range else { return value...value }
    if value > range.upperBound { return range.lowerBound...value }
    return value < range.lowerBound ? value...range.upperBound : range
  }
}

/// Where an encoder's lines go.
protocol LineSheets {
  /// The sheet for a line.
  ///
  /// - Parameters:
  ///   - channel: The line's channel.
  ///   - symbol: The instrument's name, for channels that keep instruments apart.
  ///   - realtime: The line's `ts_recv`.
  /// - Returns: The sheet.
  func sheet(_ channel: Channel, symbol: String?, at realtime: Int64) -> LineSheet
}
