// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Variables of the environment, read as IBind reads them.
struct EnvironmentReader: Sendable {
  let variables: [String: String]

  /// IBind's words for yes and no, in any case.
  private static let words: [String: Bool] = [
    "y": true, "yes": true, "t": true, "true": true, "on": true, "1": true,
    "n": false, "no": false, "f": false, "false": false, "off": false, "0": false,
  ]

  /// The value of a variable; nil if it is not set, or empty.
  func text(_ name: String) -> String? {
    variables[name].flatMap { $0.isEmpty ? nil : $0 }
  }

  /// A variable that says yes or no.
  func flag(_ name: String) throws(IbkrError) -> Bool? {
    guard let text = text(name) else { return nil }
    guard let value = Self.words[text.lowercased()] else {
      throw IbkrError(
        .invalidConfiguration,
        "\(name) says neither yes nor no",
        remedy: "write True or False"
      )
    }
    return value
  }

  /// A variable that holds seconds, perhaps with a fraction.
  func seconds(_ name: String, in range: ClosedRange<Double>) throws(IbkrError) -> Duration? {
    guard let text = text(name) else { return nil }
    guard let value = Double(text), range.contains(value) else {
      throw IbkrError(
        .invalidConfiguration,
        "\(name) is no number of seconds from \(range.lowerBound) to \(range.upperBound)"
      )
    }
    return .seconds(value)
  }

  /// A variable that holds a whole number.
  func integer(_ name: String, in range: ClosedRange<Int>) throws(IbkrError) -> Int? {
    guard let text = text(name) else { return nil }
    guard let value = Int(text), range.contains(value) else {
      throw IbkrError(
        .invalidConfiguration,
        "\(name) is not a whole number from \(range.lowerBound) to \(range.upperBound)"
      )
    }
    return value
  }
}
