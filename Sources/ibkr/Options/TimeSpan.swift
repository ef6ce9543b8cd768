// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import ArgumentParser

/// A duration as a person writes it: `500ms`, `60s`, `15m`, `8h`, `1d`.
struct TimeSpan: ExpressibleByArgument, Hashable {
  /// The duration.
  let duration: Duration

  init?(argument: String) {
    let digits = argument.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
    guard let number = Double(digits), number.isFinite else { return nil }
    let factor: Double? =
      switch argument[digits.endIndex...] {
      case "ms": 0.001
      case "s", "": 1
      case "m", "min": 60
      case "h": 3_600
      case "d": 86_400
      default: nil
      }
    // A hundred years are enough for everybody and fit into every clock's nanoseconds.
    guard let factor, number > 0, number * factor <= 3_155_760_000 else { return nil }
    duration = .seconds(number * factor)
  }
}
