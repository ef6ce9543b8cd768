// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// One thing that a ``Diagnosis`` has looked at, with what to do if it is not as it should be.
///
/// Never holds a key, token, secret, session or account.
public struct Check: Sendable, Hashable {
  /// How it is.
  public enum Outcome: String, Sendable, Hashable {
    /// As it should be.
    case passed
    /// It works, or may work, and should be put right all the same.
    case warning
    /// Nothing can work before it is put right.
    case failed
    /// It could not be looked at, because of another one that failed.
    case skipped
  }

  /// What kind of trouble it would be, for programs and exit codes.
  public enum Area: String, Sendable, Hashable {
    case configuration, network, session, storage
  }

  /// A short name that does not change: `dh-prime`.
  public let name: String

  /// What kind of trouble it would be.
  public let area: Area

  /// How it is.
  public let outcome: Outcome

  /// What was found, in one sentence without a full stop.
  public let finding: String

  /// What to do about it; nil where there is nothing to do.
  public let remedy: String?

  /// Makes a check.
  ///
  /// - Parameters:
  ///   - name: A short name that does not change.
  ///   - area: What kind of trouble it would be.
  ///   - outcome: How it is.
  ///   - finding: What was found.
  ///   - remedy: What to do about it.
  package init(
    _ name: String,
    _ area: Area,
    _ outcome: Outcome,
    _ finding: String,
    remedy: String? = nil
  ) {
    self.name = name
    self.area = area
    self.outcome = outcome
    self.finding = finding
    self.remedy = remedy
  }
}

extension Check: CustomStringConvertible {
  /// One line: the name, what was found, what to do.
  public var description: String {
    "\(name): \(finding)" + (remedy.map { "; \($0)" } ?? "")
  }
}
