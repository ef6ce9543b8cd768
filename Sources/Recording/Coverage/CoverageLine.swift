// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import JSON

/// The columns of a line of `ch=quote` that coverage is made of.
///
/// Nothing behind `last` is looked at: a year of quotes is read in half the time. What is wrong
/// there is for `verify` to find; a line that is cut off is noticed here as well.
struct CoverageLine {
  /// `ts_recv`: nanoseconds since 1970.
  private(set) var realtime: Int64 = 0
  /// `ts_event`: the server's time, if there is one.
  private(set) var event: Int64?
  /// The instrument.
  private(set) var conid = 0
  /// The text of the column `symbol` as it stands in the line.
  let symbol: UnsafeRawBufferPointer
  /// Whether it is an image and not an event of the market.
  private(set) var isImage = false
  /// The last price as it stands in the line; nil for none.
  private(set) var last: UnsafeRawBufferPointer?

  /// Reads a line; nothing comes of one without these columns.
  init?(_ line: UnsafeRawBufferPointer) {
    guard line.last == UInt8(ascii: "}") else { return nil }
    var scanner = JSONScanner(line)
    var symbol: UnsafeRawBufferPointer?
    var (hasTime, hasLast) = (false, false)
    while !hasLast, let member = scanner.nextMember() {
      switch member.key {
      case Self.received:
        guard let time = scanner.time(member) else { return nil }
        (realtime, hasTime) = (time, true)
      case Self.sent: event = scanner.time(member)
      case Self.instrument: conid = scanner.integer(member).flatMap(Int.init(exactly:)) ?? 0
      case Self.name where member.kind == .string: symbol = scanner.bytes(member.content)
      case Self.image: isImage = member.kind == .true
      case Self.price:
        hasLast = true
        if member.kind == .number { last = scanner.bytes(member.value) }
      default: break
      }
    }
    guard hasTime, hasLast, let symbol else { return nil }
    self.symbol = symbol
  }

  private static let received = JSONKey("ts_recv")
  private static let sent = JSONKey("ts_event")
  private static let instrument = JSONKey("conid")
  private static let name = JSONKey("symbol")
  private static let image = JSONKey("snapshot")
  private static let price = JSONKey("last")
}
