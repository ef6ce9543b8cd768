// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import OAuth1a

/// What may keep a client from working, looked at one thing after the other.
///
/// ```swift
/// var diagnosis = Diagnosis { print($0) }
/// if let configuration = diagnosis.examineConfiguration(environment: variables) {
///   await diagnosis.examineServer(configuration)
/// }
/// print(diagnosis.failure == nil ? "all is well" : "see above")
/// ```
public struct Diagnosis: Sendable {
  /// Everything that was looked at, in order.
  public private(set) var checks: [Check] = []

  private let report: @Sendable (Check) -> Void

  /// How a prime is looked at; tests that are about something else save the time.
  var reviewPrime: @Sendable (String) -> MaterialFault? = { PrimeReview.fault(inPrime: $0) }

  /// Starts with nothing looked at.
  ///
  /// - Parameter report: Gets each check as soon as it is done; some of them take seconds.
  public init(reporting report: @escaping @Sendable (Check) -> Void = { _ in }) {
    self.report = report
  }

  /// The first check that failed: the others may be its consequences.
  public var failure: Check? { checks.first { $0.outcome == .failed } }

  /// Adds a check, for other modules that look at things of their own.
  ///
  /// - Parameter check: What was looked at.
  package mutating func note(_ check: Check) {
    checks.append(check)
    report(check)
  }

  /// Adds that several things cannot be looked at.
  ///
  /// - Parameters:
  ///   - names: Their names.
  ///   - area: Their area.
  ///   - reason: Why, as the end of "not looked at: …".
  package mutating func skip(_ names: [String], _ area: Check.Area, because reason: String) {
    for name in names { note(Check(name, area, .skipped, "not looked at: \(reason)")) }
  }
}
