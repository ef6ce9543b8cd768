// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

extension Duration {
  /// Reads a duration as a person writes it: `500ms`, `60s`, `15m`, `8h`, `1d`; seconds without a
  /// unit.
  ///
  /// - Parameter text: The text, without spaces.
  package init?(text: some StringProtocol) {
    let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
    guard let number = Double(digits), number.isFinite else { return nil }
    let factor: Double? =
      switch text[digits.endIndex...] {
      case "ms": 0.001
      case "s", "": 1
      case "m", "min": 60
      case "h": 3_600
      case "d": 86_400
      default: nil
      }
    // A hundred years are enough for everybody and fit into every clock's nanoseconds.
    guard let factor, number * factor <= 3_155_760_000 else { return nil }
    self = .seconds(number * factor)
  }
}
