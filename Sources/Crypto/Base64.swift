// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// The base64 of RFC 4648 section 4: padded, no line breaks, strict when read.
package enum Base64 {
  /// Writes bytes as base64 text.
  ///
  /// - Parameter bytes: Any bytes.
  /// - Returns: Four characters for each three bytes begun.
  package static func encode(_ bytes: [UInt8]) -> String {
    var text: [UInt8] = []
    bytes.withUnsafeBytes { append($0, to: &text) }
    return String(decoding: text, as: UTF8.self)
  }

  /// Writes bytes as base64 at the end of `output`.
  ///
  /// - Parameters:
  ///   - bytes: Any bytes.
  ///   - output: Grows by four ASCII characters for each three bytes begun.
  package static func append(_ bytes: UnsafeRawBufferPointer, to output: inout [UInt8]) {
    output.reserveCapacity(output.count + (bytes.count + 2) / 3 * 4)
    var index = 0
    while index + 3 <= bytes.count {
      let group =
        UInt32(bytes[index]) << 16 | UInt32(bytes[index + 1]) << 8
        | UInt32(bytes[index + 2])
      output.append(character(group >> 18))
      output.append(character(group >> 12))
      output.append(character(group >> 6))
      output.append(character(group))
      index += 3
    }
    switch bytes.count - index {
    case 1:
      let group = UInt32(bytes[index]) << 16
      output.append(character(group >> 18))
      output.append(character(group >> 12))
      output.append(padding)
      output.append(padding)
    case 2:
      let group = UInt32(bytes[index]) << 16 | UInt32(bytes[index + 1]) << 8
      output.append(character(group >> 18))
      output.append(character(group >> 12))
      output.append(character(group >> 6))
      output.append(padding)
    default:
      break
    }
  }

  /// Reads base64 text.
  ///
  /// Strict as RFC 4648 sections 3.2, 3.3 and 3.5 allow: padding must be there, foreign characters
  /// (line breaks too) and set bits under the padding are refused, so that each byte string has
  /// one text only.
  ///
  /// - Parameter text: The text.
  /// - Returns: The bytes.
  /// - Throws: `CryptoError` with `invalidEncoding`.
  package static func decode(_ text: some StringProtocol) throws(CryptoError) -> [UInt8] {
    var body = Substring(text).utf8
    guard body.count.isMultiple(of: 4) else {
      throw CryptoError(.invalidEncoding, "not base64: the length is not a multiple of four")
    }
    var padded = 0
    while padded < 2, body.last == padding {
      body.removeLast()
      padded += 1
    }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(body.count / 4 * 3 + 2)
    var accumulator: UInt32 = 0
    var bits = 0
    for character in body {
      guard let value = value(of: character) else {
        throw CryptoError(.invalidEncoding, "not base64: a character outside the alphabet")
      }
      accumulator = accumulator << 6 | UInt32(value)
      bits += 6
      if bits >= 8 {
        bits -= 8
        bytes.append(UInt8(truncatingIfNeeded: accumulator >> UInt32(bits)))
        accumulator &= 1 << UInt32(bits) - 1
      }
    }
    guard accumulator == 0 else {
      throw CryptoError(.invalidEncoding, "not base64: set bits under the padding")
    }
    return bytes
  }

  private static let padding = UInt8(ascii: "=")

  private static func character(_ sextet: UInt32) -> UInt8 {
    switch UInt8(truncatingIfNeeded: sextet & 63) {
    case let value where value < 26: UInt8(ascii: "A") + value
    case let value where value < 52: UInt8(ascii: "a") + (value - 26)
    case let value where value < 62: UInt8(ascii: "0") + (value - 52)
    case 62: UInt8(ascii: "+")
    default: UInt8(ascii: "/")
    }
  }

  private static func value(of character: UInt8) -> UInt8? {
    switch character {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): character - UInt8(ascii: "A")
    case UInt8(ascii: "a")...UInt8(ascii: "z"): character - UInt8(ascii: "a") + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0") + 52
    case UInt8(ascii: "+"): 62
    case UInt8(ascii: "/"): 63
    default: nil
    }
  }
}
