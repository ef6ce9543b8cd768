// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Metrics in Prometheus' text format 0.0.4: help, type, then a line for each value.
struct PrometheusText {
  /// What a value is.
  enum Kind: String {
    case counter, gauge, histogram
  }

  private(set) var text = ""

  /// The media type of ``text``.
  static let contentType = "text/plain; version=0.0.4; charset=utf-8"

  /// Begins a metric.
  ///
  /// - Parameters:
  ///   - name: Its name, unit included.
  ///   - kind: What it is.
  ///   - help: What it says, without a line break.
  mutating func begin(_ name: String, _ kind: Kind, _ help: String) {
    text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
  }

  /// Adds a value of the metric that was begun.
  ///
  /// - Parameters:
  ///   - name: Its name, for histograms with their suffix.
  ///   - labels: Names and values.
  ///   - value: The number.
  mutating func add(
    _ name: String,
    _ labels: KeyValuePairs<String, String> = [:],
    _ value: some LosslessStringConvertible
  ) {
    text += name
    if !labels.isEmpty {
      text += "{"
      text += labels.map { "\($0.key)=\"\(Self.escaped($0.value))\"" }.joined(separator: ",")
      text += "}"
    }
    text += " \(value)\n"
  }

  /// Adds a metric of one value.
  mutating func add(
    _ name: String,
    _ kind: Kind,
    _ help: String,
    _ value: some LosslessStringConvertible
  ) {
    begin(name, kind, help)
    add(name, [:], value)
  }

  /// Adds a histogram.
  mutating func add(_ name: String, _ help: String, _ histogram: Histogram) {
    begin(name, .histogram, help)
    var sum = 0
    for (bound, count) in zip(histogram.bounds, histogram.counts) {
      sum += count
      add("\(name)_bucket", ["le": "\(bound)"], sum)
    }
    add("\(name)_bucket", ["le": "+Inf"], histogram.count)
    add("\(name)_sum", [:], histogram.sum)
    add("\(name)_count", [:], histogram.count)
  }

  private static func escaped(_ text: String) -> String {
    var escaped = ""
    for character in text.unicodeScalars {
      switch character {
      case "\\": escaped += #"\\"#
      case "\"": escaped += #"\""#
      case "\n": escaped += #"\n"#
      default: escaped.unicodeScalars.append(character)
      }
    }
    return escaped
  }
}
