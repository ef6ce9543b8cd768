// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// When a part is ended and the next one begun, besides midnight UTC.
public struct Rotation: Sendable, Hashable {
  /// When the part has this many bytes; nil for never.
  public var size: Int?

  /// When there is so much time between the part's first line and its last; nil for never.
  public var interval: Duration?

  /// Creates a rule.
  ///
  /// - Parameters:
  ///   - size: When the part has this many bytes; nil for never.
  ///   - interval: When so much time lies between its first line and its last; nil for never.
  public init(size: Int? = nil, interval: Duration? = nil) {
    self.size = size
    self.interval = interval
  }

  /// What is done when nobody says otherwise: 256 MiB.
  ///
  /// What a crash leaves to be done at the next start is in proportion to it.
  public static let standard = Rotation(size: 256 << 20)

  var nanoseconds: Int64? {
    interval.map { duration in
      let parts = duration.components
      let (product, overflow) = parts.seconds.multipliedReportingOverflow(by: 1_000_000_000)
      return overflow ? .max : product + parts.attoseconds / 1_000_000_000
    }
  }
}

/// How long sealed parts are kept; what is still being written never goes.
public struct Retention: Sendable, Hashable {
  /// How old the last line of a part may be; nil for any age.
  public var age: Duration?

  /// How many bytes all sealed parts may have together; nil for any number.
  public var size: Int?

  /// Creates a rule.
  ///
  /// - Parameters:
  ///   - age: How old the last line of a part may be; nil for any age.
  ///   - size: How many bytes all sealed parts may have together; nil for any number.
  public init(age: Duration? = nil, size: Int? = nil) {
    self.age = age
    self.size = size
  }

  /// Whether everything is kept.
  var keepsAll: Bool { age == nil && size == nil }

  var nanoseconds: Int64? { Rotation(interval: age).nanoseconds }
}
