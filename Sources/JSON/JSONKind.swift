// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// What kind of value stands somewhere; known from its first byte (RFC 8259 §3).
@usableFromInline
package enum JSONKind: UInt8, Sendable {
  case object, array, string, number, `true`, `false`, null

  /// - Parameter byte: The first byte of a value.
  /// - Returns: Its kind, or nil if no value starts with that byte.
  static func of(firstByte byte: UInt8) -> JSONKind? {
    switch byte {
    case UInt8(ascii: "\""): .string
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): .number
    case UInt8(ascii: "{"): .object
    case UInt8(ascii: "["): .array
    case UInt8(ascii: "t"): .true
    case UInt8(ascii: "f"): .false
    case UInt8(ascii: "n"): .null
    default: nil
    }
  }

  /// The bytes of a literal; nil for what is not one.
  var literal: StaticString? {
    switch self {
    case .true: "true"
    case .false: "false"
    case .null: "null"
    default: nil
    }
  }
}
