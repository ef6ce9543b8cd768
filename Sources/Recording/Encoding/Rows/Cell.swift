// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import IBKR
import JSON

/// What stands in one column of one line.
enum Cell: Hashable, Sendable {
  case null
  case decimal(Decimal)
  case integer(Int64)
  case text(String)
  case flag(Bool)
  /// Nanoseconds since 1970.
  case time(Int64)

  /// Text, or nothing.
  static func text(orNull text: String?) -> Cell { text.map { .text($0) } ?? .null }

  /// A number, or nothing.
  static func decimal(orNull number: Decimal?) -> Cell { number.map { .decimal($0) } ?? .null }

  /// An integer, or nothing.
  static func integer(orNull number: Int?) -> Cell { number.map { .integer(Int64($0)) } ?? .null }

  /// Appends the cell as JSON.
  func append(to lines: inout LineBuffer, _ format: TimeFormat) {
    switch self {
    case .null: lines.append("null")
    case .decimal(let number): lines.append(orNull: number)
    case .integer(let number): lines.append(number)
    case .text(let text): lines.append(string: text)
    case .flag(let flag): lines.append(flag)
    case .time(let realtime): lines.append(time: realtime, format)
    }
  }
}
