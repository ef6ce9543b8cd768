// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

@testable import Recording

/// How parts may be sealed in this build.
enum Codecs {
  static let all: [PartCodec?] = [nil] + PartCodec.allCases.filter { $0.unavailability == nil }

  static func random(using random: inout SeededRandom) -> PartCodec? {
    all[Int.random(in: 0..<all.count, using: &random)]
  }
}
