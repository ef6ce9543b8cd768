// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// A key that something on the screen answers to.
enum Key: Hashable {
  case up, down, pageUp, pageDown, home, end
  case character(Character)

  /// Reads the keys of what a terminal sent.
  ///
  /// - Parameter bytes: What came at once; terminals send a key's bytes together.
  /// - Returns: The keys; what is none of these is left out.
  static func keys(in bytes: some Sequence<UInt8>) -> [Key] {
    var keys: [Key] = []
    var rest = Array(bytes)[...]
    while let byte = rest.popFirst() {
      guard byte == 0x1B else {
        if 0x20..<0x7F ~= byte { keys.append(.character(Character(Unicode.Scalar(byte)))) }
        continue
      }
      // CSI, or SS3 in application mode (ECMA-48 5.4; xterm's function keys).
      guard let kind = rest.first, kind == UInt8(ascii: "[") || kind == UInt8(ascii: "O") else {
        continue
      }
      rest = rest.dropFirst()
      let parameters = rest.prefix { 0x20..<0x40 ~= $0 }
      rest = rest.dropFirst(parameters.count)
      guard let final = rest.popFirst() else { break }
      if let key = key(final, String(decoding: parameters, as: UTF8.self)) { keys.append(key) }
    }
    return keys
  }

  private static func key(_ final: UInt8, _ parameters: String) -> Key? {
    switch final {
    case UInt8(ascii: "A"): .up
    case UInt8(ascii: "B"): .down
    case UInt8(ascii: "H"): .home
    case UInt8(ascii: "F"): .end
    case UInt8(ascii: "~"):
      switch parameters {
      case "1", "7": .home
      case "4", "8": .end
      case "5": .pageUp
      case "6": .pageDown
      default: nil
      }
    default: nil
    }
  }
}
