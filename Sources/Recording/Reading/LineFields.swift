// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import JSON

/// The columns by which a line of any channel is ordered and chosen.
struct LineFields {
  /// The number in the run.
  private(set) var seq: UInt64 = 0
  /// `ts_recv`: nanoseconds since 1970.
  private(set) var realtime: Int64 = 0
  /// `ts_event`: the server's time in nanoseconds since 1970, if there is one.
  private(set) var event: Int64?
  /// The text of the column `symbol` as it stands in the line, if there is one.
  private(set) var symbol: UnsafeRawBufferPointer?

  /// Reads the columns.
  ///
  /// - Parameters:
  ///   - line: The line; nothing comes of one without the columns that every line has.
  ///   - column: Called with every column, in their order.
  init?(
    _ line: UnsafeRawBufferPointer,
    column: (JSONMember, JSONScanner) -> Void = { _, _ in }
  ) {
    var scanner = JSONScanner(line)
    var known = 0
    while let member = scanner.nextMember() {
      switch member.key {
      case Self.seq where known == 0:
        guard let number = scanner.integer(member).flatMap(UInt64.init(exactly:)) else {
          return nil
        }
        (seq, known) = (number, 1)
      case Self.time where known == 1:
        guard let time = scanner.time(member) else { return nil }
        (realtime, known) = (time, 2)
      case Self.eventTime where known == 2:
        event = scanner.time(member)
      case Self.symbolName where symbol == nil && member.kind == .string:
        symbol = scanner.bytes(member.content)
      default: break
      }
      column(member, scanner)
    }
    guard known == 2, scanner.state == .complete else { return nil }
  }

  private static let seq = JSONKey("seq")
  private static let time = JSONKey("ts_recv")
  private static let eventTime = JSONKey("ts_event")
  private static let symbolName = JSONKey("symbol")
}
