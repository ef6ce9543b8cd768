// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import IBKR

/// Lines on their way to one place, and what is to be known of them.
final class LineSheet {
  // Owned: allocated here, freed in `deinit`. Behind a pointer, so that not for each line the runtime
  // is asked whether somebody else changes it: a sheet belongs to one actor.
  private let buffer = UnsafeMutablePointer<LineBuffer>.allocate(capacity: 1)

  /// The lines that wait.
  var lines: LineBuffer {
    _read { yield buffer.pointee }
    _modify { yield &buffer.pointee }
  }

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

  init() { buffer.initialize(to: LineBuffer()) }

  deinit {
    buffer.deinitialize(count: 1)
    buffer.deallocate()
  }

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

/// The sheet that the lines of one place went to last, for as long as they still go there.
///
/// Nothing is retained by it: its owner counts a generation further whenever a sheet may be another
/// one, or is gone.
struct CurrentSheet {
  private var sheet: Unmanaged<LineSheet>?
  private var generation: UInt64 = 0
  private var day: ClosedRange<Int64> = 0...0

  /// The sheet, asked for again where it is not known to be the same.
  ///
  /// - Parameters:
  ///   - sheets: Where it is.
  ///   - realtime: The line's `ts_recv`.
  ///   - find: Asks for it.
  /// - Returns: The sheet, valid until the next call of anything of `sheets`.
  @inline(__always)
  mutating func sheet(
    of sheets: some LineSheets,
    at realtime: Int64,
    _ find: () -> LineSheet
  ) -> Unmanaged<LineSheet> {
    let now = sheets.generation
    if let sheet, generation == now, now != 0, day.contains(realtime) { return sheet }
    let found = Unmanaged.passUnretained(find())
    let date = UTCDate(realtime: realtime)
    sheet = found
    generation = sheets.generation
    day = date.start...date.start + (UTCDate.length - 1)
    return found
  }
}

/// Where an encoder's lines go.
///
/// The sheets live as long as their owner, or until its next generation.
protocol LineSheets: AnyObject {
  /// Counts from 1 how often a sheet may have become another one; 0 where each line asks anew.
  var generation: UInt64 { get }

  /// The sheet for a line.
  ///
  /// - Parameters:
  ///   - channel: The line's channel.
  ///   - symbol: The instrument's name, for channels that keep instruments apart.
  ///   - realtime: The line's `ts_recv`.
  /// - Returns: The sheet.
  func sheet(_ channel: Channel, symbol: String?, at realtime: Int64) -> LineSheet
}

extension LineSheets {
  var generation: UInt64 { 0 }
}
